package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tandem-api/tandem/localhost/template"
)

// verdict is what a Lambda authorizer has answered. It may be kept for other requests
// of the same identity, to other routes too.
type verdict struct {
	simple    bool
	allowed   bool // of a simple one
	policy    []statement
	principal string
	context   json.RawMessage
	until     time.Time // how long it is kept
	edits     int64     // of the function, when it was asked
}

// statement is one of a policy ("api-gateway-lambda-authorizer-output").
type statement struct {
	Effect    string
	Action    oneOrMore
	Resource  oneOrMore
	Condition json.RawMessage
}

// oneOrMore is a text, or a list of texts.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

// readVerdict reads an answer. A simple one has isAuthorized, another a policy.
func readVerdict(answer []byte, simple bool, kind template.Kind) (*verdict, error) {
	var said struct {
		IsAuthorized   *bool
		PrincipalID    string `json:"principalId"`
		PolicyDocument *struct{ Statement json.RawMessage }
		Context        json.RawMessage
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return nil, fmt.Errorf("its answer is malformed: %w", err)
	}
	v := &verdict{simple: simple, principal: said.PrincipalID, context: said.Context}
	if string(v.context) == "null" {
		v.context = nil
	}
	var members map[string]json.RawMessage
	switch {
	case v.context != nil && json.Unmarshal(v.context, &members) != nil:
		return nil, errors.New("its context is no object")
	case simple && said.IsAuthorized == nil:
		return nil, errors.New("its answer has no isAuthorized, which EnableSimpleResponses asks for")
	case simple:
		v.allowed = *said.IsAuthorized
		return v, nil
	case said.PolicyDocument == nil:
		return nil, errors.New("its answer has no policyDocument")
	case kind == template.REST && said.PrincipalID == "":
		return nil, errors.New("its answer has no principalId")
	}
	text := said.PolicyDocument.Statement
	if len(text) > 0 && text[0] == '{' { // one alone need not be in a list
		text = append(append([]byte{'['}, text...), ']')
	}
	if err := json.Unmarshal(text, &v.policy); err != nil {
		return nil, fmt.Errorf("its policy is malformed: %w", err)
	}
	for _, s := range v.policy {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return nil, fmt.Errorf("its policy has the effect %q", s.Effect)
		}
		if len(s.Condition) > 0 {
			return nil, errors.New("its policy has a Condition, which is not evaluated here")
		}
	}
	return v, nil
}

// allows holds the request against the answer: what a policy denies is denied, whatever
// it allows.
func (v *verdict) allows(c *call, arn string) (refusal, bool) {
	if v.simple {
		return c.rules().denied, v.allowed
	}
	allowed := false
	for _, s := range v.policy {
		if !s.Action.match("execute-api:Invoke") || !s.Resource.match(arn) {
			continue
		}
		if s.Effect == "Deny" {
			return c.rules().denied, false
		}
		allowed = true
	}
	return c.rules().notNamed, allowed
}

// match says whether one of the patterns is of the text: * stands for anything, ? for a
// character. An action's case does not count.
func (o oneOrMore) match(text string) bool {
	for _, pattern := range o {
		expression := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		if !strings.HasPrefix(pattern, "arn:") {
			expression = "(?i)" + expression
		}
		if matched, err := regexp.MatchString("^(?s:"+expression+")$", text); err == nil && matched {
			return true
		}
	}
	return false
}

// said is what the function's event has under requestContext.authorizer.
func (v *verdict) said(version string) any {
	if version != "1.0" {
		return struct {
			Lambda json.RawMessage `json:"lambda"`
		}{v.context}
	}
	flat := map[string]any{}
	if v.context != nil {
		_ = json.Unmarshal(v.context, &flat) // it is an object: readVerdict has seen to that
	}
	for name, value := range flat { // which are texts there: of a REST API "api-gateway-lambda-authorizer-output", of an HTTP API (?)
		if _, isText := value.(string); !isText {
			text, _ := json.Marshal(value)
			flat[name] = string(text)
		}
	}
	flat["principalId"] = v.principal
	return flat
}
