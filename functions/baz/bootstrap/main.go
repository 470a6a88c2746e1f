// Command bootstrap is the baz function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/baz"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(baz.Function) }
