package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/queue"
)

// Job is a job as it stands in Redis.
type Job struct {
	ID    string `json:"id,omitempty"` // left out where a reader shall not know it
	Kind  string `json:"kind"`
	Queue string `json:"queue"`
	// State is pending, active, scheduled, retry, archived or completed.
	State string `json:"state"`
	// Args are the arguments; a string where they are not JSON.
	Args json.RawMessage `json:"args,omitempty"`
	// Attempts is how often the job has begun to run, the present time included.
	Attempts    int             `json:"attempts"`
	MaxAttempts int             `json:"maxAttempts"`
	Error       string          `json:"error,omitempty"`  // of the last attempt that failed, or why the job was put off
	Result      json.RawMessage `json:"result,omitempty"` // where it set one
	EnqueuedAt  *time.Time      `json:"enqueuedAt,omitempty"`
	RunAt       *time.Time      `json:"runAt,omitempty"` // of one that is scheduled or to be tried again
	FailedAt    *time.Time      `json:"failedAt,omitempty"`
	CompletedAt *time.Time      `json:"completedAt,omitempty"`
	TraceID     string          `json:"traceId,omitempty"`
	By          string          `json:"by,omitempty"` // the user who asked for it
	Parent      *Relative       `json:"parent,omitempty"`
	Children    []Relative      `json:"children,omitempty"`
}

// Relative is a job before or after another in a chain.
type Relative struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// On says when a child runs: on "success" or on "failure" of its parent.
	On string `json:"on,omitempty"`
	// State is empty where the job is not there (yet, or any more).
	State string `json:"state,omitempty"`
}

// Find returns the job with that id, and its children with their states.
func (i *Inspector) Find(ctx context.Context, id string) (Job, error) {
	return within(ctx, func() (Job, error) {
		t, err := i.find(id)
		if err != nil {
			return Job{}, err
		}
		j := read(t)
		for n, child := range j.Children {
			c, err := i.find(child.ID)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return Job{}, err
			}
			if err == nil {
				j.Children[n].State = c.State.String()
			}
		}
		return j, nil
	})
}

func read(t *asynq.TaskInfo) Job {
	h, ours, _ := queue.ReadHeader(t.Headers) // what is unreadable is left out
	if !ours {
		h.Retries = t.MaxRetry
	}
	j := Job{
		ID: t.ID, Kind: t.Type, Queue: t.Queue, State: t.State.String(), Args: raw(t.Payload), Error: t.LastErr,
		Attempts: attempts(t, h.Retries), MaxAttempts: h.Retries + 1, Result: raw(t.Result),
		EnqueuedAt: moment(h.EnqueuedAt), FailedAt: moment(t.LastFailedAt), CompletedAt: moment(t.CompletedAt), TraceID: h.Trace, By: h.By,
	}
	if t.State == asynq.TaskStateScheduled || t.State == asynq.TaskStateRetry {
		j.RunAt = moment(t.NextProcessAt)
	}
	if j.State != "retry" && queue.IsSnooze(j.Error) { // it did not fail, and waits no more
		j.Error, j.FailedAt = "", nil
	}
	if h.Parent != nil {
		j.Parent = &Relative{ID: h.Parent.ID, Kind: h.Parent.Kind}
	}
	for n, step := range h.Next {
		j.Children = append(j.Children, Relative{ID: queue.ChildID(t.ID, n), Kind: step.Kind, On: step.On})
	}
	return j
}

// attempts counts the runs from the failures, which is what asynq counts. It does not
// count the last one, after which a job is archived.
func attempts(t *asynq.TaskInfo, retries int) int {
	n := t.Retried
	switch t.State {
	case asynq.TaskStateActive, asynq.TaskStateCompleted:
		n++
	case asynq.TaskStateArchived:
		if t.LastErr != "" {
			n++
		}
	}
	return min(n, retries+1)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// raw returns bytes as JSON: as they are, or as a string where they are none.
func raw(b []byte) json.RawMessage {
	if len(b) == 0 || json.Valid(b) {
		return b
	}
	text := string(b)
	if !utf8.Valid(b) {
		text = "(binary)"
	}
	s, _ := json.Marshal(text) // a string: it cannot fail
	return s
}
