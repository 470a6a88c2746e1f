// Command bootstrap is the bar function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/bar"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(bar.Function) }
