package report

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/honeybadger-io/honeybadger-go"
)

// client is the Honeybadger client, kept to what we need of it: to send one notice,
// at once, from one goroutine at a time (its server writes its time-out into a
// shared field with every notice).
type client struct{ hb *honeybadger.Client }

func newClient(o Options) client {
	ended, end := context.WithCancel(context.Background())
	end()
	hb := honeybadger.New(honeybadger.Configuration{
		APIKey:   o.APIKey.Reveal(),
		Endpoint: o.Endpoint,
		Timeout:  o.Timeout,
		Sync:     true,
		Logger:   silent{}, // we log what Notify returns
		// Its worker for events, which we never send, ends with this context; a
		// small queue keeps it from reserving room for 100,000 of them.
		Context:               ended,
		EventsBatchSize:       1,
		EventsMaxQueueSize:    1,
		EventsTimeout:         time.Hour,
		EventsDropLogInterval: time.Hour,
	})
	// The client fills what is empty from HONEYBADGER_ENV, HONEYBADGER_ROOT and the
	// like; what a report says is for our own settings to decide.
	hb.Config.Env = o.Environment
	hb.Config.Root = "" // stack has named the root
	hb.Config.Hostname, _ = os.Hostname()
	endWorker(hb)
	return client{hb}
}

// endWorker ends the goroutine behind the client's own queue, which we do not use.
// The client has no call for it; so it is handed work that ends its goroutine.
func endWorker(hb *honeybadger.Client) {
	server := hb.Config.Backend
	last := lastWork{Backend: server, done: make(chan struct{})}
	hb.Config.Backend, hb.Config.Sync = last, false
	_, _ = hb.Notify(honeybadger.Error{}) // it cannot fail: the queue is empty
	<-last.done
	hb.Config.Backend, hb.Config.Sync = server, true
}

type lastWork struct {
	honeybadger.Backend
	done chan struct{}
}

func (w lastWork) Notify(honeybadger.Feature, honeybadger.Payload) error {
	close(w.done)
	runtime.Goexit()
	return nil
}

// send sends the notice, and returns when it is taken, refused or timed out. If the
// connection breaks it tries once more: on Lambda, the one that is kept open may have
// been closed at the other end while the process was frozen, and net/http does not
// repeat a POST by itself.
func (c client) send(n *notice) error {
	err := c.try(n)
	if broken, ok := errors.AsType[*url.Error](err); ok && !broken.Timeout() {
		err = c.try(n)
	}
	return err
}

func (c client) try(n *notice) (err error) {
	defer func() {
		if v := recover(); v != nil { // the client panics on what it cannot encode
			err = fmt.Errorf("the Honeybadger client panicked: %v", v)
		}
	}()
	_, err = c.hb.Notify(
		honeybadger.Error{Class: n.class, Message: n.message, Stack: n.stack},
		honeybadger.Fingerprint{Content: n.group}, n.context, n.tags, n.cgi, n.params,
		url.URL{Opaque: n.url}, // as it is: the client wants a URL, and writes it as text
	)
	return err
}

type silent struct{}

func (silent) Printf(string, ...any) {}
