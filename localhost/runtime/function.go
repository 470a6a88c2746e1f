package lambda

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"
)

// What Lambda takes where a template says nothing.
const (
	DefaultTimeout     = 3 * time.Second
	DefaultMemoryMB    = 128
	DefaultConcurrency = 10
	DefaultRegion      = "us-east-1"
	DefaultAccountID   = "123456789012"
	Version            = "$LATEST" // the only version that exists here
)

// Function is what Lambda is told of a function.
type Function struct {
	// Name is AWS_LAMBDA_FUNCTION_NAME, and the last part of the ARN.
	Name string
	// Command is the bootstrap, an absolute path, and its arguments. On Lambda there
	// are none; here they let a script be run by its interpreter.
	Command []string
	// TaskRoot is LAMBDA_TASK_ROOT and the working directory: by default the folder
	// that Command[0] is in.
	TaskRoot string
	// Handler is _HANDLER: "bootstrap" by default.
	Handler string
	// Timeout ends an event, and the process with it: 3 s by default, as on Lambda.
	Timeout time.Duration
	// MemoryMB is MemorySize in MiB, 128 by default: more ends the process.
	MemoryMB int
	// Env holds the variables of the template, and what else the function shall see
	// of this machine, such as REDIS_URL. Lambda's own variables win over them.
	Env map[string]string
	// Reserved is the reserved concurrency: that many events run at once, and one more
	// is throttled. Without it DefaultConcurrency limits, so that a mistake does not
	// fill the machine with processes.
	Reserved *int
	// Region and AccountID are parts of the ARN.
	Region, AccountID string
}

// ARN is what the function is called in the whole of AWS.
func (f Function) ARN() string {
	return "arn:aws:lambda:" + f.Region + ":" + f.AccountID + ":function:" + f.Name
}

// limit is how many events run at once.
func (f Function) limit() int {
	if f.Reserved != nil {
		return *f.Reserved
	}
	return DefaultConcurrency
}

// validName is what Lambda takes for a name ("API_CreateFunction", FunctionName).
var validName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)

// complete fills in what was left out. The error names everything that is wrong.
func (f Function) complete() (Function, error) {
	var wrong []error
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !validName.MatchString(f.Name) {
		fail("a name has letters, digits, - and _, at most 64 of them")
	}
	switch {
	case len(f.Command) == 0:
		fail("no command")
	case !filepath.IsAbs(f.Command[0]):
		fail("command %q is not an absolute path", f.Command[0])
	case f.TaskRoot == "":
		f.TaskRoot = filepath.Dir(f.Command[0])
	}
	if f.Timeout < 0 || f.Timeout > 900*time.Second {
		fail("time-out %v is not within 900 s", f.Timeout)
	}
	if f.MemoryMB < 0 {
		fail("memory of %d MB", f.MemoryMB)
	}
	if f.Reserved != nil && *f.Reserved < 0 {
		fail("reserved concurrency of %d", *f.Reserved)
	}
	f.Handler = orDefault(f.Handler, "bootstrap")
	f.Timeout = orDefault(f.Timeout, DefaultTimeout)
	f.MemoryMB = orDefault(f.MemoryMB, DefaultMemoryMB)
	f.Region = orDefault(f.Region, DefaultRegion)
	f.AccountID = orDefault(f.AccountID, DefaultAccountID)
	if err := errors.Join(wrong...); err != nil {
		return f, fmt.Errorf("function %q: %w", f.Name, err)
	}
	return f, nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
