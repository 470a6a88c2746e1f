package report

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// classOf names an error by the type of the innermost one in its chain that says
// more than "an error": neither text alone, nor a wrapper, nor a bare errno.
func classOf(err error) string {
	if named := innermost(err); named != nil {
		return typeName(named)
	}
	if errors.Is(err, context.Canceled) {
		return "context.Canceled"
	}
	return "error"
}

func innermost(err error) error {
	for _, inner := range unwrap(err) {
		if named := innermost(inner); named != nil {
			return named
		}
	}
	if isGeneric(err) {
		return nil
	}
	return err
}

// isGeneric knows the types of errors that tell nothing by themselves.
func isGeneric(err error) bool {
	switch typeName(err) {
	case "errors.errorString", "errors.joinError", "fmt.wrapError", "fmt.wrapErrors", "os.SyscallError", "syscall.Errno":
		return true
	}
	return false
}

// typeName is the type's name without a star: net.OpError.
func typeName(err error) string {
	return strings.TrimLeft(reflect.TypeOf(err).String(), "*")
}

func unwrap(err error) []error {
	switch e := err.(type) { //nolint:errorlint // this is what unwraps
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return []error{inner}
		}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}

// chainOf lists the errors that err wraps, outermost first, each with its type. An
// error that wraps nothing is told by the message alone.
func chainOf(err error) []string {
	const most = 10
	var chain []string
	var walk func(error)
	walk = func(err error) {
		if len(chain) == most || err == nil {
			return
		}
		chain = append(chain, typeName(err)+": "+safeText(err))
		for _, inner := range unwrap(err) {
			walk(inner)
		}
	}
	walk(err)
	if len(chain) < 2 {
		return nil
	}
	return chain
}

// safeText is the text of a value whose Error or String method may panic, as that of
// a nil pointer in an error does: package fmt turns that into text.
func safeText(v any) string { return fmt.Sprint(v) }
