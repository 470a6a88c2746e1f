package loopback_test

import (
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest/loopback"
)

func at(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func TestAReservedPortIsHadByItsNumberAlone(t *testing.T) {
	port := loopback.Port(t)
	refused := func(when string) {
		t.Helper()
		if c, err := net.DialTimeout("tcp", at(port), time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v, %v; want it refused", when, c, err)
		}
	}
	refused("at first")
	// Without the reservation the kernel gives it to one of some thousands.
	for range 20_000 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Addr().String(); got == at(port) {
			t.Fatalf("another listener was given %s", got)
		}
		_ = l.Close()
	}
	for range 2 {
		l, err := net.Listen("tcp", at(port))
		if err != nil {
			t.Fatalf("who asks for it: %v", err)
		}
		c, err := net.DialTimeout("tcp", at(port), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		_ = l.Close()
		refused("once its server has gone")
	}
}

func TestATakenPortIsNotReserved(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, _, err := loopback.Reserve(l.Addr().(*net.TCPAddr).Port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

func TestHung(t *testing.T) {
	c, err := net.DialTimeout("tcp", loopback.Hung(t), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		t.Error(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it says something: %d, %v", n, err)
	}
}
