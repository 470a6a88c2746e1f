package queue

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// The headers of a job in Redis: what travels beside its arguments.
const (
	headerTrace   = "trace"   // the trace that the job is part of
	headerRetries = "retries" // see Header.Retries
	headerNext    = "next"    // JSON of []Step
	headerParent  = "parent"  // JSON of Parent
	headerAt      = "at"      // when the job was enqueued, Unix milliseconds
	headerBy      = "by"      // see By
	headerTick    = "tick"    // when it was scheduled for, Unix seconds
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
	By         string    // the user who asked for the job, or empty
	Tick       time.Time // of a job that runs by a schedule: the time that it names
}

// ReadHeader reads the headers of a job. ours is false where something else than
// this package enqueued it.
func ReadHeader(from map[string]string) (h Header, ours bool, err error) {
	h.Trace, h.By = from[headerTrace], from[headerBy]
	retries, ours := from[headerRetries]
	if !ours {
		return h, false, nil
	}
	if h.Retries, err = strconv.Atoi(retries); err != nil {
		return h, true, fmt.Errorf("the header %s of a job: %w", headerRetries, err)
	}
	if at, err := strconv.ParseInt(from[headerAt], 10, 64); err == nil {
		h.EnqueuedAt = time.UnixMilli(at)
	}
	if text := from[headerTick]; text != "" {
		if tick, err := strconv.ParseInt(text, 10, 64); err == nil {
			h.Tick = time.Unix(tick, 0)
		}
	}
	for name, into := range map[string]any{headerNext: &h.Next, headerParent: &h.Parent} {
		if text := from[name]; text != "" {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				return h, true, fmt.Errorf("the header %s of a job: %w", name, err)
			}
		}
	}
	return h, true, nil
}

func (h Header) write() (map[string]string, error) {
	to := map[string]string{
		headerRetries: strconv.Itoa(h.Retries),
		headerAt:      strconv.FormatInt(h.EnqueuedAt.UnixMilli(), 10),
	}
	if h.Trace != "" {
		to[headerTrace] = h.Trace
	}
	if h.By != "" {
		to[headerBy] = h.By
	}
	if !h.Tick.IsZero() {
		to[headerTick] = strconv.FormatInt(h.Tick.Unix(), 10)
	}
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
