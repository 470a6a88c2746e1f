// Package loopback lends tests addresses of 127.0.0.1. The kernel gives a port that was
// closed to whoever comes next, often within a moment: a test that counts on a port where
// nobody listens keeps it here, or it talks to another test's server.
package loopback

import (
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// Port returns a TCP port that nobody listens on. For the length of the test only a
// program that asks for it by its number can have it. A port for the bus of Redis Cluster,
// 10000 higher, is a port too.
func Port(t testing.TB) int {
	t.Helper()
	for range 100 {
		port, release, err := Reserve(0)
		if err != nil {
			t.Fatal(err)
		}
		if port < 55000 {
			t.Cleanup(release)
			return port
		}
		release()
	}
	t.Fatal("no free port under 55000")
	return 0
}

// Hung returns the host:port of a server that takes connections and never says a word.
func Hung(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String() // the kernel accepts, and nobody reads
}

// Reserve keeps a port, or one of the kernel's choice for 0, until it is released:
// connections to it are refused, and only who asks for it by its number can listen there.
func Reserve(port int) (reserved int, release func(), err error) {
	syscall.ForkLock.RLock()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, nil, os.NewSyscallError("socket", err)
	}
	release = func() { _ = syscall.Close(socket) }
	// Bound and never listening. With SO_REUSEADDR it stands in nobody's way who sets it
	// too, as servers do, but the kernel chooses it for none.
	err = syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(socket, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		release()
		return 0, nil, os.NewSyscallError("bind to port "+strconv.Itoa(port), err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		release()
		return 0, nil, os.NewSyscallError("getsockname", err)
	}
	return name.(*syscall.SockaddrInet4).Port, release, nil
}
