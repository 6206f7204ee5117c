package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

// attack is what hostile clients do until the context ends. An error says that
// the service did not defend itself as it should.
type attack struct {
	name string
	run  func(ctx context.Context, s *service) error
}

func attacks(connections int) []attack {
	return []attack{
		{"slow-send", slowSend},
		{"slow-header", slowHeader},
		{"slow-read", slowRead},
		{"huge-header", hugeHeader},
		{"bomb", bombs},
		{"wrong-length", wrongLengths},
		{"idle", func(ctx context.Context, s *service) error { return idle(ctx, s, connections) }},
	}
}

// bomb is a PNG of a kilobyte that claims 60000×60000 pixels.
func bomb() []byte {
	chunk := func(b []byte, kind string, body []byte) []byte {
		b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
		body = append([]byte(kind), body...)
		return binary.BigEndian.AppendUint32(append(b, body...), crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 60000), 60000)
	b := chunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", append(head, 8, 2, 0, 0, 0))
	return chunk(b, "IDAT", make([]byte, 1024-len(b)-12))
}

func (s *service) dial() (net.Conn, error) {
	return net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), 10*time.Second)
}

func (s *service) head(query string, length int) string {
	return fmt.Sprintf("POST /v1/restore?%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", query, s.tokens[len(s.tokens)-1], length)
}

// many runs n hostile clients side by side, again and again.
func many(ctx context.Context, n int, one func(ctx context.Context) error) error {
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() {
			for ctx.Err() == nil && errs[i] == nil {
				errs[i] = one(ctx)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// drip writes a text and then a byte at a time, until the other side or the
// context ends it.
func drip(ctx context.Context, s *service, begin string, b byte) error {
	c, err := s.dial()
	if err != nil {
		return nil // the service may refuse
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	_, _ = io.WriteString(c, begin)
	for range time.Tick(100 * time.Millisecond) {
		if _, err := c.Write([]byte{b}); err != nil {
			return nil
		}
	}
	return nil
}

func slowSend(ctx context.Context, s *service) error {
	return many(ctx, 200, func(ctx context.Context) error { return drip(ctx, s, s.head("", 1<<20), 'x') })
}

func slowHeader(ctx context.Context, s *service) error {
	return many(ctx, 200, func(ctx context.Context) error {
		return drip(ctx, s, "POST /v1/restore HTTP/1.1\r\nHost: x\r\nX: ", 'x')
	})
}

// slowRead asks for more than the buffers between the two can hold, and reads
// nothing.
func slowRead(ctx context.Context, s *service) error {
	photo := keepertest.PNG(48, 48, 0)
	restore := append([]byte(s.head("steps=1&format=bmp", len(photo))), photo...)
	describe := bytes.Repeat([]byte("GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n"), 2000)
	var n atomic.Int64
	return many(ctx, 50, func(ctx context.Context) error {
		c, err := s.dial()
		if err != nil {
			return nil
		}
		defer c.Close()
		defer context.AfterFunc(ctx, func() { c.Close() })()
		_ = c.(*net.TCPConn).SetReadBuffer(2048)
		text := restore
		if n.Add(1)%2 == 0 {
			text = describe
		}
		_, _ = c.Write(text)
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
		}
		return nil
	})
}

// status writes a request and reads the status of its answer; 0 when the
// connection was closed instead.
func (s *service) status(text []byte, closeWrite bool) (int, error) {
	c, err := s.dial()
	if err != nil {
		return 0, nil
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	go func() {
		_, _ = c.Write(text)
		if closeWrite {
			_ = c.(*net.TCPConn).CloseWrite()
		}
	}()
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return 0, errors.New("the service holds a connection and says nothing")
	}
	if err != nil {
		return 0, nil
	}
	a.Body.Close()
	return a.StatusCode, nil
}

func hugeHeader(ctx context.Context, s *service) error {
	text := []byte("GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 4<<20) + "\r\n\r\n")
	return many(ctx, 20, func(context.Context) error {
		code, err := s.status(text, false)
		if err == nil && code != 0 && code != http.StatusRequestHeaderFieldsTooLarge {
			err = fmt.Errorf("a header of 4 MiB: %d", code)
		}
		return err
	})
}

func bombs(ctx context.Context, s *service) error {
	b := bomb()
	text := append([]byte(s.head("", len(b))), b...)
	return many(ctx, 20, func(context.Context) error {
		code, err := s.status(text, false)
		if err == nil && code != 0 && code != http.StatusRequestEntityTooLarge {
			err = fmt.Errorf("a PNG of 60000×60000: %d", code)
		}
		return err
	})
}

func wrongLengths(ctx context.Context, s *service) error {
	photo := keepertest.PNG(16, 16, 0)
	head := "POST /v1/restore HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + s.tokens[len(s.tokens)-1] + "\r\n"
	body := func(more string) []byte { return bytes.Join([][]byte{[]byte(head + more + "\r\n\r\n"), photo}, nil) }
	texts := map[string][]byte{
		"too long":      body(fmt.Sprintf("Content-Length: %d", len(photo)+100)),
		"too short":     body(fmt.Sprintf("Content-Length: %d", len(photo)/2)),
		"negative":      body("Content-Length: -1"),
		"two":           body("Content-Length: 5\r\nContent-Length: 6"),
		"none":          body("X: y"),
		"beyond limits": body("Content-Length: 99999999999999"),
		"no number":     body("Content-Length: ten"),
		"no chunks":     body("Transfer-Encoding: chunked"),
		"both":          append(body("Content-Length: 3\r\nTransfer-Encoding: chunked"), "\r\n0\r\n\r\n"...),
	}
	return many(ctx, 8, func(ctx context.Context) error {
		for what, text := range texts {
			if code, err := s.status(text, true); err != nil || code == http.StatusOK || code >= 500 {
				return fmt.Errorf("length %s: %d %v", what, code, err)
			}
			if ctx.Err() != nil {
				break
			}
		}
		return nil
	})
}

// idle opens many connections, half of them with the beginning of a request,
// and keeps them.
func idle(ctx context.Context, s *service, n int) error {
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for i := range n {
		c, err := s.dial()
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		held = append(held, c)
		if i%2 == 1 {
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHo")
		}
		if ctx.Err() != nil && i > n/2 {
			return fmt.Errorf("only %d connections came about in the time", i)
		}
	}
	<-ctx.Done()
	return nil
}
