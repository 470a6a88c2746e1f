package lambdahttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/lambdahttp"
	"github.com/tandem-api/tandem/shared/logging"
)

// beBootstrap makes the test binary a function's bootstrap: its value names the routes.
const beBootstrap = "TEST_BE_THE_BOOTSTRAP_OF"

func TestMain(m *testing.M) {
	if routes, ok := bootstraps[os.Getenv(beBootstrap)]; ok {
		lambdahttp.Start(function.Function{Name: "tested", Routes: routes, Events: takers[os.Getenv(beBootstrap)]})
		return
	}
	os.Exit(m.Run())
}

var bootstraps = map[string]func(*function.App, chi.Router) error{
	"a function": func(app *function.App, r chi.Router) error {
		r.Get("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
		r.Get("/broken", app.Handle(func(http.ResponseWriter, *http.Request) error { return errors.New("out of luck") }))
		r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("the key is missing") })
		r.Get("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		r.Get("/slow", func(_ http.ResponseWriter, r *http.Request) {
			app.Log.InfoContext(r.Context(), "slow begins")
			<-r.Context().Done()
		})
		_, err := closing.Of(app)
		return err
	},
	"one that takes events": func(_ *function.App, r chi.Router) error {
		r.Get("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
		return nil
	},
	"one that needs a secret": func(app *function.App, _ chi.Router) error {
		_, err := auth.Required(app)
		return err
	},
	"one with a route that is none": func(_ *function.App, r chi.Router) error {
		r.Get("no slash", func(http.ResponseWriter, *http.Request) {})
		return nil
	},
}

// takers are what takes events that are no requests.
var takers = map[string]func(*function.App) (function.EventHandler, error){
	"one that takes events": func(*function.App) (function.EventHandler, error) {
		return func(ctx context.Context, event json.RawMessage) (any, error) {
			var e struct{ Do string }
			if err := json.Unmarshal(event, &e); err != nil {
				return nil, err
			}
			switch e.Do {
			case "fail":
				return nil, errors.New("out of luck")
			case "panic":
				panic("the key is missing")
			}
			_, timed := ctx.Deadline()
			return map[string]any{"did": e.Do, "deadline": timed, "trace": logging.Value(ctx, logging.TraceID)}, nil
		}, nil
	},
}

var closing = function.Resource[*function.App]{
	Name: "closing",
	Open: func(app *function.App) (*function.App, error) { return app, nil },
	Close: func(app *function.App) error {
		app.Log.Info("closed")
		return nil
	},
}

func start(t *testing.T, rt *apptest.Runtime, which string, env ...string) *apptest.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return rt.Start(self, "tested", append([]string{beBootstrap + "=" + which}, env...)...)
}

func answer(t *testing.T, body []byte) events.APIGatewayV2HTTPResponse {
	t.Helper()
	var a events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return a
}

// lines are the process' lines of JSON.
func lines(t *testing.T, p *apptest.Process) (all []map[string]any) {
	t.Helper()
	for text := range strings.Lines(p.Output()) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil {
			all = append(all, line)
		}
	}
	return all
}

func withID(id string) func(*events.APIGatewayV2HTTPRequest) {
	return func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.RequestID = id }
}

func TestStartAnswersEvents(t *testing.T) {
	app := apptest.New(t) // for its reports
	rt := apptest.NewRuntime(t)
	p := start(t, rt, "a function", "HONEYBADGER_API_KEY=k", "HONEYBADGER_ENDPOINT="+app.Config.HoneybadgerEndpoint)

	body, err := rt.Invoke(get("/hello", withID("first")))
	if a := answer(t, body); err != nil || a.StatusCode != 200 || a.Body != "hello" {
		t.Errorf("%+v, %v", a, err)
	}
	for path, class := range map[string]string{"/broken": "out of luck", "/panic": "the key is missing"} {
		before := len(app.Reports())
		body, err = rt.Invoke(get(path, withID("id of "+path)))
		if a := answer(t, body); err != nil || a.StatusCode != 500 || !strings.Contains(a.Body, `"requestId":"id of `+path+`"`) {
			t.Errorf("%s: %+v, %v", path, a, err)
		}
		// A process may be frozen as soon as it has answered.
		if all := app.Reports(); len(all) != before+1 || !strings.Contains(all[before].Error.Message, class) {
			t.Errorf("%s: reported %d times before the answer", path, len(all)-before)
		}
	}
	if _, err = rt.Invoke(get("/abort")); err == nil {
		t.Error("an aborted answer is no failed invocation")
	} else if e, ok := errors.AsType[*apptest.FunctionError](err); !ok || strings.Contains(e.Message, "panic") {
		t.Errorf("aborted: %v", err)
	}
	if _, err = rt.Invoke([]byte(`{"Records":[]}`)); err == nil {
		t.Error("an event of a queue was answered")
	}
	body, err = rt.Invoke(get("/hello", withID("last")))
	if a := answer(t, body); err != nil || a.Body != "hello" {
		t.Errorf("after all that: %+v, %v", a, err)
	}

	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d after a SIGTERM; want 0", status)
	}
	all := lines(t, p)
	request := slices.IndexFunc(all, func(l map[string]any) bool { return l["msg"] == "request" && l["requestId"] == "first" })
	if request < 0 || all[request]["function"] != "tested" || all[request]["awsRequestId"] != "00000000-0000-4000-8000-000000000001" {
		t.Errorf("no line of the first request, or not whole: %s", p.Output())
	}
	if last := all[len(all)-1]; last["msg"] != "closed" {
		t.Errorf("the app was not closed at the end: %v", last)
	}
}

