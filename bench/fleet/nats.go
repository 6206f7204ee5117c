package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/i2sb-go/i2sb/bench/internal/child"
	"github.com/i2sb-go/i2sb/fleet"
)

// asNATS in the environment turns this program into a NATS server: its port
// and its folder.
const asNATS = "I2SB_BENCH_NATS"

func beNATS() {
	port, dir, ok := strings.Cut(os.Getenv(asNATS), ":")
	if !ok {
		return
	}
	n, _ := strconv.Atoi(port)
	_, stop, err := fleet.Embedded("127.0.0.1", n, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, `{"msg":"listening"}`)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	<-end
	stop()
	os.Exit(0)
}

// nats starts a server that keeps everything in the lab's folder; a later one
// goes on with it.
func (l *lab) nats(port int) (*child.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	os.Setenv(asNATS, fmt.Sprintf("%d:%s/%s", port, l.dir, l.store))
	defer os.Unsetenv(asNATS)
	return l.start("listening", self)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func connect(url string) (*nats.Conn, jetstream.JetStream, error) {
	c, err := nats.Connect(url)
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(c)
	if err != nil {
		c.Close()
	}
	return c, js, err
}
