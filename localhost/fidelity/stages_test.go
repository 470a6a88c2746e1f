package fidelity_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tandem-api/tandem/localhost/fidelity/probe"
	"github.com/tandem-api/tandem/localhost/gateway"
	"github.com/tandem-api/tandem/localhost/inprocess"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// behind serves an API by the gateway. The options say what its functions are.
func behind(t *testing.T, api string, o gateway.Options) string {
	t.Helper()
	o.Template, o.Throttle = read(t, api), true
	if api == "guarded" {
		o.Keys = map[string]string{issuer: keyFile(t)}
	}
	g, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// serveInProcess serves the probe as the local host serves functions: by its handler.
func serveInProcess(t *testing.T, api string) string {
	settings, err := config.FromEnv(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	app := func(f *template.Function) *function.App {
		named := settings
		named.Lambda = f.Name // which the probe tells
		return function.New(named, io.Discard)
	}
	return behind(t, api, gateway.Options{
		Handler: func(f *template.Function) (http.Handler, error) {
			if f.Folder == "raw" {
				// It is no handler, so its cases are not asked here; its routes are.
				return http.NotFoundHandler(), nil
			}
			return probe.Function.Handler(app(f))
		},
		Invoke: func(f *template.Function) lambda.Invoke {
			called, err := inprocess.New(app(f), probe.Function, f)
			if err != nil {
				t.Fatal(err)
			}
			return called.Invoke
		},
	})
}

// serveProcesses serves the functions' binaries as the local host does with -isolate.
func serveProcesses(t *testing.T, api string) string {
	host, err := lambda.NewHost(lambda.Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := host.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	invoke := func(f *template.Function) lambda.Invoke {
		pool, err := host.NewPool(lambda.Function{
			Name: f.Name, Command: []string{binary(t, f.Folder)}, Handler: f.Handler,
			Timeout: f.Timeout, MemoryMB: f.MemorySize, Reserved: f.Reserved,
		})
		if err != nil {
			t.Fatal(err)
		}
		return pool.Invoke
	}
	return behind(t, api, gateway.Options{Isolated: true, Invoke: invoke, Handler: func(f *template.Function) (http.Handler, error) {
		return &lambda.Handler{Invoke: invoke(f), Event: gateway.Event, Refuse: gateway.Refuse}, nil
	}})
}

// serveBootstraps gives the gateway's events to the bare bootstraps, and takes their
// answers by AWS' own types: nothing of the local host's runtime has a part in it.
func serveBootstraps(t *testing.T, api string) string {
	return behind(t, api, gateway.Options{Isolated: true, Handler: func(f *template.Function) (http.Handler, error) {
		rt := apptest.NewRuntime(t)
		rt.Start(binary(t, f.Folder), f.Name)
		return bare{rt}, nil
	}})
}

// bare answers with what a bootstrap says, word for word.
type bare struct{ *apptest.Runtime }

func (b bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event, err := gateway.Event(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	said, err := b.Invoke(event)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	var answer events.APIGatewayV2HTTPResponse // it has the multiValueHeaders of 1.0, too
	if err := json.Unmarshal(said, &answer); err != nil || answer.StatusCode == 0 {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(said)
		return
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	maps.Copy(w.Header(), answer.MultiValueHeaders)
	for _, cookie := range answer.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(answer.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(body) // it fails for HEAD
}