func TestStartWaitsForTheAnswerUnderWay(t *testing.T) {
	rt := apptest.NewRuntime(t)
	p := start(t, rt, "a function")
	go func() { _, _ = rt.Invoke(get("/slow")) }()
	apptest.Eventually(t, "the request begins", func() bool { return strings.Contains(p.Output(), "slow begins") })
	begin := time.Now()
	if status := p.Stop(); status != 0 {
		t.Errorf("exit status %d; want 0", status)
	}
	// The request hangs, so the end comes when the grace is over, within Lambda's 2 s.
	if took := time.Since(begin); took < time.Second {
		t.Errorf("ended after %s, without waiting", took)
	}
}

func TestStartThatFails(t *testing.T) {
	app := apptest.New(t)
	reporting := []string{"HONEYBADGER_API_KEY=k", "HONEYBADGER_ENDPOINT=" + app.Config.HoneybadgerEndpoint}
	for _, c := range []struct {
		name, which string
		env         []string
		want        []string // all of them in one line
	}{
		{"wrong settings", "a function", []string{"LOG_LEVEL=loud", "REDIS_URL=http://u:hunter2@x", "AUTH_SECRET=hunter2"},
			[]string{"the function tested cannot start", "LOG_LEVEL", "REDIS_URL", "AUTH_SECRET"}},
		{"a secret that is missing", "one that needs a secret", nil, []string{"the function tested cannot start", "AUTH_SECRET is not set"}},
		{"a route that panics", "one with a route that is none", nil, []string{"the function tested cannot start", "routing pattern must begin with '/'"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rt := apptest.NewRuntime(t)
			before := len(app.Reports())
			p := start(t, rt, c.which, append(c.env, reporting...)...)
			e := rt.InitError()
			if status := p.Wait(); status != 1 {
				t.Errorf("exit status %d; want 1", status)
			}
			all := lines(t, p)
			if len(all) != 1 || strings.Count(p.Output(), "\n") != 1 {
				t.Fatalf("logged\n%s\nwant one line", p.Output())
			}
			reports := app.Reports()
			if len(reports) != before+1 {
				t.Fatalf("%d reports; want 1", len(reports)-before)
			}
			told := map[string]string{"the log": fmt.Sprint(all[0]["error"]), "the Runtime API": e.Message, "the report": reports[before].Error.Message}
			for where, text := range told {
				for _, w := range c.want {
					if !strings.Contains(text, w) {
						t.Errorf("%s says %q; want %q in it", where, text, w)
					}
				}
				if strings.Contains(text, "hunter2") {
					t.Errorf("%s tells a secret: %s", where, text)
				}
			}
			if e.Type != "Runtime.InitError" {
				t.Errorf("type %s", e.Type)
			}
		})
	}
}

func TestStartWithoutARuntimeAPI(t *testing.T) {
	p := start(t, apptest.NewRuntime(t), "a function", "AWS_LAMBDA_RUNTIME_API=")
	if status := p.Wait(); status != 1 || !strings.Contains(p.Output(), "AWS_LAMBDA_RUNTIME_API is not set") {
		t.Errorf("exit status %d, %s", status, p.Output())
	}
}

// Some emulators do not tell a function its name. It must log and report as on Lambda
// all the same.
func TestStartWithoutAName(t *testing.T) {
	rt := apptest.NewRuntime(t)
	p := start(t, rt, "a function", "AWS_LAMBDA_FUNCTION_NAME=")
	if _, err := rt.Invoke(get("/hello")); err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if all := lines(t, p); len(all) != 2 || all[0]["msg"] != "request" {
		t.Errorf("logged %s; want JSON", p.Output())
	}
}
