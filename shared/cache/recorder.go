package cache

import (
	"fmt"
	"maps"
	"net/http"
)

// recorder takes down an answer as net/http would send it. When its body grows too
// large to keep, it sends what it has and passes the rest on.
type recorder struct {
	w        http.ResponseWriter
	o        *Options
	tooLarge func() // called before passing on

	header  http.Header
	sent    http.Header // header as it was at WriteHeader: later changes do not count
	status  int         // 0 before WriteHeader
	body    []byte
	passing bool
}

func (rec *recorder) Header() http.Header { return rec.header }

// WriteHeader takes the first status; the informational ones before it are dropped,
// and a wrong one panics, as in net/http.
func (rec *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %d", status))
	}
	if rec.status != 0 || status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	rec.status = status
	rec.sent = maps.Clone(rec.header)
}

func (rec *recorder) Write(p []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	if rec.passing {
		return rec.w.Write(p)
	}
	if rec.status < 200 || rec.status == http.StatusNoContent || rec.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if len(rec.body)+len(p) > maxBody {
		if err := rec.pass(); err != nil {
			return 0, err
		}
		return rec.w.Write(p)
	}
	rec.body = append(rec.body, p...)
	return len(p), nil
}

func (rec *recorder) pass() error {
	rec.tooLarge()
	rec.passing = true
	writeHead(rec.w, rec.o, rec.sent, rec.status, "MISS")
	_, err := rec.w.Write(rec.body)
	rec.body = nil
	return err
}

// answer returns what was taken down; a handler that wrote nothing has answered 200.
func (rec *recorder) answer() *answer {
	rec.WriteHeader(http.StatusOK)
	return &answer{status: rec.status, header: rec.sent, body: rec.body}
}
