package redisdb

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/redis/go-redis/v9"
)

// Of all processes, one leads: the one that holds a lock in Redis, which it renews. A
// leader that dies is followed by another within leadTTL and leadEvery, 20 s; one that
// ends in good order, within leadEvery.
//
// A leader that hangs may find out late that it leads no more. What it does must be
// harmless when done twice.
const (
	leadTTL   = 15 * time.Second
	leadEvery = 5 * time.Second // how often it renews the lock, and the others ask for it
)

// Lead calls do whenever this process leads, again and again until the context ends.
// The context of do ends when the process leads no more.
func Lead(ctx context.Context, c redis.UniversalClient, name string, do func(ctx context.Context)) {
	for {
		_, _ = LeadOnce(ctx, c, name, func(ctx context.Context) error {
			do(ctx)
			return nil
		})
		select {
		case <-time.After(leadEvery):
		case <-ctx.Done():
			return
		}
	}
}

// LeadOnce calls do if no other process leads, and reports whether it did.
func LeadOnce(ctx context.Context, c redis.UniversalClient, name string, do func(ctx context.Context) error) (led bool, err error) {
	l := lock{c, name, rand.Text()}
	if !l.take(ctx) {
		return false, nil
	}
	defer l.drop()
	ctx, cancel := context.WithCancel(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		defer cancel()
		l.keep(ctx)
	}()
	err = do(ctx)
	cancel()
	<-renewed
	return true, err
}

// lock is a key that holds the token of the process that leads.
type lock struct {
	client redis.UniversalClient
	key    string
	token  string
}

func (l lock) take(ctx context.Context) bool {
	ok, err := l.client.SetNX(ctx, l.key, l.token, leadTTL).Result()
	return ok && err == nil
}

// keep renews the lock until it is lost or the context ends. One renewal that fails is
// no loss yet.
func (l lock) keep(ctx context.Context) {
	tick := time.NewTicker(leadEvery)
	defer tick.Stop()
	for failed := 0; failed < 2; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		ok, err := renew.Run(ctx, l.client, []string{l.key}, l.token, leadTTL.Milliseconds()).Bool()
		switch {
		case err != nil:
			failed++
		case !ok:
			return
		default:
			failed = 0
		}
	}
}

// drop lets another process lead at once.
func (l lock) drop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = drop.Run(ctx, l.client, []string{l.key}, l.token).Err() // it lapses otherwise
}

var renew = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("PEXPIRE", KEYS[1], ARGV[2])`)

var drop = redis.NewScript(`
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])`)
