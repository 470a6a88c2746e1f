package inspect

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hibiken/asynq"
)

// ErrCursor says that a cursor is none that List returned for the same filter.
var ErrCursor = errors.New("the cursor is not one of this list")

// States returns the states of a job, in the order in which List goes through them.
func States() []string {
	return []string{"active", "pending", "scheduled", "retry", "archived", "completed"}
}

// Filter says which jobs List returns. An empty field lets all through.
type Filter struct {
	Queue string
	State string
	// Cursor is where to go on: Page.Next of the page before.
	Cursor string
	// Limit is how many jobs to return at most, 1 or more.
	Limit int
}

// Page is a part of a list. Jobs that change their state between two pages may be in
// both or in none.
type Page struct {
	Jobs []Job  `json:"jobs"`
	Next string `json:"next,omitempty"` // the cursor of what follows; empty at the end
}

// place is what a cursor holds: a queue's list of one state, and how many of it have
// been returned.
type place struct {
	Queue  string `json:"q"`
	State  string `json:"s"`
	Offset int    `json:"o"`
}

// List returns jobs, queue by queue and in each state by state. An unknown queue is
// an empty one.
func (i *Inspector) List(ctx context.Context, f Filter) (Page, error) {
	return within(ctx, func() (Page, error) {
		names, err := i.queues()
		if err != nil {
			return Page{}, err
		}
		places, err := f.places(names)
		if err != nil {
			return Page{}, err
		}
		return i.collect(places, f.Limit)
	})
}

// places returns the lists to go through, from the cursor on.
func (f Filter) places(queues []string) ([]place, error) {
	var all []place
	for _, q := range queues {
		for _, s := range States() {
			if (f.Queue == "" || f.Queue == q) && (f.State == "" || f.State == s) {
				all = append(all, place{Queue: q, State: s})
			}
		}
	}
	if f.Cursor == "" {
		return all, nil
	}
	var from place
	b, err := base64.RawURLEncoding.DecodeString(f.Cursor)
	if err == nil {
		err = json.Unmarshal(b, &from)
	}
	at := slices.IndexFunc(all, func(p place) bool { return p.Queue == from.Queue && p.State == from.State })
	if err != nil || from.Offset < 0 || at < 0 {
		return nil, ErrCursor
	}
	all = all[at:]
	all[0] = from
	return all, nil
}

func (p place) cursor() string {
	b, _ := json.Marshal(p) // strings and a number: it cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

func (i *Inspector) collect(places []place, limit int) (Page, error) {
	page := Page{Jobs: []Job{}}
	for _, p := range places {
		// One more than wanted, to know whether there is more.
		more, err := i.some(p, limit-len(page.Jobs)+1)
		if err != nil {
			return Page{}, err
		}
		for _, t := range more {
			if len(page.Jobs) == limit {
				page.Next = p.cursor()
				return page, nil
			}
			page.Jobs = append(page.Jobs, read(t))
			p.Offset++
		}
	}
	return page, nil
}

// some returns up to n jobs from a place on. asynq knows whole pages only: with pages
// of n, the n wanted lie in two.
func (i *Inspector) some(p place, n int) ([]*asynq.TaskInfo, error) {
	list := map[string]func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
		"active": i.inspector.ListActiveTasks, "pending": i.inspector.ListPendingTasks,
		"scheduled": i.inspector.ListScheduledTasks, "retry": i.inspector.ListRetryTasks,
		"archived": i.inspector.ListArchivedTasks, "completed": i.inspector.ListCompletedTasks,
	}[p.State]
	first, skip := p.Offset/n, p.Offset%n
	all, err := list(p.Queue, asynq.PageSize(n), asynq.Page(first+1))
	if err == nil && skip > 0 && len(all) == n {
		var next []*asynq.TaskInfo
		next, err = list(p.Queue, asynq.PageSize(n), asynq.Page(first+2))
		all = append(all, next...)
	}
	if err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
		return nil, fmt.Errorf("list the jobs of %s that are %s: %w", p.Queue, p.State, err)
	}
	all = all[min(skip, len(all)):]
	return all[:min(n, len(all))], nil
}
