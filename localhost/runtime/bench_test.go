package lambda_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

func echoPool(b *testing.B, o lambda.Options) *lambda.Pool {
	b.Helper()
	h, _ := newHost(b, o)
	return newPool(b, h, lambda.Function{})
}

// BenchmarkInvoke is an event through a process that waits for it.
func BenchmarkInvoke(b *testing.B) {
	for name, o := range map[string]lambda.Options{"warm": {}, "frozen": {Freeze: true}} {
		b.Run(name, func(b *testing.B) {
			p := echoPool(b, o)
			invoke(b, p, `{"do":"echo"}`)
			b.ReportAllocs()
			for b.Loop() {
				invoke(b, p, `{"do":"echo"}`)
			}
		})
	}
}

// BenchmarkInvokeParallel is as many events at once as there are processors, times four.
func BenchmarkInvokeParallel(b *testing.B) {
	p := echoPool(b, lambda.Options{})
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			invoke(b, p, `{"do":"echo"}`)
		}
	})
}

// BenchmarkColdStart is an event that starts a process.
func BenchmarkColdStart(b *testing.B) {
	p := echoPool(b, lambda.Options{})
	for b.Loop() {
		invoke(b, p, `{"do":"echo"}`)
		b.StopTimer()
		if err := p.Replace(p.Function()); err != nil {
			b.Fatal(err)
		}
		apptest.Eventually(b, "the process to end", func() bool { return p.Stats() == lambda.Stats{} })
		b.StartTimer()
	}
}

// BenchmarkHandler is a request through HTTP, an event and a process.
func BenchmarkHandler(b *testing.B) {
	p := echoPool(b, lambda.Options{})
	event := []byte(raw(`{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"hello\":\"world\"}"}`))
	h := &lambda.Handler{Invoke: p.Invoke, Event: func(*http.Request) ([]byte, error) { return event, nil }}
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", strings.NewReader("")))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}
