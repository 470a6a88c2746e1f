package main

import (
	"github.com/tandem-api/tandem/functions/bar"
	"github.com/tandem-api/tandem/functions/baz"
	"github.com/tandem-api/tandem/functions/fail"
	"github.com/tandem-api/tandem/functions/foo"
	"github.com/tandem-api/tandem/functions/health"
	"github.com/tandem-api/tandem/functions/jobs"
	"github.com/tandem-api/tandem/functions/login"
	"github.com/tandem-api/tandem/functions/posts"
	"github.com/tandem-api/tandem/functions/users"
	"github.com/tandem-api/tandem/functions/work"
	"github.com/tandem-api/tandem/shared/function"
)

// functions lists every function of the project, in the order of their names. It is
// the one place in Go that does; which routes reach them stands in template.yaml.
func functions() []function.Function {
	return []function.Function{
		bar.Function,
		baz.Function,
		fail.Function,
		foo.Function,
		health.Function,
		jobs.Function,
		login.Function,
		posts.Function,
		users.Function,
		work.Function,
	}
}
