package lambda_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
)

func printing(text string) string {
	b, _ := json.Marshal(map[string]string{"do": "print", "text": text})
	return string(b)
}

func TestTheLogOfAnEvent(t *testing.T) {
	h, l := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{})
	const report = `START RequestId: %[1]s Version: \$LATEST\n%[2]sEND RequestId: %[1]s\n` +
		`REPORT RequestId: %[1]s\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\t%[3]s\n`
	for _, tt := range []struct{ id, text, lines, init string }{
		{"first", "one\ntwo\n", "one\ntwo\n", `Init Duration: \d+\.\d\d ms\t`},
		{"second", "", "", ""},
		{"no-end", "no end", "no end\n", ""},
		{"empty", "\n\n", "\n\n", ""},
		{"windows", "one\r\ntwo\r\n", "one\ntwo\n", ""},
	} {
		r, err := p.Invoke(t.Context(), lambda.Invocation{RequestID: tt.id, Payload: []byte(printing(tt.text))})
		if err != nil || r.FunctionError != "" {
			t.Fatalf("%s %v", r.Payload, err)
		}
		want := fmt.Sprintf(report, tt.id, tt.lines, tt.init)
		if got := l.report(t, tt.id); !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("%s: the log is\n%s\nnot\n%s", tt.id, got, want)
		}
	}
}

func TestLongLinesAreCutInPieces(t *testing.T) {
	h, l := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: time.Minute, MemoryMB: 512})
	text := strings.Repeat("0123456789", 100_000)
	r := invoke(t, p, printing(text+"\nnext\n"))
	l.report(t, r.RequestID)
	var pieces []string
	for _, line := range l.all() {
		if strings.Contains(line.Text, "0123456789") {
			pieces = append(pieces, line.Text)
			if len(line.Text) > 512<<10 {
				t.Errorf("a piece of %d bytes", len(line.Text))
			}
		}
	}
	if strings.Join(pieces, "") != text || len(pieces) < 2 {
		t.Errorf("%d pieces of %d bytes in all", len(pieces), len(strings.Join(pieces, "")))
	}
}

func TestLinesSayWhereTheyAreFrom(t *testing.T) {
	h, l := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Name: "foo"})
	r := invoke(t, p, printing("hello\n"))
	l.report(t, r.RequestID)
	for _, line := range l.all() {
		if line.Function != "foo" || !strings.Contains(line.Stream, "[$LATEST]") || line.RequestID != r.RequestID {
			t.Errorf("%+v", line)
		}
	}
	var out bytes.Buffer
	lambda.LogTo(&out)(lambda.Line{Function: "foo", Text: "hello"})
	if out.String() != "foo      | hello\n" {
		t.Errorf("%q", out.String())
	}
}

func TestTheTailOfTheLog(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: 2 * time.Second})
	invoke(t, p, printing("of another event\n"))
	for _, tt := range []struct{ name, event, want string }{
		{"all", printing("hello\n"), `^START RequestId: .*\nhello\nEND RequestId: .*\nREPORT RequestId: .*\n$`},
		{"the end", printing(strings.Repeat("x", 5000) + "\n"), `^x+\nEND RequestId: .*\nREPORT RequestId: .*\n$`},
		{"a failure", `{"do":"hang"}`, `(?s)^START.*Task timed out after 2.00 seconds\nEND.*Status: timeout\n$`},
	} {
		r, err := p.Invoke(t.Context(), lambda.Invocation{Payload: []byte(tt.event), LogTail: true})
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(tt.want).Match(r.LogTail) || len(r.LogTail) > 4096 {
			t.Errorf("%s: %d bytes:\n%s", tt.name, len(r.LogTail), r.LogTail)
		}
	}
}

// A child that holds the log open must not hold up the events.
func TestAChildThatKeepsTheLogOpen(t *testing.T) {
	h, l := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{})
	r := invoke(t, p, `{"do":"spawn"}`)
	l.report(t, r.RequestID)
	r = invoke(t, p, `{"do":"exit"}`)
	l.report(t, r.RequestID)
}
