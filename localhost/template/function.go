package template

import (
	"path"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Function is an AWS::Serverless::Function.
type Function struct {
	LogicalID string // FooFunction
	Name      string // FunctionName, else the logical id
	// CodeURI is where its code is, as the template says it: functions/foo/bootstrap.
	// It is empty for an image, inline code or code in S3.
	CodeURI string
	// Folder is the name of the folder under functions/ that it is: the last part
	// of CodeURI that is not "bootstrap".
	Folder     string
	Handler    string
	Runtime    string
	Timeout    time.Duration // 3 s unless set
	MemorySize int           // MB, 128 unless set
	Reserved   *int          // ReservedConcurrentExecutions; nil: no limit of its own
	// Retries are how often an asynchronous event that has failed is tried again:
	// EventInvokeConfig.MaximumRetryAttempts, 2 unless set.
	Retries  int
	Events   []Event
	Position Position

	variables *yaml.Node // Environment.Variables, not resolved yet
	resolver  *resolver
}

// Event is an entry of a function's Events.
type Event struct {
	Name     string
	Type     string    // HttpApi, Api, Schedule, ScheduleV2, SQS, …
	Schedule *Schedule // for the types Schedule and ScheduleV2
	Position Position

	properties *yaml.Node
}

// ARN returns the function's name as AWS would write it, with this machine's
// account.
func (f *Function) ARN() string {
	return functionARN(f.resolver.partition(), f.resolver.o.Region, f.Name)
}

// Limits of Lambda ("gettingstarted-limits") and the defaults of
// AWS::Serverless::Function.
const (
	defaultTimeout = 3
	maxTimeout     = 900
	defaultMemory  = 128
	maxMemory      = 10240
	maxRetries     = 2
)

func (r *resolver) function(res resource) *Function {
	p := r.properties(res, "Function")
	f := &Function{LogicalID: res.id, Position: r.position(res.key), resolver: r}
	name, err := r.functionName(res)
	r.fail(err)
	f.Name = name
	f.CodeURI = r.codeURI(p)
	f.Folder = folder(f.CodeURI)
	f.Handler = r.optional(p, "Handler")
	f.Runtime = r.optional(p, "Runtime")
	f.Timeout = time.Duration(r.number(p, "Timeout", defaultTimeout, 1, maxTimeout)) * time.Second
	f.MemorySize = r.number(p, "MemorySize", defaultMemory, defaultMemory, maxMemory)
	if n := r.number(p, "ReservedConcurrentExecutions", -1, 0, 1<<30); n >= 0 {
		f.Reserved = &n
	}
	f.Retries = r.number(r.mapping(p, "EventInvokeConfig"), "MaximumRetryAttempts", maxRetries, 0, maxRetries)
	environment, err := r.resolve(field(p, "Environment"))
	r.fail(err)
	f.variables = field(environment, "Variables")
	f.Events = r.events(f, r.mapping(p, "Events"))
	return f
}

// maxName is the longest name that Lambda gives a function.
const maxName = 64

func (r *resolver) functionName(res resource) (string, error) {
	n := field(field(res.value, "Properties"), "FunctionName")
	name, ok, err := r.text(n)
	switch {
	case err != nil:
		return res.id, err
	case !ok:
		return res.id, nil
	case len(name) > maxName:
		return res.id, r.at(n, "a function's name has at most %d characters", maxName)
	}
	return name, nil
}

// codeURI is empty for a function whose code is not a folder: in S3 (a mapping, or
// s3://…), an image, or in the template.
func (r *resolver) codeURI(p *yaml.Node) string {
	n, err := r.resolve(field(p, "CodeUri"))
	r.fail(err)
	if n == nil || n.Kind != yaml.ScalarNode || strings.HasPrefix(n.Value, "s3://") {
		return ""
	}
	return n.Value
}

func folder(codeURI string) string {
	if codeURI == "" {
		return ""
	}
	dir := path.Clean(strings.ReplaceAll(codeURI, `\`, "/"))
	if path.Base(dir) == "bootstrap" {
		dir = path.Dir(dir)
	}
	if base := path.Base(dir); base != "." && base != "/" && base != ".." {
		return base
	}
	return ""
}

func (r *resolver) events(f *Function, n *yaml.Node) []Event {
	var all []Event
	for _, p := range pairs(n) {
		// An event may be there under a condition only: !If [Condition, {…}, !Ref AWS::NoValue].
		value, err := r.resolve(p.value)
		r.fail(err)
		if value == nil {
			continue
		}
		e := Event{Name: p.name, Type: r.optional(value, "Type"), Position: r.position(p.key)}
		if e.Type == "" {
			r.fail(r.at(p.key, "event %s of %s has no Type", p.name, f.LogicalID))
			continue
		}
		e.properties, err = r.resolve(field(value, "Properties"))
		r.fail(err)
		if e.Type == "Schedule" || e.Type == "ScheduleV2" {
			e.Schedule = r.schedule(f, e)
		}
		all = append(all, e)
	}
	return all
}
