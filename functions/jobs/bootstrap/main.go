// Command bootstrap is the jobs function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/jobs"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(jobs.Function) }
