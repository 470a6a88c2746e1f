package workers_test

import (
	"testing"

	"github.com/tandem-api/tandem/shared/workers"
)

func TestJobsAreDeclaredWell(t *testing.T) {
	kinds := map[string]bool{}
	for _, job := range workers.All() {
		d, err := job.Definition()
		if err != nil {
			t.Error(err)
		}
		if kinds[d.Kind] {
			t.Errorf("two jobs have the kind %q", d.Kind)
		}
		kinds[d.Kind] = true
	}
}
