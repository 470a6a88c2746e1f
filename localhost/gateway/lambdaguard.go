package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tandem-api/tandem/localhost/fault"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
)

// lambdaGuard is a Lambda authorizer ("http-api-lambda-authorizer",
// "apigateway-use-lambda-authorizer").
type lambdaGuard struct {
	*template.Authorizer
	sources    []source
	validation *regexp.Regexp // of a token; nil: any
	invoke     lambda.Invoke
	edits      func(*template.Function) int64

	mu   sync.Mutex
	kept map[string]*verdict // by the identity
}

// maxKept bounds the results that are kept.
const maxKept = 10_000

func newLambdaGuard(o Options, a *template.Authorizer) (guard, error) {
	g := &lambdaGuard{Authorizer: a, kept: map[string]*verdict{}, edits: o.Edits}
	if g.edits == nil {
		g.edits = func(*template.Function) int64 { return 0 }
	}
	if o.Invoke != nil {
		g.invoke = o.Invoke(a.Function)
	}
	if g.invoke == nil {
		return nil, fmt.Errorf("its function %s cannot run here", a.Function.LogicalID)
	}
	for _, text := range a.Identity {
		one, err := sourceOf(text)
		if err != nil {
			return nil, err
		}
		g.sources = append(g.sources, one)
	}
	if a.Validation != "" {
		var err error
		if g.validation, err = regexp.Compile("^(?:" + a.Validation + ")$"); err != nil {
			return nil, fmt.Errorf("its ValidationExpression: %w", err)
		}
	}
	return g, nil
}

func (g *lambdaGuard) admit(c *call, r *http.Request) (refusal, bool) {
	identity := make([]string, len(g.sources))
	for i, find := range g.sources {
		if identity[i] = find(c, r); identity[i] == "" {
			return unauthorized, false
		}
	}
	if g.validation != nil && !g.validation.MatchString(identity[0]) {
		return unauthorized, false
	}
	v, err := g.verdict(c, r, identity)
	var broken *fault.Error
	switch {
	case errors.Is(err, errUnauthorized):
		return unauthorized, false
	case errors.As(err, &broken):
		return refusal{doesNotBuild, broken.Text}, false
	case err != nil:
		c.log(slog.LevelError, "the authorizer has no answer", slog.String("authorizer", g.Name), slog.Any("error", err))
		return c.rules().unsure, false
	}
	if refused, ok := v.allows(c, c.arn(g.Function)); !ok {
		return refused, false
	}
	c.authorized = v.said(c.route.PayloadVersion)
	return refusal{}, true
}

// verdict asks the function, or knows its answer from before.
func (g *lambdaGuard) verdict(c *call, r *http.Request, identity []string) (*verdict, error) {
	key, edits := strings.Join(identity, "\x00"), g.edits(g.Function)
	if g.TTL > 0 {
		g.mu.Lock()
		v := g.kept[key]
		g.mu.Unlock()
		if v != nil && v.edits == edits && c.arrived.Before(v.until) {
			return v, nil
		}
	}
	v, err := g.ask(c, r, identity)
	if err != nil || g.TTL == 0 {
		return v, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) >= maxKept {
		clear(g.kept)
	}
	v.until, v.edits = time.Now().Add(g.TTL), edits
	g.kept[key] = v
	return v, nil
}

// errUnauthorized is a function's way to say that nobody has logged in: the error
// "Unauthorized" (of REST APIs: "apigateway-use-lambda-authorizer"; of HTTP APIs (?)).
var errUnauthorized = errors.New("the authorizer says: Unauthorized")

// ask runs the function. A client that goes away does not end it.
func (g *lambdaGuard) ask(c *call, r *http.Request, identity []string) (*verdict, error) {
	event, err := asText(g.question(c, r, identity))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.request.Context()), authorizerWait)
	defer cancel()
	result, err := g.invoke(ctx, lambda.Invocation{Payload: event, TraceID: c.trace()})
	if err != nil {
		return nil, err
	}
	if err := result.Err(); err != nil {
		var said struct{ ErrorMessage string }
		if json.Unmarshal(result.Payload, &said) == nil && said.ErrorMessage == "Unauthorized" {
			return nil, errUnauthorized
		}
		return nil, err
	}
	return readVerdict(result.Payload, g.Simple, c.api.Kind)
}

// source finds a part of the identity in a request, "" where it is not there.
type source func(c *call, r *http.Request) string

func sourceOf(text string) (source, error) {
	if name, ok := strings.CutPrefix(text, "$request.header."); ok {
		return func(_ *call, r *http.Request) string { return strings.Join(r.Header.Values(name), ",") }, nil
	}
	if name, ok := strings.CutPrefix(text, "$request.querystring."); ok {
		return func(_ *call, r *http.Request) string { return strings.Join(query(r.URL.RawQuery)[name], ",") }, nil
	}
	if name, ok := strings.CutPrefix(text, "$context."); ok {
		if find := contextSources[name]; find != nil {
			return find, nil
		}
		return nil, fmt.Errorf("its identity source %s is not known here; of $context there are routeKey, path, httpMethod, stage, apiId, accountId, domainName and identity.sourceIp", text)
	}
	return nil, fmt.Errorf("its identity source %s is not known here", text)
}

// contextSources are what $context has of a request before it is authorized
// ("http-api-logging-variables"), and what identifies anything.
var contextSources = map[string]source{
	"routeKey":          func(c *call, _ *http.Request) string { return c.route.Key() },
	"path":              func(c *call, _ *http.Request) string { return c.request.URL.Path },
	"httpMethod":        func(_ *call, r *http.Request) string { return r.Method },
	"stage":             func(c *call, _ *http.Request) string { return c.api.Stage },
	"apiId":             func(*call, *http.Request) string { return template.APIID },
	"accountId":         func(*call, *http.Request) string { return template.AccountID },
	"domainName":        func(_ *call, r *http.Request) string { name, _ := domain(r.Host); return name },
	"identity.sourceIp": func(_ *call, r *http.Request) string { return clientIP(r) },
}
