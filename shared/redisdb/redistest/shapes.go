package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
)

// Sentinels are a master, its replica, and three sentinels that watch over them.
type Sentinels struct {
	URL             string // the REDIS_URL
	Master, Replica *Server
}

// StartSentinels runs them. A master that is gone is replaced after a second or two.
func StartSentinels(t testing.TB) *Sentinels {
	t.Helper()
	s := &Sentinels{Master: Start(t)}
	host, port, _ := net.SplitHostPort(s.Master.Addr)
	s.Replica = Start(t, "--replicaof", host+" "+port)
	apptest.Eventually(t, "the replica follows its master", func() bool {
		return strings.Contains(fmt.Sprint(s.Replica.Do("INFO", "replication")), "master_link_status:up")
	})
	var addrs []string
	var watchers []*Server
	for range 3 {
		w := startSentinel(t, host, port)
		watchers, addrs = append(watchers, w), append(addrs, w.Addr)
	}
	for _, w := range watchers {
		apptest.Eventually(t, "the sentinel knows the replica and the other sentinels", func() bool {
			info := fmt.Sprint(w.Do("INFO", "sentinel"))
			return strings.Contains(info, "slaves=1,sentinels=3")
		})
	}
	s.URL = "redis-sentinel://" + strings.Join(addrs, ",") + "/main"
	return s
}

// startSentinel runs a sentinel, which keeps what it knows in its configuration.
func startSentinel(t testing.TB, host, port string) *Server {
	t.Helper()
	s := newServer(t, loopback.Port(t))
	conf := filepath.Join(s.dir, "sentinel.conf")
	_, own, _ := net.SplitHostPort(s.Addr)
	text := fmt.Sprintf(`port %s
bind 127.0.0.1
dir %s
logfile log
sentinel monitor main %s %s 2
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 5000
`, own, s.dir, host, port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{s.args[0], conf, "--sentinel"}
	s.Restart()
	t.Cleanup(s.Kill)
	return s
}

// StartCluster runs a cluster of three masters, and returns its REDIS_URL.
func StartCluster(t testing.TB) (url string, masters []*Server) {
	t.Helper()
	const slots, n = 16384, 3
	var addrs []string
	for i := range n {
		m := Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
		m.Do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
		m.Do("CLUSTER", "ADDSLOTSRANGE", i*slots/n, (i+1)*slots/n-1)
		masters, addrs = append(masters, m), append(addrs, m.Addr)
	}
	for _, m := range masters[1:] {
		host, port, _ := net.SplitHostPort(m.Addr)
		masters[0].Do("CLUSTER", "MEET", host, port)
	}
	for _, m := range masters {
		apptest.Eventually(t, "the cluster is whole", func() bool {
			info := fmt.Sprint(m.Do("CLUSTER", "INFO"))
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	return "redis-cluster://" + strings.Join(addrs, ","), masters
}
