package function

import (
	"io"
	"net/http"
)

// written notes what a handler answers, for the log, and for whoever must know whether
// an answer has begun. A status that is none has begun nothing: the writer beneath
// panics at it.
type written struct {
	http.ResponseWriter
	status int // 0: nothing has gone out
	bytes  int64
}

func (w *written) WriteHeader(status int) {
	w.ResponseWriter.WriteHeader(status)
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols { // not an interim answer
		w.begin(status)
	}
}

func (w *written) begin(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *written) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

func (w *written) WriteString(s string) (int, error) {
	w.begin(http.StatusOK)
	n, err := io.WriteString(w.ResponseWriter, s)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom is there because net/http's writer has it, and is faster with a file.
func (w *written) ReadFrom(src io.Reader) (int64, error) {
	w.begin(http.StatusOK)
	n, err := io.Copy(w.ResponseWriter, src)
	w.bytes += n
	return n, err
}

// Flush sends what there is, where the writer beneath can.
func (w *written) Flush() {
	w.begin(http.StatusOK)
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *written) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// begun says whether the head of the answer has gone out. It asks the writer that the
// access log has put in, under those of other middleware.
func begun(w http.ResponseWriter) bool {
	for {
		if noted, ok := w.(*written); ok {
			return noted.status != 0
		}
		around, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = around.Unwrap()
	}
}
