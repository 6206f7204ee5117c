package fleet

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Embedded starts a NATS server with JetStream in this process, for one
// machine: it listens on addr (host and port) and keeps everything in a
// folder, which a later one goes on with.
func Embedded(host string, port int, dir string) (url string, stop func(), err error) {
	s, err := server.NewServer(&server.Options{ServerName: "i2sb", Host: host, Port: port, JetStream: true, StoreDir: dir,
		NoSigs: true, NoLog: true, MaxPayload: 1 << 20, SyncInterval: time.Second})
	if err != nil {
		return "", nil, fmt.Errorf("embedded NATS: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return "", nil, errors.New("embedded NATS: it does not start; is its address free, and its folder not another's?")
	}
	return s.ClientURL(), func() {
		s.Shutdown()
		s.WaitForShutdown()
	}, nil
}
