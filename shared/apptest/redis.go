package apptest

import (
	"strconv"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/tandem-api/tandem/shared/apptest/loopback"
)

// Down takes a Redis away: connections to it are refused, until the returned function
// brings it back with all that it held. Close alone would leave its port to the next
// server that asks for one, another test's Redis for example.
func Down(t testing.TB, m *miniredis.Miniredis) (up func()) {
	t.Helper()
	port, err := strconv.Atoi(m.Port())
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	_, release, err := loopback.Reserve(port)
	if err != nil {
		t.Fatalf("keep the port of a Redis that is down: %v", err)
	}
	t.Cleanup(release)
	return func() {
		t.Helper()
		if err := m.Restart(); err != nil {
			t.Fatal(err)
		}
	}
}
