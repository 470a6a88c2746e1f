package jobs

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/queue"
)

// uniqueFor is how long `"unique": true` refuses another job, where the kind does not
// say.
const uniqueFor = time.Hour

// request is what requestSchema describes.
type request struct {
	Kind    string          `json:"kind"`
	Args    json.RawMessage `json:"args"`
	Queue   string          `json:"queue"`
	Delay   float64         `json:"delay"` // seconds
	At      *time.Time      `json:"at"`
	Unique  *bool           `json:"unique"`
	Retries *int            `json:"retries"`
}

// ticket is the answer to a request for a job.
type ticket struct {
	ID    string     `json:"id"`
	Kind  string     `json:"kind"`
	Queue string     `json:"queue"`
	State string     `json:"state"`
	RunAt *time.Time `json:"runAt,omitempty"` // of one that is scheduled
}

func (c controller) enqueue(w http.ResponseWriter, r *http.Request, in request) error {
	job := c.kinds[in.Kind]
	args, err := job.Canonical(in.Args)
	if err != nil {
		return unfit("/args", "it does not fit the kind").Because(err)
	}
	if in.At != nil && in.Delay != 0 {
		return unfit("/at", `"delay" and "at" exclude each other`)
	}
	info, err := job.Enqueue(r.Context(), c.app, args, append(in.options(job), queue.By(auth.Owner(r.Context())))...)
	if errors.Is(err, queue.ErrDuplicate) {
		e := httperror.New(http.StatusConflict, "a job of this kind with these arguments stands in the queue already").Because(err)
		if d, ok := errors.AsType[*queue.DuplicateError](err); ok && d.ID != "" {
			e = e.With("Location", location(d.ID))
		}
		return e
	}
	if err != nil {
		return err
	}
	out := ticket{ID: info.ID, Kind: info.Kind, Queue: info.Queue, State: info.State}
	if info.State == "scheduled" {
		at := info.At.UTC()
		out.RunAt = &at
	}
	w.Header().Set("Location", location(info.ID))
	return function.JSON(w, http.StatusAccepted, out)
}

func (in request) options(job queue.Definition) []queue.Option {
	var all []queue.Option
	if in.Queue != "" {
		all = append(all, queue.To(in.Queue))
	}
	if in.Delay > 0 {
		all = append(all, queue.In(time.Duration(in.Delay*float64(time.Second))))
	}
	if in.At != nil {
		all = append(all, queue.At(*in.At))
	}
	if in.Unique != nil && !*in.Unique {
		all = append(all, queue.Unique(0))
	} else if in.Unique != nil && job.Unique == 0 {
		all = append(all, queue.Unique(uniqueFor))
	}
	if in.Retries != nil {
		all = append(all, queue.Retries(*in.Retries))
	}
	return all
}

func location(id string) string { return "/jobs/" + url.PathEscape(id) }

func unfit(pointer, message string) *httperror.Error {
	e := httperror.New(http.StatusUnprocessableEntity, "the body does not have the required form")
	e.Violations = []httperror.Violation{{Pointer: pointer, Message: message}}
	return e
}
