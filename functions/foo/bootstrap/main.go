// Command bootstrap is the foo function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/foo"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(foo.Function) }
