package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-api/tandem/shared/config"
)

// sender brings notices to Honeybadger: at once when Sync, else through a queue
// with one goroutine, which starts with the first notice.
type sender struct {
	o      Options
	client func() client
	turn   chan struct{} // holds a value while the client sends

	queue  chan item
	begin  sync.Once
	ended  chan struct{} // closed when the goroutine has ended
	mu     sync.Mutex    // guards closed, and the closing of queue
	closed bool
	giveUp atomic.Bool // what still waits is to be dropped

	pending, sent, failed, dropped atomic.Int64
	toldDrop                       atomic.Int64 // when drops were last logged, Unix ns
}

// item is a notice on its way, with the context for the log lines about it.
type item struct {
	ctx    context.Context
	notice *notice
}

// tellDrops is how often drops are logged while they go on.
const tellDrops = 10 * time.Second

const queueFull = "the queue is full"

var errBusy = errors.New("other reports took all the time")

func newSender(o Options) *sender {
	return &sender{
		o:      o,
		client: sync.OnceValue(func() client { return newClient(o) }),
		turn:   make(chan struct{}, 1),
		queue:  make(chan item, o.Queue),
		ended:  make(chan struct{}),
	}
}

func (s *sender) send(ctx context.Context, n *notice) {
	// The request's own end must not stop the log line; its values are kept.
	it := item{context.WithoutCancel(ctx), n}
	if s.o.Sync {
		s.deliver(it)
		return
	}
	if why := s.enqueue(it); why != "" {
		s.drop(ctx, why)
	}
}

// enqueue says why it could not.
func (s *sender) enqueue(it item) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "the reporter is closed"
	}
	select {
	case s.queue <- it:
		s.pending.Add(1)
		s.begin.Do(func() { go s.run() })
		return ""
	default:
		return queueFull
	}
}

// full reports whether a notice would be dropped, which spares the work of making
// it. It may be wrong a moment later: send decides.
func (s *sender) full() bool { return !s.o.Sync && len(s.queue) == cap(s.queue) }

func (s *sender) run() {
	defer close(s.ended)
	for it := range s.queue {
		if s.giveUp.Load() {
			s.dropped.Add(1)
		} else {
			s.deliver(it)
		}
		s.pending.Add(-1)
	}
}

// deliver sends one notice and counts what became of it. When reports are made at
// once (Sync), one waits for the others, but no longer than the time-out.
func (s *sender) deliver(it item) {
	err := errBusy
	wait := time.NewTimer(s.o.Timeout)
	defer wait.Stop()
	select {
	case s.turn <- struct{}{}:
		err = s.client().send(it.notice)
		<-s.turn
	case <-wait.C:
	}
	if err == nil {
		s.sent.Add(1)
		return
	}
	s.failed.Add(1)
	// The error may quote the answer's body, of which only so much is of use.
	b := budget{left: maxValue, secrets: newSecrets([]config.Secret{s.o.APIKey})}
	s.o.Log.WarnContext(it.ctx, "report not sent",
		"class", it.notice.class, "message", it.notice.message, "error", b.text(err.Error(), maxValue/4))
}

// drop counts a report that is not even tried, and logs so once in a while.
func (s *sender) drop(ctx context.Context, why string) {
	total := s.dropped.Add(1)
	now, told := time.Now().UnixNano(), s.toldDrop.Load()
	if now-told >= int64(tellDrops) && s.toldDrop.CompareAndSwap(told, now) {
		s.o.Log.WarnContext(ctx, "reports dropped", "why", why, "total", total)
	}
}

func (s *sender) stats() Stats {
	return Stats{Sent: s.sent.Load(), Failed: s.failed.Load(), Dropped: s.dropped.Load()}
}

func (s *sender) close(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.queue)
	s.mu.Unlock()
	s.begin.Do(func() { close(s.ended) }) // nothing was ever sent

	var err error
	select {
	case <-s.ended:
	case <-ctx.Done():
		s.giveUp.Store(true)
		if n := s.pending.Load(); n > 0 {
			err = fmt.Errorf("close the reports: %d not sent: %w", n, ctx.Err())
		}
	}
	if n := s.stats(); n.Dropped+n.Failed > 0 {
		s.o.Log.LogAttrs(ctx, slog.LevelWarn, "reports lost", slog.Int64("dropped", n.Dropped), slog.Int64("failed", n.Failed))
	}
	return err
}
