// Command bootstrap is the health function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/health"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(health.Function) }
