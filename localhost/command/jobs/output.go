package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/shared/queue/inspect"
)

// done says what has been done to a job or a queue.
func (r call) done(name, action string) {
	past := map[string]string{
		"run": "runs now", "archive": "archived", "delete": "deleted", "cancel": "cancelled",
		"pause": "paused", "resume": "resumed",
	}
	if p, ok := past[action]; ok {
		action = p
	}
	if r.o.json {
		_ = writeJSON(r.Stdout, map[string]string{"name": name, "done": action})
		return
	}
	fmt.Fprintf(r.Stdout, "%s: %s\n", name, action)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func listJobs(ctx context.Context, r call) error {
	page, err := r.jobs.List(ctx, inspect.Filter{Queue: r.o.queue, State: r.o.state, Cursor: r.o.cursor, Limit: r.o.limit})
	if errors.Is(err, inspect.ErrCursor) {
		return cli.UsageError{Err: fmt.Errorf("-cursor: %w", err)}
	}
	if err != nil {
		return err
	}
	if r.o.json {
		return writeJSON(r.Stdout, page)
	}
	t := tabwriter.NewWriter(r.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tKIND\tQUEUE\tSTATE\tATTEMPTS\tWHEN\tERROR")
	for _, j := range page.Jobs {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\n", j.ID, j.Kind, j.Queue, j.State, j.Attempts, j.MaxAttempts, when(j), oneLine(j.Error, 60))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if page.Next != "" {
		fmt.Fprintf(r.Stdout, "\nThere are more: -cursor %s\n", page.Next)
	}
	return nil
}

// when is the time that matters most of a job: when it runs, or ended, or came.
func when(j inspect.Job) string {
	for _, t := range []*time.Time{j.RunAt, j.CompletedAt, j.FailedAt, j.EnqueuedAt} {
		if t != nil {
			return t.Local().Format(time.DateTime)
		}
	}
	return ""
}

// oneLine shortens a text that is in one cell of a table.
func oneLine(text string, most int) string {
	runes := []rune(text)
	for i, r := range runes {
		if r < ' ' {
			runes[i] = ' '
		}
	}
	if len(runes) > most {
		runes = append(runes[:most-1], '…')
	}
	return string(runes)
}

func showJob(ctx context.Context, r call) error {
	j, err := r.jobs.Find(ctx, r.args[0])
	if err != nil {
		return err
	}
	if r.o.json {
		return writeJSON(r.Stdout, j)
	}
	t := tabwriter.NewWriter(r.Stdout, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", name, oneLine(value, 500))
		}
	}
	at := func(name string, t *time.Time) {
		if t != nil {
			row(name, t.Local().Format(time.RFC3339))
		}
	}
	row("id", j.ID)
	row("kind", j.Kind)
	row("queue", j.Queue)
	row("state", j.State)
	row("arguments", string(j.Args))
	row("attempts", fmt.Sprintf("%d of %d", j.Attempts, j.MaxAttempts))
	at("enqueued", j.EnqueuedAt)
	at("runs", j.RunAt)
	at("failed", j.FailedAt)
	at("completed", j.CompletedAt)
	row("error", j.Error)
	row("result", string(j.Result))
	row("trace", j.TraceID)
	row("asked for by", j.By)
	if j.Parent != nil {
		row("after", j.Parent.ID+" "+j.Parent.Kind)
	}
	for _, c := range j.Children {
		row("then, on "+c.On, c.ID+" "+c.Kind+" "+c.State)
	}
	return t.Flush()
}

func showStats(ctx context.Context, r call) error {
	s, err := r.jobs.Stats(ctx)
	if err != nil {
		return err
	}
	if r.o.json {
		return writeJSON(r.Stdout, s)
	}
	t := tabwriter.NewWriter(r.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "QUEUE\tACTIVE\tPENDING\tSCHEDULED\tRETRY\tARCHIVED\tCOMPLETED\tPROCESSED\tFAILED\tLATENCY\t")
	for _, q := range s.Queues {
		paused := ""
		if q.Paused {
			paused = "paused"
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.3fs\t%s\n", q.Name, q.Active, q.Pending, q.Scheduled, q.Retry,
			q.Archived, q.Completed, q.Processed, q.Failed, q.Latency, paused)
	}
	fmt.Fprintln(t, "\nWORKER\tPROCESS\tSTATE\tACTIVE\tSINCE")
	for _, w := range s.Workers {
		fmt.Fprintf(t, "%s\t%d\t%s\t%d of %d\t%s\n", w.Host, w.PID, w.State, w.Active, w.Concurrency, w.Started.Local().Format(time.DateTime))
	}
	return t.Flush()
}
