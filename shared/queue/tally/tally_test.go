package tally_test

import (
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/queue/tally"
)

func client(t testing.TB) (*miniredis.Miniredis, redis.UniversalClient) {
	t.Helper()
	r := apptest.Redis(t)
	c := redis.NewClient(&redis.Options{Addr: r.Addr(), MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = c.Close() })
	return r, c
}

func TestTallyOfManyGoroutines(t *testing.T) {
	_, c := client(t)
	counts := tally.New()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				counts.Add("mail|x", "low", tally.Done, 20*time.Millisecond)
			}
			if err := counts.Flush(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, durations, err := tally.Read(t.Context(), c)
	if err != nil || len(got) != 1 || got[0] != (tally.Count{Kind: "mail_x", Queue: "low", Outcome: tally.Done, Runs: 800}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	d := durations["mail_x"]
	if d.Runs != 800 || d.Seconds != 16 || d.Within[0.01] != 0 || d.Within[0.025] != 800 || d.Within[900] != 800 {
		t.Errorf("got %+v", d)
	}
}

func TestWhatCouldNotBeAddedIsAddedLater(t *testing.T) {
	r, c := client(t)
	counts := tally.New()
	counts.Add("mail", "low", tally.Failed, time.Hour)
	// As a transaction is, all or nothing. An error that miniredis gives for each command
	// would be withdrawn between two of them.
	r.Close()
	if err := counts.Flush(t.Context(), c); err == nil {
		t.Fatal("no error")
	}
	if err := r.Restart(); err != nil {
		t.Fatal(err)
	}
	counts.Add("mail", "low", tally.Failed, time.Hour)
	if err := counts.Flush(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	got, durations, err := tally.Read(t.Context(), c)
	if err != nil || len(got) != 1 || got[0].Runs != 2 || durations["mail"].Runs != 2 || durations["mail"].Within[900] != 0 {
		t.Errorf("got %+v, %+v, %v", got, durations["mail"], err)
	}
}

func BenchmarkAdd(b *testing.B) {
	counts := tally.New()
	b.ReportAllocs()
	for b.Loop() {
		counts.Add("mail", "low", tally.Done, 20*time.Millisecond)
	}
}
