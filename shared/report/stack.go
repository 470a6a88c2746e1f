package report

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/honeybadger-io/honeybadger-go"
)

// maxFrames is how much of a stack is sent. The client's own 20 end in the
// middleware.
const maxFrames = 50

// maxCallers leaves room for the frames of the runtime and of this package, which
// are dropped from the stack.
const maxCallers = maxFrames + 20

// fewCallers is enough for most stacks: those that begin in a handler end with it, a
// few frames further out. To walk up the rest of it would take longer than the rest of
// the notice.
const fewCallers = 16

// stack returns the caller's stack as Honeybadger's frames, innermost first. After a
// panic it begins with the function that panicked, else with the first caller outside
// this package.
func stack(panicked bool) []*honeybadger.Frame {
	var callers [maxCallers]uintptr
	n := runtime.Callers(2, callers[:fewCallers])
	frames, whole := resolve(callers[:n])
	if !whole && n == fewCallers {
		n = runtime.Callers(2, callers[:])
		frames, _ = resolve(callers[:n])
	}
	for len(frames) > 0 && strings.HasPrefix(frames[0].Function, ownPackage()) {
		frames = frames[1:]
	}
	if panicked {
		frames = panicking(frames)
	}
	frames = frames[:min(len(frames), maxFrames)]
	all, pointers := make([]honeybadger.Frame, len(frames)), make([]*honeybadger.Frame, len(frames))
	for i, f := range frames {
		file := f.File
		if rest, inside := strings.CutPrefix(file, projectRoot()); inside {
			file = "[PROJECT_ROOT]" + rest // by this Honeybadger knows our frames from a library's
		}
		all[i] = honeybadger.Frame{File: file, Number: strconv.Itoa(f.Line), Method: f.Function}
		pointers[i] = &all[i]
	}
	return pointers
}

// resolve returns the frames of program counters, and whether it has come to the frame
// that ends a stack.
func resolve(callers []uintptr) (frames []runtime.Frame, whole bool) {
	if len(callers) == 0 {
		return nil, true
	}
	frames = make([]runtime.Frame, 0, len(callers))
	for next := runtime.CallersFrames(callers); ; {
		frame, more := next.Next()
		frames = append(frames, frame)
		switch {
		case handles(frame):
			return frames, true
		case !more:
			return frames, false
		}
	}
}

// handles says that a frame is the one that called a controller's handler. Around it
// stand the same middleware, router and server in every stack, which would cost most of
// the time that a stack takes. The name is not compared whole, since it begins with the
// caller's where the compiler has put Handle into that.
func handles(f runtime.Frame) bool {
	return strings.HasSuffix(f.File, "/shared/function/handle.go") && strings.Contains(f.Function, "(*App).Handle.func")
}

// panicking returns the frames below the panic. While deferred functions run, the
// stack of the panic is still there:
//
//	the deferred function ← runtime.gopanic ← (more of the runtime) ← who panicked ← …
//
// Where who panicked is itself a deferred function called by a panic, it has
// recovered and panicked again, as middleware does, and the first panic is meant.
func panicking(frames []runtime.Frame) []runtime.Frame {
	below := frames
	for i := 0; i < len(frames); i++ {
		if frames[i].Function != "runtime.gopanic" {
			continue
		}
		for i < len(frames) && isRuntime(frames[i].Function) {
			i++
		}
		below = frames[i:]
		if len(below) < 2 || below[1].Function != "runtime.gopanic" {
			break
		}
	}
	return below
}

// isRuntime knows the frames between a panic and its cause, such as
// runtime.panicmem, runtime.sigpanic and those of the maps.
func isRuntime(function string) bool {
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "internal/runtime/")
}

// ownPackage begins the names of this package's functions.
var ownPackage = sync.OnceValue(func() string { return reflect.TypeFor[Reporter]().PkgPath() + "." })

// projectRoot is where the repository lay when it was compiled: a directory, or the
// module's path after a build with -trimpath.
var projectRoot = sync.OnceValue(func() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(file, "/shared/report/stack.go")
})
