// Command bootstrap is the probe as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/localhost/fidelity/probe"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(probe.Function) }
