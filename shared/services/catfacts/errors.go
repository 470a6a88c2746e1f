package catfacts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

var (
	// ErrTimeout says that the service did not answer in time.
	ErrTimeout = errors.New("the service did not answer in time")
	// ErrUnavailable says that the service could not be reached, or broke off.
	ErrUnavailable = errors.New("the service cannot be reached")
	// ErrMalformed says that it answered with something else than a fact.
	ErrMalformed = errors.New("the service's answer is not understood")

	errNoFact = errors.New("there is no fact in it")
)

// StatusError says that the service answered with another status than 200.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("the service answered %d %s", e.Status, http.StatusText(e.Status))
}

// transportError names an error of net/http. A caller that has gone is no fault of
// the service's; one whose time is up has waited for it.
func transportError(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
