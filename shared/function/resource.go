package function

import (
	"errors"
	"fmt"

	"golang.org/x/sync/singleflight"
)

// Resource is something a process opens once and shares, such as a connection
// pool. The room that owns it keeps it unexported and offers an accessor:
// database.Of(app).
type Resource[T any] struct {
	Name  string
	Open  func(app *App) (T, error)
	Close func(T) error // nil where there is nothing to close
}

// opened is one resource of an App. The App's lock guards its fields.
type opened struct {
	name    string
	opening singleflight.Group // by one key; a resource may open another meanwhile
	value   any
	ready   bool
	close   func() error
}

var errClosed = errors.New("the app is closed")

// Of returns the App's own T, opened at the first call. A failed opening is tried
// again at the next call, so that a dependency may come up later than we do; those who
// ask during one share its outcome, so that they do not wait one after the other.
func (res *Resource[T]) Of(app *App) (T, error) {
	var none T
	app.mu.Lock()
	o := app.opened[res]
	if o == nil {
		o = &opened{name: res.Name}
		app.opened[res] = o
	}
	value, ready, closed := o.value, o.ready, app.closed
	app.mu.Unlock()

	var err error
	switch {
	case closed:
		err = errClosed
	case !ready:
		value, err, _ = o.opening.Do("", func() (any, error) { return res.open(app, o) })
	}
	if err != nil {
		return none, fmt.Errorf("open %s: %w", res.Name, err)
	}
	return value.(T), nil
}

// open opens the resource, and leaves it to the App to close. What was opened while
// the App was closing is closed here.
func (res *Resource[T]) open(app *App, o *opened) (any, error) {
	app.mu.Lock()
	value, ready, closed := o.value, o.ready, app.closed
	app.mu.Unlock()
	switch {
	case ready: // just before we came
		return value, nil
	case closed:
		return nil, errClosed
	}
	fresh, err := res.Open(app)
	if err != nil {
		return nil, err
	}
	shut := func() error {
		if res.Close == nil {
			return nil
		}
		return res.Close(fresh)
	}
	app.mu.Lock()
	closed = app.closed
	if !closed {
		o.value, o.ready, o.close = fresh, true, shut
		app.order = append(app.order, o)
	}
	app.mu.Unlock()
	if closed {
		return nil, errors.Join(errClosed, shut())
	}
	return fresh, nil
}
