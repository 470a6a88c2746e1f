package queue

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The headers of a job in Redis: what travels beside its arguments.
const (
	// headerLine has the members below, as a query string has them. One header costs
	// the worker and the client less than one for each: a message is written three
	// times for every job.
	headerLine   = "tandem"
	headerNext   = "next"   // JSON of []Step
	headerParent = "parent" // JSON of Parent
)

// The members of headerLine.
const (
	memberRetries = "retries" // see Header.Retries
	memberAt      = "at"      // when the job was enqueued, Unix milliseconds
	memberTrace   = "trace"   // the trace that the job is part of
	memberBy      = "owner"   // see By; "by" was a name, which may be another user's by now
	memberTick    = "tick"    // when it was scheduled for, Unix seconds
)

// TimeoutGrace is how much later than the job's own time-out asynq gives up on it.
// The worker ends the job's context itself, and has this long to see what became of
// it.
const TimeoutGrace = 5 * time.Second

// Header is what a job in Redis carries beside its arguments.
type Header struct {
	Trace string
	// Retries is how often the job may run again after it failed. asynq's own limit
	// is one higher: asynq would archive a job that was only put off (snoozed)
	// during its last attempt, and without a word one whose worker died in it.
	Retries    int
	Next       []Step
	Parent     *Parent
	EnqueuedAt time.Time
	By         string    // the auth.Owner who asked for the job, or empty
	Tick       time.Time // of a job that runs by a schedule: the time that it names
}

// ReadHeader reads the headers of a job. ours is false where something else than
// this package enqueued it.
func ReadHeader(from map[string]string) (h Header, ours bool, err error) {
	line, ours := from[headerLine]
	if !ours {
		return h, false, nil
	}
	for member := range strings.SplitSeq(line, "&") {
		if err := readMember(&h, member); err != nil {
			return h, true, fmt.Errorf("the header of a job: %w", err)
		}
	}
	if text := from[headerNext]; text != "" {
		if err := json.Unmarshal([]byte(text), &h.Next); err != nil {
			return h, true, fmt.Errorf("the header %s of a job: %w", headerNext, err)
		}
	}
	if text := from[headerParent]; text != "" {
		if err := json.Unmarshal([]byte(text), &h.Parent); err != nil {
			return h, true, fmt.Errorf("the header %s of a job: %w", headerParent, err)
		}
	}
	return h, true, nil
}

// readMember reads one member of the line. One that is not known may be of a newer process.
func readMember(h *Header, member string) (err error) {
	name, value, _ := strings.Cut(member, "=")
	var n int64
	switch name {
	case memberTrace:
		h.Trace, err = url.QueryUnescape(value)
	case memberBy:
		h.By, err = url.QueryUnescape(value)
	case "by": // a name of before: somebody's, and of nobody who can be told by now
		h.By = "nobody"
	case memberRetries:
		h.Retries, err = strconv.Atoi(value)
	case memberAt:
		n, err = strconv.ParseInt(value, 10, 64)
		h.EnqueuedAt = time.UnixMilli(n)
	case memberTick:
		n, err = strconv.ParseInt(value, 10, 64)
		h.Tick = time.Unix(n, 0)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (h Header) write() (map[string]string, error) {
	line := make([]byte, 0, 96)
	line = append(line, memberRetries+"="...)
	line = strconv.AppendInt(line, int64(h.Retries), 10)
	line = append(line, "&"+memberAt+"="...)
	line = strconv.AppendInt(line, h.EnqueuedAt.UnixMilli(), 10)
	if h.Trace != "" {
		line = append(line, "&"+memberTrace+"="+url.QueryEscape(h.Trace)...)
	}
	if h.By != "" {
		line = append(line, "&"+memberBy+"="+url.QueryEscape(h.By)...)
	}
	if !h.Tick.IsZero() {
		line = append(line, "&"+memberTick+"="...)
		line = strconv.AppendInt(line, h.Tick.Unix(), 10)
	}
	to := map[string]string{headerLine: string(line)}
	if len(h.Next) > 0 {
		b, err := json.Marshal(h.Next)
		if err != nil {
			return nil, fmt.Errorf("the steps of a chain: %w", err)
		}
		to[headerNext] = string(b)
	}
	if h.Parent != nil {
		b, err := json.Marshal(h.Parent)
		if err != nil {
			return nil, fmt.Errorf("the parent of a job: %w", err)
		}
		to[headerParent] = string(b)
	}
	return to, nil
}
