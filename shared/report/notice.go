package report

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/honeybadger-io/honeybadger-go"

	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/report/scrub"
)

// notice is a report as it will be sent: scrubbed, bounded, and sharing nothing with
// the request that it tells of.
type notice struct {
	class   string
	group   string // "": by class and line
	message string
	stack   []*honeybadger.Frame
	tags    honeybadger.Tags
	url     string
	cgi     honeybadger.CGIData
	params  honeybadger.Params
	context honeybadger.Context
}

const (
	maxClass   = 256      // bytes
	maxMessage = 4 << 10  // bytes
	maxStack   = 16 << 10 // bytes
	maxTags    = 20
)

// newNotice spends the budget on what matters most first.
func (r *Reporter) newNotice(ctx context.Context, e event, d draft, stack []*honeybadger.Frame) *notice {
	b := &budget{left: maxNotice, secrets: r.secrets}
	if d.class != "" {
		e.class = d.class
	}
	n := &notice{
		class:   b.text(e.class, maxClass),
		message: b.text(e.message, maxMessage),
		stack:   b.frames(stack),
		context: honeybadger.Context{},
	}
	if e.grouped {
		var reporter string
		if len(stack) > 0 {
			reporter = stack[0].Method
		}
		n.group = groupOf(ctx, e, d, reporter)
	}
	for _, attr := range logging.Attrs(ctx) {
		if scrub.Key(attr.Key) {
			attr.Value = slog.StringValue(scrub.Hidden)
		}
		n.context[b.text(attr.Key, maxKey)] = b.logged(attr.Value, 0)
	}
	for _, tag := range d.tags[:min(len(d.tags), maxTags)] {
		n.tags = append(n.tags, b.text(tag, maxKey))
	}
	if d.request != nil {
		b.request(n, d.request)
	}
	if len(e.chain) > 0 {
		n.context["chain"] = b.strings(e.chain)
	}
	own := maps.Clone(n.context)
	maps.Copy(n.context, b.object(d.data, 0))
	maps.Copy(n.context, own)
	return n
}

func (b *budget) frames(stack []*honeybadger.Frame) []*honeybadger.Frame {
	left := maxStack
	for i, f := range stack {
		left -= len(f.File) + len(f.Method) + len(`{"number":"12345","file":"","method":""},`)
		if left < 0 {
			stack = stack[:i]
			break
		}
	}
	b.spend(maxStack - max(left, 0))
	return stack
}

func (b *budget) strings(all []string) []string {
	out := make([]string, 0, len(all))
	for _, s := range all {
		out = append(out, b.text(s, maxValue))
	}
	return out
}

// attrs tells the notice in a log line: what, and the top of the stack. The rest is
// in the line's context.
func (n *notice) attrs() []slog.Attr {
	const top = 3
	var at []string
	for _, f := range n.stack[:min(len(n.stack), top)] {
		at = append(at, f.Method+" "+f.File+":"+f.Number)
	}
	attrs := []slog.Attr{slog.String("class", n.class), slog.String("message", n.message), slog.Any("at", at)}
	if n.url != "" {
		attrs = append(attrs, slog.String("url", n.url))
	}
	if len(n.tags) > 0 {
		attrs = append(attrs, slog.Any("tags", slices.Clone(n.tags)))
	}
	return attrs
}
