// Command bootstrap is the posts function as AWS Lambda runs it.
package main

import (
	"github.com/tandem-api/tandem/functions/posts"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func main() { lambdahttp.Start(posts.Function) }
