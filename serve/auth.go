package serve

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Tokens are the bearer tokens that are let in, each with its client's name.
type Tokens struct {
	names []string
	sums  [][sha256.Size]byte // so that all comparisons take as long
}

// minToken is the least length of a token, in bytes.
const minToken = 16

// ReadTokens reads a file of tokens: one a line, perhaps after a name and a
// space; # begins a comment. Errors name the line and never show a token.
func ReadTokens(r io.Reader) (*Tokens, error) {
	t := &Tokens{}
	s := bufio.NewScanner(r)
	for n := 1; s.Scan(); n++ {
		f := strings.Fields(s.Text())
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		name, token := fmt.Sprintf("token-%d", n), f[len(f)-1]
		switch {
		case len(f) > 2:
			return nil, fmt.Errorf("line %d: write a token, or a name and a token", n)
		case len(token) < minToken:
			return nil, fmt.Errorf("line %d: the token is shorter than %d bytes; make one with: openssl rand -hex 32", n, minToken)
		case len(f) == 2:
			name = f[0]
		}
		t.names = append(t.names, name)
		t.sums = append(t.sums, sha256.Sum256([]byte(token)))
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if len(t.sums) == 0 {
		return nil, fmt.Errorf("there are no tokens in it")
	}
	return t, nil
}

// client is the name that goes with a request's token. Every token is
// compared, in constant time.
func (t *Tokens) client(r *http.Request) (name string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := -1
	for i := range t.sums {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], t.sums[i][:]), i, found)
	}
	if found < 0 || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return t.names[found], true
}

// address names a client by its address; one who has an IPv6 network is one
// client.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// authorize lets in those with a token, if tokens are asked for, and notes who
// the client is.
func (s *Server) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.client = address(r)
		if s.c.Tokens != nil && (strings.HasPrefix(r.URL.Path, "/v1/") || r.URL.Path == "/metrics") {
			name, ok := s.c.Tokens.client(r)
			if !ok {
				w.Header().Set("WWW-Authenticate", `Bearer realm="i2sb"`)
				s.fail(w, r, problem("unauthorized", "this server asks for a token: Authorization: Bearer …"))
				return
			}
			x.client = name
		}
		next.ServeHTTP(w, r)
	})
}
