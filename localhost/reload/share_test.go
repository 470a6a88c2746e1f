//go:build unix

package reload

import (
	"net"
	"os/exec"
	"syscall"
	"testing"
)

// A process that is started with the socket leaves the listeners of the others as they
// are: one that blocks cannot be closed while it waits for a connection.
func TestASharedSocketDoesNotBlock(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := share(first)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	listener, err := net.FileListener(socket)
	if err != nil {
		t.Fatal(err)
	}
	accepting := make(chan error, 1)
	go func() {
		_, err := listener.Accept()
		accepting <- err
	}()
	next := exec.Command("true")
	next.ExtraFiles = append(next.ExtraFiles, socket)
	if err := next.Run(); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Control(func(fd uintptr) {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
		if errno != 0 || flags&syscall.O_NONBLOCK == 0 {
			t.Errorf("flags %#o, %v: it blocks now", flags, errno)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-accepting; err == nil {
		t.Error("a connection that nobody made")
	}
}
