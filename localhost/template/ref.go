package template

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// Values of this machine's own for what a deployment would have.
const (
	AccountID = "123456789012"
	StackName = "local"
	APIID     = "local"
)

// pseudo returns a pseudo parameter's value here (CloudFormation, "Pseudo
// parameters").
func (r *resolver) pseudo(name string) (string, bool) {
	china := strings.HasPrefix(r.o.Region, "cn-")
	switch name {
	case "AWS::Region":
		return r.o.Region, true
	case "AWS::AccountId":
		return AccountID, true
	case "AWS::StackName":
		return StackName, true
	case "AWS::StackId":
		return "arn:" + r.partition() + ":cloudformation:" + r.o.Region + ":" + AccountID + ":stack/" + StackName + "/0", true
	case "AWS::Partition":
		return r.partition(), true
	case "AWS::URLSuffix":
		if china {
			return "amazonaws.com.cn", true
		}
		return "amazonaws.com", true
	}
	return "", false
}

func (r *resolver) partition() string {
	switch {
	case strings.HasPrefix(r.o.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(r.o.Region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// ref is Ref: a pseudo parameter, a parameter or a resource. A secret parameter
// (NoEcho, or from SSM) without a value on this machine is nil: the variable that
// it is for stays unset, and the function says what it makes of that.
func (r *resolver) ref(n, arg *yaml.Node) (*yaml.Node, error) {
	if arg == nil || arg.Kind != yaml.ScalarNode {
		return nil, r.at(n, "Ref takes the name of a parameter or a resource")
	}
	name := arg.Value
	switch name {
	case "AWS::NoValue":
		return nil, nil
	case "AWS::NotificationARNs":
		return list(n, nil), nil
	}
	if value, ok := r.pseudo(name); ok {
		return scalar(n, value), nil
	}
	if p := r.parameters[name]; p != nil {
		return r.parameterValue(n, p)
	}
	res := r.byID[name]
	switch {
	case res != nil && res.kind == "AWS::Serverless::Function":
		name, err := r.functionName(*res)
		return scalar(n, name), err
	case res != nil && (res.kind == "AWS::Serverless::HttpApi" || res.kind == "AWS::Serverless::Api"),
		name == implicitHTTPAPI, name == implicitRESTAPI:
		return scalar(n, APIID), nil
	case res != nil:
		return nil, r.at(n, "%s is a resource of type %s, whose name only a deployment knows: %s", name, res.kind, instead)
	}
	return nil, r.at(n, "there is no parameter or resource %q", name)
}

func (r *resolver) parameterValue(n *yaml.Node, p *parameter) (*yaml.Node, error) {
	switch {
	case p.secret() && p.value == "":
		return nil, nil
	case !p.set:
		return nil, r.at(n, "parameter %s has no Default: give it a value, by a flag, a variable %s of the environment, or parameter_overrides in samconfig.toml", p.name, p.name)
	case p.list():
		values := strings.Split(p.value, ",")
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
		return list(n, values), nil
	}
	return scalar(n, p.value), nil
}

// getAtt is Fn::GetAtt, of what exists on this machine: a function's ARN and an
// API's address.
func (r *resolver) getAtt(n, arg *yaml.Node) (*yaml.Node, error) {
	var path string
	switch {
	case arg != nil && arg.Kind == yaml.ScalarNode:
		path = arg.Value
	case arg != nil && arg.Kind == yaml.SequenceNode && len(arg.Content) == 2:
		id, err := r.needed(arg.Content[0])
		if err != nil {
			return nil, err
		}
		attribute, err := r.needed(arg.Content[1])
		if err != nil {
			return nil, err
		}
		path = id + "." + attribute
	default:
		return nil, r.at(n, "Fn::GetAtt takes a resource and an attribute: Resource.Attribute")
	}
	id, attribute, _ := strings.Cut(path, ".")
	res := r.byID[id]
	switch {
	case res == nil && id != implicitHTTPAPI && id != implicitRESTAPI:
		return nil, r.at(n, "there is no resource %q", id)
	case res == nil || res.kind == "AWS::Serverless::HttpApi" || res.kind == "AWS::Serverless::Api":
		switch attribute {
		case "ApiEndpoint":
			return scalar(n, r.o.Endpoint), nil
		case "ApiId", "RestApiId":
			return scalar(n, APIID), nil
		}
	case res.kind == "AWS::Serverless::Function" && attribute == "Arn":
		name, err := r.functionName(*res)
		return scalar(n, functionARN(r.partition(), r.o.Region, name)), err
	}
	return nil, r.at(n, "%s of %s is known only to a deployment: %s", attribute, id, instead)
}

func functionARN(partition, region, name string) string {
	return "arn:" + partition + ":lambda:" + region + ":" + AccountID + ":function:" + name
}
