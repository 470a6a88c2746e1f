// Command bootstrap is the work function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/work"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(work.Function) }
