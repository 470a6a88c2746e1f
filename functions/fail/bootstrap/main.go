// Command bootstrap is the fail function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/fail"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(fail.Function) }
