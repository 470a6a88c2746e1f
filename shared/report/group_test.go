package report_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"testing"

	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/report"
)

// in is a context of the function foo.
func in(t *testing.T, attrs ...slog.Attr) context.Context {
	return logging.With(inRequest(t), attrs...)
}

func TestOneFaultIsOneGroupAndAnotherIsAnother(t *testing.T) {
	type fault struct {
		ctx    context.Context
		err    error
		extras []report.Extra
	}
	plain := func(format string, args ...any) fault { return fault{in(t), fmt.Errorf(format, args...), nil} }
	broken := &fs.PathError{Op: "open", Path: "a", Err: fs.ErrNotExist}
	of := func(group string) []report.Extra { return []report.Extra{report.Group(group)} }

	for _, c := range []struct {
		name string
		a, b fault
		same bool
	}{
		{"the same again", plain("oh"), plain("oh"), true},
		{"another id", plain("find user 7: %w", broken), plain("find user 8: %w", broken), true},
		{"an id in a text", plain("no user 7"), plain("no user 81"), true},
		{"a name in a text", plain("no user %q", "ada"), plain("no user %q", "bob the third"), true},
		{"a token in a text", plain("no job 3f2a-b1"), plain("no job 77c0-aa"), true},
		{"wrapped on the way", plain("oh"), plain("on the way: %w", errors.New("oh")), true},
		{"another request", plain("oh"), fault{in(t, slog.String(logging.RequestID, "req-2")), errors.New("oh"), nil}, true},

		{"another text", plain("oh"), plain("ah"), false},
		{"another text behind a status", fault{in(t), httperror.New(503, "").Because(errors.New("oh")), nil},
			fault{in(t), httperror.New(503, "").Because(errors.New("ah")), nil}, false},
		{"another class", plain("oh: %w", broken), plain("oh: %w", &customError{}), false},
		{"another function", plain("oh"), fault{in(t, slog.String(logging.Function, "bar")), errors.New("oh"), nil}, false},
		{"another job", fault{in(t, slog.String(logging.Job, "a")), broken, nil}, fault{in(t, slog.String(logging.Job, "b")), broken, nil}, false},
		{"another group", fault{in(t), broken, of("GET /a")}, fault{in(t), broken, of("GET /b")}, false},
		{"named by hand", fault{in(t), broken, []report.Extra{report.Class("A")}}, fault{in(t), broken, []report.Extra{report.Class("B")}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var groups [2]string
			for i, f := range []fault{c.a, c.b} {
				h := newHoneybadger(t, http.StatusCreated, nil)
				newSync(h, &lines{}).Notify(f.ctx, f.err, f.extras...)
				n, _ := h.only(t)
				if groups[i] = n.Error.Fingerprint; groups[i] == "" {
					t.Fatal("no fingerprint")
				}
			}
			if same := groups[0] == groups[1]; same != c.same {
				t.Errorf("one group: %v, want %v", same, c.same)
			}
		})
	}
}

// What names its own place is left to Honeybadger to group: a panic, and a message.
func TestWhatHasAPlaceOfItsOwnHasNoFingerprint(t *testing.T) {
	for name, tell := range map[string]func(*report.Reporter){
		"a message": func(r *report.Reporter) { r.Message(inRequest(t), "Greeting", "hello") },
		"a panic": func(r *report.Reporter) {
			defer func() { r.Panic(inRequest(t), recover()) }()
			panic("oh")
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHoneybadger(t, http.StatusCreated, nil)
			tell(newSync(h, &lines{}))
			if n, _ := h.only(t); n.Error.Fingerprint != "" {
				t.Errorf("fingerprint %q", n.Error.Fingerprint)
			}
		})
	}
}

func TestTwoPlacesThatReportAreTwoGroups(t *testing.T) {
	h := newHoneybadger(t, http.StatusCreated, nil)
	r := newSync(h, &lines{})
	one := func() { r.Notify(inRequest(t), errOh) }
	other := func() { r.Notify(inRequest(t), errOh) }
	one()
	other()
	one()
	got := h.all(t)
	if got[0].Error.Fingerprint != got[2].Error.Fingerprint || got[0].Error.Fingerprint == got[1].Error.Fingerprint {
		t.Errorf("%q, %q and again %q", got[0].Error.Fingerprint, got[1].Error.Fingerprint, got[2].Error.Fingerprint)
	}
}
