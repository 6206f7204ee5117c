//go:build unix

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// certificateFiles writes a certificate for 127.0.0.1 and its key.
func certificateFiles(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return pool
}

// collector takes OpenTelemetry traces.
type collector struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.URL.Path == "/v1/traces" {
		_, _ = io.Copy(&c.said, r.Body)
	}
}

// TestServeWithEverything runs the command with models, tokens, TLS and traces.
func TestServeWithEverything(t *testing.T) {
	dir := t.TempDir()
	pack := tinyPack(t)
	if err := materials(dir, pack); err != nil {
		t.Fatal(err)
	}
	const token = "0123456789abcdef0123456789abcdef"
	if err := os.WriteFile(filepath.Join(dir, "tokens"), []byte("anna "+token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "models"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "tiny.i2sb"), filepath.Join(dir, "models", "small one.i2sb")); err != nil {
		t.Fatal(err)
	}
	pool := certificateFiles(t, dir)
	traces := &collector{}
	stub := httptest.NewServer(traces)
	defer stub.Close()
	c := program(t, dir, "serve", "--addr", "127.0.0.1:0", "--device", "cpu", "--models", "models", "--tokens", "tokens",
		"--tls-cert", "cert.pem", "--tls-key", "key.pem", "--otlp", stub.URL, "--log", "debug")
	var log bytes.Buffer
	line := loggedTo(t, c, "serving", &log)
	url := "https://" + line["address"].(string)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	photo, err := os.ReadFile(filepath.Join(dir, "small.png"))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, bearer string, body []byte) (int, http.Header, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", url) // the page's
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return a.StatusCode, a.Header, string(b)
	}
	if code, _, b := ask("POST", "/v1/restore", token[:31]+"x", photo); code != 401 || !strings.Contains(b, `"unauthorized"`) {
		t.Errorf("a wrong token: %d %s", code, b)
	}
	if code, h, b := ask("POST", "/v1/restore?model=small+one&steps=2", token, photo); code != 200 || h.Get("I2sb-Model") != "small one" ||
		h.Get("Access-Control-Allow-Origin") != "" || h.Get("Strict-Transport-Security") == "" {
		t.Errorf("the other model: %d %v %.200s", code, h, b)
	}
	if code, _, b := ask("GET", "/v1/models", token, nil); code != 200 || !strings.Contains(b, `"name":"default"`) || !strings.Contains(b, `"name":"small one"`) {
		t.Errorf("the models: %d %s", code, b)
	}
	if code, h, b := ask("GET", "/", "", nil); code != 200 || !strings.Contains(b, "data-sends") || !strings.Contains(h.Get("Content-Security-Policy"), "connect-src 'self'") {
		t.Errorf("the page: %d %v", code, h)
	}
	client.CloseIdleConnections()
	_ = c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	traces.mu.Lock()
	defer traces.mu.Unlock()
	for _, span := range []string{"POST /v1/restore", "queue", "decode", "restore", "encode", "i2sb-run"} {
		if !strings.Contains(traces.said.String(), span) {
			t.Errorf("the collector got no %q", span)
		}
	}
	if text := log.String(); strings.Contains(text, token[:8]) || !strings.Contains(text, `"client":"anna"`) {
		t.Error("the log has a token, or does not name the client")
	}
}
