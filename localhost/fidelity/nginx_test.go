package fidelity_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
)

// nginxConf hands everything on as it came: what nginx does of its own accord would be
// nginx' answer, not that of the server behind it.
const nginxConf = `
worker_processes 1;
error_log stderr error;
pid %[1]s/pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/f;
  uwsgi_temp_path %[1]s/u;
  scgi_temp_path %[1]s/s;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  large_client_header_buffers 4 64k;
  underscores_in_headers on;
  ignore_invalid_headers off;
  merge_slashes off;
  server {
    listen unix:%[1]s/socket;
    location / {
      proxy_pass http://%[2]s;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header Expect $http_expect;
    }
  }
}
`

// serveNginx puts nginx in front of an API in this process.
func serveNginx(t *testing.T, api string) string {
	dir, err := os.MkdirTemp("", "nginx-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, serveInProcess(t, api)), 0o600); err != nil {
		t.Fatal(err)
	}
	global := "daemon off;"
	if os.Geteuid() == 0 {
		global += " user root;" // who can reach the folder
	}
	nginx := exec.Command("nginx", "-p", dir, "-c", conf, "-g", global)
	nginx.Stderr = os.Stderr
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = nginx.Process.Signal(syscall.SIGTERM)
		_ = nginx.Wait()
	})
	socket := filepath.Join(dir, "socket")
	apptest.Eventually(t, "nginx listens", func() bool {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
	return socket
}
