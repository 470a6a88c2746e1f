package models_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
)

// The test binary runs itself as the writing processes, with these.
var (
	writerURL   = flag.String("writer.url", "", "write to this database, as one process of several")
	writerFirst = flag.Int("writer.first", 0, "the first writer's number")
	writerCount = flag.Int("writer.count", 0, "how many writers write at once")
)

const writesEach = 200

// TestWriterProcess is no test of its own: it writes for the one below.
func TestWriterProcess(t *testing.T) {
	if *writerURL == "" {
		t.Skip("a process of TestWritersOfThreeProcesses")
	}
	app := function.New(config.Config{DatabaseURL: config.Secret(*writerURL)}, io.Discard)
	defer func() { _ = app.Close(context.Background()) }()
	db, err := database.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range *writerCount {
		all.Go(func() {
			if err := keepWriting(t.Context(), db, *writerFirst+i); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// keepWriting creates rows, and in every other write reads a row first and then changes
// it, which is what a lock that comes too late would fail on.
func keepWriting(ctx context.Context, db *gorm.DB, writer int) error {
	for i := range writesEach / 2 {
		user := models.User{Name: fmt.Sprintf("writer %d, %d", writer, i)}
		if err := models.Users.Create(ctx, db, &user); err != nil {
			return err
		}
		err := database.Transaction(ctx, db, func(tx *gorm.DB) error {
			post, err := models.Posts.ForUpdate().FindOrFail(ctx, tx, 1)
			if err != nil {
				return err
			}
			return models.Posts.Update(ctx, tx, &post, models.Fields{"body": post.Body + "."})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// 50 writers in three processes, as the server and two workers are: no error of a lock,
// and nothing lost.
func TestWritersOfThreeProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		owner := models.User{Name: "owner"}
		if err := models.Users.Create(t.Context(), db, &owner); err != nil {
			t.Fatal(err)
		}
		if err := models.Posts.Create(t.Context(), db, &models.Post{AuthorID: owner.ID}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var all sync.WaitGroup
		first, writers := 0, 0
		for _, count := range []int{17, 17, 16} {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWriterProcess$", "-test.timeout=5m",
				"-writer.url="+url.Reveal(), fmt.Sprintf("-writer.first=%d", first), fmt.Sprintf("-writer.count=%d", count))
			all.Go(func() {
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("a process of writers: %v\n%s", err, out)
				}
			})
			first += count
			writers += count
		}
		all.Wait()
		t.Logf("%d writers, %d writes: %v", writers, writers*writesEach, time.Since(start).Round(time.Millisecond))
		if n, err := models.Users.Where("name__startswith", "writer ").Count(t.Context(), db); n != int64(writers*writesEach/2) || err != nil {
			t.Errorf("%d of %d rows are there, %v", n, writers*writesEach/2, err)
		}
		if post := stored(t, db, models.Posts, 1); len(post.Body) != writers*writesEach/2 {
			t.Errorf("%d of %d changes are there", len(post.Body), writers*writesEach/2)
		}
	})
}
