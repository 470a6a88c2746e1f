package apptest

import (
	"net"
	"strconv"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/tandem-api/tandem/shared/apptest/loopback"
)

// Redis runs a Redis in this process for the length of the test. Close takes it away and
// Restart brings it back with all that it held. Its port is kept for it meanwhile:
// miniredis.RunT leaves a closed one to the next server that asks for any, which may be
// the Redis of another test.
func Redis(t testing.TB) *miniredis.Miniredis {
	t.Helper()
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr(net.JoinHostPort("127.0.0.1", strconv.Itoa(loopback.Port(t)))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}
