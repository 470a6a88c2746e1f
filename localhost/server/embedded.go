package server

import (
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/tandem-api/tandem/shared/config"
)

// embeddedRedis is a Redis inside this process, for a machine that has none.
type embeddedRedis struct {
	server *miniredis.Miniredis
	stop   chan struct{}
}

// startEmbeddedRedis listens on a free port of the loopback interface.
func startEmbeddedRedis() (*embeddedRedis, error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	e := &embeddedRedis{server: server, stop: make(chan struct{})}
	go e.tick()
	return e, nil
}

// tick moves the clock: miniredis leaves time to stand still, and with it every
// expiry.
func (e *embeddedRedis) tick() {
	const step = time.Second
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			e.server.FastForward(step)
		case <-e.stop:
			return
		}
	}
}

func (e *embeddedRedis) url() config.Secret {
	return config.Secret("redis://" + e.server.Addr() + "/0")
}

func (e *embeddedRedis) close() {
	close(e.stop)
	e.server.Close()
}
