package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
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
func StartSentinels(t testing.TB, secured *Secured) *Sentinels {
	t.Helper()
	s := &Sentinels{Master: start(t, secured)}
	host, port, _ := net.SplitHostPort(s.Master.Addr)
	s.Replica = start(t, secured, "--replicaof", host+" "+port)
	apptest.Eventually(t, "the replica follows its master", func() bool {
		return strings.Contains(fmt.Sprint(s.Replica.Do("INFO", "replication")), "master_link_status:up")
	})
	var addrs []string
	var watchers []*Server
	for range 3 {
		w := startSentinel(t, secured, host, port)
		watchers, addrs = append(watchers, w), append(addrs, w.Addr)
	}
	for _, w := range watchers {
		apptest.Eventually(t, "the sentinel knows the replica and the other sentinels", func() bool {
			info := fmt.Sprint(w.Do("INFO", "sentinel"))
			return strings.Contains(info, "slaves=1,sentinels=3")
		})
	}
	s.URL = secured.url("-sentinel", "/main", addrs...)
	return s
}

// startSentinel runs a sentinel, which keeps what it knows in its configuration.
func startSentinel(t testing.TB, secured *Secured, host, port string) *Server {
	t.Helper()
	own := loopback.Port(t)
	s := newServer(t, own, secured)
	conf := filepath.Join(s.dir, "sentinel.conf")
	var text strings.Builder
	fmt.Fprintf(&text, `bind 127.0.0.1
dir %s
logfile log
sentinel monitor main %s %s 2
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 5000
`, s.dir, host, port)
	for _, setting := range secured.on(own) {
		fmt.Fprintf(&text, "%s %q\n", setting[0], setting[1])
	}
	if secured != nil {
		fmt.Fprintf(&text, "sentinel auth-pass main %q\n", secured.password)
	}
	if err := os.WriteFile(conf, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{s.args[0], conf, "--sentinel"}
	s.Restart()
	t.Cleanup(s.Kill)
	return s
}

// Cluster is a cluster of three masters.
type Cluster struct {
	URL     string // the REDIS_URL
	Masters []*Server
	secured *Secured
}

const slots = 16384

// StartCluster runs one.
func StartCluster(t testing.TB, secured *Secured) *Cluster {
	t.Helper()
	const n = 3
	c := &Cluster{secured: secured}
	var addrs []string
	for i := range n {
		m := c.startNode(t)
		m.Do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
		m.Do("CLUSTER", "ADDSLOTSRANGE", i*slots/n, (i+1)*slots/n-1)
		c.Masters, addrs = append(c.Masters, m), append(addrs, m.Addr)
	}
	for _, m := range c.Masters[1:] {
		m.meet(c.Masters[0])
	}
	c.wait(t, "the cluster is whole", "cluster_state:ok", "cluster_known_nodes:3")
	c.URL = secured.url("-cluster", "", addrs...)
	return c
}

func (c *Cluster) startNode(t testing.TB) *Server {
	t.Helper()
	args := []string{"--cluster-enabled", "yes", "--cluster-node-timeout", "2000"}
	if c.secured != nil {
		args = append(args, "--tls-cluster", "yes")
	}
	return start(t, c.secured, args...)
}

func (s *Server) meet(other *Server) {
	s.t.Helper()
	host, port, _ := net.SplitHostPort(other.Addr)
	s.Do("CLUSTER", "MEET", host, port)
}

// wait waits until all masters say all of that of their cluster.
func (c *Cluster) wait(t testing.TB, what string, says ...string) {
	t.Helper()
	for _, m := range c.Masters {
		apptest.Eventually(t, what, func() bool {
			info := fmt.Sprint(m.Do("CLUSTER", "INFO"))
			return !slices.ContainsFunc(says, func(s string) bool { return !strings.Contains(info, s) })
		})
	}
}

// MasterOf returns the master of a key.
func (c *Cluster) MasterOf(key string) *Server {
	slot := c.Masters[0].Do("CLUSTER", "KEYSLOT", key).(int64)
	return c.Masters[int(slot)*len(c.Masters)/slots]
}

// AddReplica runs a replica of a master, which takes its place some seconds after it has
// gone.
func (c *Cluster) AddReplica(t testing.TB, of *Server) *Server {
	t.Helper()
	r := c.startNode(t)
	r.meet(of)
	c.wait(t, "the masters know the replica", "cluster_known_nodes:4")
	id := fmt.Sprint(of.Do("CLUSTER", "MYID"))
	apptest.Eventually(t, "the replica knows its master", func() bool {
		return strings.Contains(fmt.Sprint(r.Do("CLUSTER", "NODES")), id)
	})
	r.Do("CLUSTER", "REPLICATE", id)
	apptest.Eventually(t, "the replica follows its master", func() bool {
		return strings.Contains(fmt.Sprint(r.Do("INFO", "replication")), "master_link_status:up")
	})
	apptest.Eventually(t, "the masters know whose replica it is", func() bool {
		return !slices.ContainsFunc(c.Masters, func(m *Server) bool {
			return !strings.Contains(fmt.Sprint(m.Do("CLUSTER", "NODES")), "slave "+id)
		})
	})
	return r
}
