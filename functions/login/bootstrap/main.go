// Command bootstrap is the login function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/login"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(login.Function) }
