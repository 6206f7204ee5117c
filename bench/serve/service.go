package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/i2sb-go/i2sb/bench/internal/child"
)

// service is the command's service in a process of its own.
type service struct {
	*child.Process
	url    string
	tokens []string // of as many clients
	client *http.Client
}

// start serves the pack on a free port.
func (l *lab) start(args ...string) (*service, error) {
	s := &service{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	var list strings.Builder
	for i := range 8 {
		var b [16]byte
		_, _ = rand.Read(b[:])
		s.tokens = append(s.tokens, hex.EncodeToString(b[:]))
		fmt.Fprintf(&list, "client-%d %s\n", i, s.tokens[i])
	}
	tokens := filepath.Join(l.dir, "tokens")
	if err := os.WriteFile(tokens, []byte(list.String()), 0o600); err != nil {
		return nil, err
	}
	p, line, err := child.Start("serving", l.program, append([]string{"serve", "--addr", "127.0.0.1:0", "--pack", l.file, "--tokens", tokens, "--device", "cpu"}, args...)...)
	if err != nil {
		return nil, err
	}
	s.Process, s.url = p, "http://"+line["address"].(string)
	return s, nil
}

// end asks the service to end, which must succeed in time.
func (s *service) end() error {
	s.client.CloseIdleConnections()
	if err := s.Stop(40 * time.Second); err != nil {
		return fmt.Errorf("the service ends with %w\n%s", err, s.Said())
	}
	return nil
}

// metric reads the sum of a metric's values.
func (s *service) metric(ctx context.Context, name string) (sum float64, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+s.tokens[0])
	a, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 && (f[0] == name || strings.HasPrefix(f[0], name+"{")) {
			v, _ := strconv.ParseFloat(f[1], 64)
			sum += v
		}
	}
	return sum, err
}
