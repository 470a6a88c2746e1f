package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/logging"
)

func inRequest(ctx context.Context) context.Context {
	return logging.With(ctx, slog.String(logging.RequestID, "req-1"), slog.String(logging.Function, "foo"))
}

func jsonLine(t *testing.T, log func(context.Context, *slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	log(inRequest(t.Context()), logging.New(&out, config.Config{LogFormat: "json"}))
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	delete(line, "time")
	return line
}

func TestLinesCarryTheContext(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(context.Context, *slog.Logger)
		want map[string]any // beside level, msg and the context's own
	}{
		{"a line", func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "m", "a", 1) }, map[string]any{"a": 1.0}},
		{"with attributes", func(ctx context.Context, l *slog.Logger) { l.With("b", 2).InfoContext(ctx, "m", "a", 1) }, map[string]any{"a": 1.0, "b": 2.0}},
		{"in a group", func(ctx context.Context, l *slog.Logger) { l.WithGroup("g").InfoContext(ctx, "m", "a", 1) },
			map[string]any{"g": map[string]any{"a": 1.0}}},
		{"attributes in groups in groups", func(ctx context.Context, l *slog.Logger) {
			l.With("b", 2).WithGroup("g").With("c", 3).WithGroup("h").InfoContext(ctx, "m", "a", 1)
		}, map[string]any{"b": 2.0, "g": map[string]any{"c": 3.0, "h": map[string]any{"a": 1.0}}}},
		{"a group without a name", func(ctx context.Context, l *slog.Logger) { l.WithGroup("").InfoContext(ctx, "m", "a", 1) }, map[string]any{"a": 1.0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want["level"], c.want["msg"], c.want["requestId"], c.want["function"] = "INFO", "m", "req-1", "foo"
			if got := jsonLine(t, c.log); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestLoggersOfOneDoNotShareGroups(t *testing.T) {
	var out bytes.Buffer
	g := logging.New(&out, config.Config{LogFormat: "json"}).WithGroup("g")
	one, two := g.With("a", 1), g.With("b", 2)
	one.InfoContext(inRequest(t.Context()), "m", "x", 1)
	two.InfoContext(inRequest(t.Context()), "m", "x", 1)
	if got := out.String(); !strings.Contains(got, `"g":{"a":1,"x":1}`) || !strings.Contains(got, `"g":{"b":2,"x":1}`) {
		t.Errorf("logged %s", got)
	}
}

func TestWith(t *testing.T) {
	parent := logging.With(t.Context(), slog.String("a", "1"), slog.String("b", "1"))
	child := logging.With(parent, slog.Int("b", 2), slog.String("c", "2"))
	sibling := logging.With(parent, slog.String("d", "3"))
	for name, c := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"nothing":                  {t.Context(), "[]"},
		"what it was given":        {parent, "[a=1 b=1]"},
		"a name again is replaced": {child, "[a=1 b=2 c=2]"},
		"its siblings are apart":   {sibling, "[a=1 b=1 d=3]"},
	} {
		if got := fmt.Sprint(logging.Attrs(c.ctx)); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
	if logging.Value(child, "b") != "2" || logging.Value(child, "d") != "" || logging.Value(t.Context(), "a") != "" {
		t.Errorf("values %q, %q, %q", logging.Value(child, "b"), logging.Value(child, "d"), logging.Value(t.Context(), "a"))
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(context.Context, *slog.Logger)
		ctx  context.Context
		want string // after the time
	}{
		{"a message alone", func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "listening") }, t.Context(), "INFO  listening"},
		{"attributes", func(ctx context.Context, l *slog.Logger) {
			l.WarnContext(ctx, "late", "took", time.Second, "text", "two words")
		}, t.Context(), `WARN  late took=1s text="two words"`},
		{"the context", func(ctx context.Context, l *slog.Logger) { l.ErrorContext(ctx, "oh") }, inRequest(t.Context()), "ERROR oh requestId=req-1 function=foo"},
		{"the logger's own", func(ctx context.Context, l *slog.Logger) { l.With("a", 1).WithGroup("g").InfoContext(ctx, "m", "b", 2) }, t.Context(), "INFO  m a=1 g.b=2"},
		{"attributes that are called like the head's", func(ctx context.Context, l *slog.Logger) {
			l.InfoContext(ctx, "m", "msg", "", "level", 3, "time", "now", "source", "x")
		}, t.Context(), `INFO  m msg="" level=3 time=now source=x`},
		{"line breaks in a message", func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "one\n15:04:05 ERROR two\r") }, t.Context(), `INFO  one\n15:04:05 ERROR two\r`},
		{"a message that would steer the terminal", func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "\x1b[2Jä") }, t.Context(), `INFO  \x1b[2Jä`},
		{"line breaks in a value", func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "m", "a", "b\nc") }, t.Context(), `INFO  m a="b\nc"`},
		{"an empty message", func(ctx context.Context, l *slog.Logger) { l.InfoContext(ctx, "", "a", 1) }, t.Context(), "INFO   a=1"},
		{"a level between two", func(ctx context.Context, l *slog.Logger) { l.Log(ctx, slog.LevelInfo+2, "m") }, inRequest(t.Context()), "INFO+2 m requestId=req-1 function=foo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			c.log(c.ctx, logging.New(&out, config.Config{LogFormat: "text"}))
			if ok, _ := regexp.MatchString(`^\d\d:\d\d:\d\d `+regexp.QuoteMeta(c.want)+`\n$`, out.String()); !ok {
				t.Errorf("got  %q\nwant %q", out.String(), c.want)
			}
		})
	}
}

func TestLevel(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		l := logging.New(&out, config.Config{LogFormat: format, LogLevel: slog.LevelWarn})
		l.Info("hidden")
		l.With("a", 1).WithGroup("g").Info("hidden")
		l.Warn("shown")
		if got := out.String(); strings.Contains(got, "hidden") || !strings.Contains(got, "shown") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestSecretsStayOut(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		logging.New(&out, config.Config{LogFormat: format}).Info("m", "one", config.Secret("hunter2"),
			"all", []config.Secret{"hunter2"}, "config", config.Config{DatabaseURL: "hunter2", AuthSecrets: []config.Secret{"hunter2"}})
		if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "[secret]") {
			t.Errorf("%s: %s", format, &out)
		}
	}
}

func TestLinesStayWhole(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer // the handler's own lock guards it
		l := logging.New(&out, config.Config{LogFormat: format})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				own := l.With("worker", i)
				for range 50 {
					own.InfoContext(inRequest(t.Context()), "a message", "text", strings.Repeat("x", 100))
				}
			})
		}
		wg.Wait()
		if lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"); len(lines) != 1000 {
			t.Errorf("%s: %d lines; want 1000", format, len(lines))
		} else {
			for _, line := range lines {
				if strings.Count(line, "a message") != 1 || strings.Count(line, "x") < 100 {
					t.Fatalf("%s: a torn line: %s", format, line)
				}
			}
		}
	}
}

func BenchmarkLog(b *testing.B) {
	for _, format := range []string{"json", "text"} {
		b.Run(format, func(b *testing.B) {
			var out bytes.Buffer
			l := logging.New(&out, config.Config{LogFormat: format})
			ctx := inRequest(b.Context())
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				l.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("method", "GET"), slog.Int("status", 200))
			}
		})
	}
}
