package report

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/honeybadger-io/honeybadger-go"
)

// maxFrames is how much of a stack is sent. The client's own 20 end in the
// middleware.
const maxFrames = 50

// stackOf makes Honeybadger's frames of program counters, innermost first. After a
// panic it begins with the function that panicked, else with the first caller
// outside this package.
func stackOf(callers []uintptr, panicked bool) []*honeybadger.Frame {
	frames := resolve(callers)
	own := ownPackage() + "."
	for len(frames) > 0 && strings.HasPrefix(frames[0].Function, own) {
		frames = frames[1:]
	}
	if panicked {
		frames = panicking(frames)
	}
	root := projectRoot()
	stack := make([]*honeybadger.Frame, 0, min(len(frames), maxFrames))
	for _, f := range frames[:min(len(frames), maxFrames)] {
		file := f.File
		if rest, inside := strings.CutPrefix(file, root); inside {
			file = "[PROJECT_ROOT]" + rest // by this Honeybadger knows our frames from a library's
		}
		stack = append(stack, &honeybadger.Frame{File: file, Number: strconv.Itoa(f.Line), Method: f.Function})
	}
	return stack
}

func resolve(callers []uintptr) []runtime.Frame {
	if len(callers) == 0 {
		return nil
	}
	frames := make([]runtime.Frame, 0, len(callers))
	for next := runtime.CallersFrames(callers); ; {
		frame, more := next.Next()
		frames = append(frames, frame)
		if !more || handles(frame) {
			return frames
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

func ownPackage() string { return reflect.TypeFor[Reporter]().PkgPath() }

// projectRoot is where the repository lay when it was compiled: a directory, or the
// module's path after a build with -trimpath.
func projectRoot() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(file, "/shared/report/stack.go")
}
