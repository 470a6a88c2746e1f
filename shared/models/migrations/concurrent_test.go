package migrations_test

import (
	"context"
	"io"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models/migrations"
)

// The server and the workers start at the same time, and each brings the file of a new
// project up to date.
func TestUpInSeveralProcessesAtOnce(t *testing.T) {
	url := config.Secret("sqlite:" + filepath.Join(t.TempDir(), "new.db"))
	var (
		all   sync.WaitGroup
		start = make(chan struct{})
		mu    sync.Mutex
		times = map[int64]int{} // how often each migration was applied
	)
	for range 6 {
		all.Go(func() {
			app := function.New(config.Config{DatabaseURL: url}, io.Discard)
			defer app.Close(context.Background())
			db, err := database.Of(app)
			if err != nil {
				t.Error(err)
				return
			}
			<-start
			done, err := migrations.Up(t.Context(), db)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range done {
				times[m.Version]++
			}
		})
	}
	close(start)
	all.Wait()
	if len(times) == 0 {
		t.Error("nothing was applied")
	}
	for version, n := range times {
		if n != 1 {
			t.Errorf("migration %d was applied %d times", version, n)
		}
	}
}
