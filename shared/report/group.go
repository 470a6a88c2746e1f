package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/tandem-api/tandem/shared/logging"
)

// groupOf says which errors are one fault: Honeybadger's own grouping, by class and
// line, would put all errors that handlers and jobs return into one group, since one
// place reports them. Here it is the function or the job, the route (see Group), the
// class, who reports it, and, of an error that is text alone, what the text says.
func groupOf(ctx context.Context, e event, d draft, reporter string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		logging.Value(ctx, logging.Function), logging.Value(ctx, logging.Job), d.group, e.class, reporter, e.kind,
	}, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// kindOf is the text of the innermost error where no type tells it from others, without
// what differs from one time to the next: what is quoted, and words with a digit.
func kindOf(err error) string {
	for inner := unwrap(err); len(inner) > 0; inner = unwrap(err) {
		err = inner[0]
	}
	if err == nil || typeName(err) != "errors.errorString" {
		return ""
	}
	text := err.Error()
	return particular.ReplaceAllString(text[:min(len(text), maxKind)], "#")
}

const maxKind = 256 // bytes that tell one text from another

var particular = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`|\\S*[0-9]\\S*")
