// Command bootstrap is the users function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/users"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(users.Function) }
