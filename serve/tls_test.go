package serve

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

// certificate borrows a certificate for 127.0.0.1, and a client who trusts it.
func certificate(t *testing.T) (*tls.Config, *http.Client) {
	s := httptest.NewUnstartedServer(nil)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return &tls.Config{Certificates: s.TLS.Certificates}, s.Client()
}
