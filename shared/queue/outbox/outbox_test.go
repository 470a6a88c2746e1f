package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/queue/outbox"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/workers"
)

// each runs the test on each database, with an app on it.
func each(t *testing.T, test func(t *testing.T, app *apptest.App, db *gorm.DB)) {
	t.Helper()
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		app := apptest.New(t, func(c *config.Config) { c.DatabaseURL = url })
		db, err := database.Of(app.App)
		if err != nil {
			t.Fatal(err)
		}
		test(t, app, db)
	})
}

// write writes a user and a job in one transaction.
func write(t *testing.T, db *gorm.DB, fail error, opts ...queue.Option) (id string, err error) {
	t.Helper()
	ctx := function.WithRequest(t.Context(), "r1", "t1")
	err = database.Transaction(ctx, db, func(tx *gorm.DB) error {
		if err := models.Users.Create(ctx, tx, &models.User{Name: "Ann"}); err != nil {
			return err
		}
		if id, err = workers.EnqueueTx(ctx, tx, workers.SlowJob, workers.SlowArgs{Seconds: 0}, opts...); err != nil {
			return err
		}
		return fail
	})
	return id, err
}

func find(t *testing.T, app *apptest.App, id string) inspect.Job {
	t.Helper()
	i, err := inspect.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	j, err := i.Find(t.Context(), id)
	if err != nil && !errors.Is(err, inspect.ErrNotFound) {
		t.Fatal(err)
	}
	return j
}

func waiting(t *testing.T, db *gorm.DB) int64 {
	t.Helper()
	n, err := models.OutboxJobs.Count(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestJobComesWithItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, app *apptest.App, db *gorm.DB) {
		id, err := write(t, db, nil, queue.To(queue.Low), queue.By("ann"))
		if err != nil || waiting(t, db) != 1 || find(t, app, id).ID != "" {
			t.Fatalf("before the relay: %d wait, %v", waiting(t, db), err)
		}
		if err := outbox.All(t.Context(), app.App); err != nil {
			t.Fatal(err)
		}
		j := find(t, app, id)
		if j.State != "pending" || j.Queue != "low" || j.TraceID != "t1" || j.By != "ann" || string(j.Args) != `{"seconds":0}` || waiting(t, db) != 0 {
			t.Errorf("afterwards: %+v, %d wait", j, waiting(t, db))
		}
	})
}

func TestJobGoesWithItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, app *apptest.App, db *gorm.DB) {
		id, err := write(t, db, errors.New("no"))
		if err == nil || waiting(t, db) != 0 {
			t.Errorf("%v, %d wait", err, waiting(t, db))
		}
		if err := outbox.All(t.Context(), app.App); err != nil || find(t, app, id).ID != "" {
			t.Errorf("%v; the job is there", err)
		}
		if n, _ := models.Users.Count(t.Context(), db); n != 0 {
			t.Errorf("%d users", n)
		}
	})
}

// A relay that dies between the two steps leaves a row whose job is in its queue.
func TestRowWhoseJobIsThere(t *testing.T) {
	each(t, func(t *testing.T, app *apptest.App, db *gorm.DB) {
		id, err := write(t, db, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := models.NextOutboxJobs(t.Context(), db, 10)
		if err != nil || len(rows) != 1 || rows[0].JobID != id {
			t.Fatalf("%+v, %v", rows, err)
		}
		if _, err := queue.EnqueuePrepared(t.Context(), app.App, []byte(rows[0].Message)); err != nil {
			t.Fatal(err)
		}
		// It is even done by the time that another relay comes.
		if err := worker.Run(t.Context(), app.App, workers.All(), worker.Options{Burst: true, Outbox: true}); err != nil {
			t.Fatal(err)
		}
		if err := outbox.All(t.Context(), app.App); err != nil || waiting(t, db) != 0 {
			t.Errorf("%v, %d wait", err, waiting(t, db))
		}
		if j := find(t, app, id); j.State != "completed" || j.Attempts != 1 {
			t.Errorf("got %+v", j)
		}
	})
}

func TestRedisIsAwayForAWhile(t *testing.T) {
	each(t, func(t *testing.T, app *apptest.App, db *gorm.DB) {
		id, err := write(t, db, nil)
		if err != nil {
			t.Fatal(err)
		}
		app.Redis.SetError("LOADING")
		if err := outbox.All(t.Context(), app.App); err == nil || waiting(t, db) != 1 {
			t.Errorf("%v, %d wait", err, waiting(t, db))
		}
		app.Redis.SetError("")
		if err := outbox.All(t.Context(), app.App); err != nil || waiting(t, db) != 0 || find(t, app, id).State != "pending" {
			t.Errorf("%v, %d wait", err, waiting(t, db))
		}
	})
}

func TestRowThatIsUnfitIsSetAside(t *testing.T) {
	each(t, func(t *testing.T, app *apptest.App, db *gorm.DB) {
		if err := models.OutboxJobs.Create(t.Context(), db, &models.OutboxJob{JobID: "x", Message: "{"}); err != nil {
			t.Fatal(err)
		}
		id, err := write(t, db, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := outbox.All(t.Context(), app.App); err != nil {
				t.Fatal(err)
			}
		}
		var left models.OutboxJob
		if err := db.Find(&left).Error; err != nil || left.JobID != "x" || left.Error == "" || waiting(t, db) != 1 {
			t.Errorf("%+v, %v", left, err)
		}
		if n := len(app.Reports()); n != 1 {
			t.Errorf("%d reports", n)
		}
		if j := find(t, app, id); j.State != "pending" {
			t.Errorf("the one behind it: %+v", j)
		}
	})
}

func TestWorkerRelays(t *testing.T) {
	each(t, func(t *testing.T, app *apptest.App, db *gorm.DB) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- worker.Run(ctx, app.App, workers.All(), worker.Options{Outbox: true}) }()
		defer func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		id, err := write(t, db, nil, queue.In(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		apptest.Eventually(t, "the job is done", func() bool { return find(t, app, id).State == "completed" })
	})
}

func TestManyJobs(t *testing.T) {
	each(t, func(t *testing.T, app *apptest.App, db *gorm.DB) {
		const jobs = 250
		err := database.Transaction(t.Context(), db, func(tx *gorm.DB) error {
			for range jobs {
				if _, err := workers.EnqueueTx(t.Context(), tx, workers.SlowJob, workers.SlowArgs{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := outbox.All(t.Context(), app.App); err != nil || waiting(t, db) != 0 {
			t.Errorf("%v, %d wait", err, waiting(t, db))
		}
		i, err := inspect.Of(app.App)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := i.Stats(t.Context()); err != nil || s.Queues[0].Pending != jobs {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestEnqueueTxSaysWhatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, _ *apptest.App, db *gorm.DB) {
		if _, err := workers.EnqueueTx(t.Context(), db, workers.SlowJob, workers.SlowArgs{}, queue.To("lost")); err == nil {
			t.Error("an unknown queue is taken")
		}
		if err := db.Migrator().DropTable("outbox_jobs"); err != nil {
			t.Fatal(err)
		}
		if _, err := workers.EnqueueTx(t.Context(), db, workers.SlowJob, workers.SlowArgs{}); err == nil {
			t.Error("a job without its table is taken")
		}
	})
}
