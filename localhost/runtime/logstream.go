package lambda

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"sync"
)

// maxLine cuts longer lines in pieces: what an event of CloudWatch Logs may hold.
const maxLine = 256 << 10

// logStream is the log of one environment. Both outputs of its processes are one
// pipe. Lambda's own lines go through that pipe too, as marks, so that they stand
// where they belong: a REPORT comes after all that the function printed before it
// answered, without any waiting.
type logStream struct {
	function, name string
	sink           func(Line)
	read, write    *os.File
	mark           []byte // a line that no function prints
	done           chan struct{}

	mu    sync.Mutex
	marks []mark // what the marks in the pipe mean, in their order

	// The rest belongs to the goroutine that reads.
	requestID string
	tail      []byte
}

// mark is what happens at a place in the log, in the order of the fields.
type mark struct {
	begin string        // an event's id: the event begins, unless it has
	lines []string      // Lambda's own lines
	end   bool          // the event is over
	tail  chan<- []byte // takes the end of the event's log
	close bool          // nothing follows
}

func newLogStream(function, name string, sink func(Line)) (*logStream, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a log: %w", err)
	}
	l := &logStream{
		function: function, name: name, sink: sink, read: r, write: w,
		mark: []byte("\x00" + rand.Text() + "\n"), done: make(chan struct{}),
	}
	go l.run()
	return l, nil
}

// put sets a mark at the log's end. One goroutine at a time does so.
func (l *logStream) put(m mark) {
	l.mu.Lock()
	l.marks = append(l.marks, m)
	l.mu.Unlock()                // a full pipe holds us up until the reader has popped
	_, _ = l.write.Write(l.mark) // atomic, being shorter than PIPE_BUF
}

// Close waits until all that stands in the log has been read. A process that
// outlives its environment can no longer write to it.
func (l *logStream) Close() {
	l.put(mark{close: true})
	<-l.done
	_ = l.read.Close()
	_ = l.write.Close()
}

func (l *logStream) run() {
	defer close(l.done)
	buf := make([]byte, 0, 4<<10)
	for {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		n, err := l.read.Read(buf[len(buf):cap(buf)])
		if err != nil {
			return
		}
		rest, open := l.lines(buf[:len(buf)+n])
		if !open {
			return
		}
		buf = append(buf[:0], rest...)
	}
}

// lines takes the whole lines out of b, and returns what is left of it.
func (l *logStream) lines(b []byte) (rest []byte, open bool) {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		line := b[:i+1]
		b = b[i+1:]
		// A mark may follow a line that the function has not ended.
		text, marked := bytes.CutSuffix(line, l.mark)
		if len(text) > 0 {
			l.emit(string(bytes.TrimRight(text, "\r\n")))
		}
		if marked && !l.at(l.pop()) {
			return nil, false
		}
	}
	if keep := len(l.mark); len(b) > maxLine+keep { // what is kept may be half a mark
		l.emit(string(b[:len(b)-keep]))
		b = b[len(b)-keep:]
	}
	return b, true
}

func (l *logStream) pop() mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.marks[0]
	l.marks = l.marks[1:]
	return m
}

// at does what a mark means, and reports whether the log goes on.
func (l *logStream) at(m mark) bool {
	if m.begin != "" && m.begin != l.requestID {
		l.requestID = m.begin
		l.tail = l.tail[:0]
	}
	for _, text := range m.lines {
		l.emit(text)
	}
	if m.tail != nil {
		m.tail <- bytes.Clone(l.tail)
	}
	if m.end {
		l.requestID = ""
	}
	return !m.close
}

func (l *logStream) emit(text string) {
	l.tail = append(append(l.tail, text...), '\n')
	if extra := len(l.tail) - maxLogTail; extra > 0 {
		l.tail = append(l.tail[:0], l.tail[extra:]...)
	}
	if l.sink != nil {
		l.sink(Line{Function: l.function, Stream: l.name, RequestID: l.requestID, Text: text})
	}
}
