package eval

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/i2sb-go/i2sb/bridge"
)

// fingerprint is 64 bits of a sum of what decides a picture.
func fingerprint(parts ...any) string {
	sum := sha256.New()
	for _, p := range parts {
		if x, ok := p.(*bridge.Image); ok {
			fmt.Fprintf(sum, "%d×%d×%d;", x.C, x.H, x.W)
			b, _ := binary.Append(nil, binary.LittleEndian, x.Pix)
			sum.Write(b)
			continue
		}
		fmt.Fprintf(sum, "%q;", fmt.Sprint(p))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// made is the fingerprint of what a record is of: the picture as it was and as
// it is degraded, the class that it should have, the method, and what that reads
// of files.
func (r *Run) made(k Key, m Method, s Sample, original string) (string, error) {
	from := ""
	if m.From != nil {
		var err error
		if from, err = m.From(s); err != nil {
			return "", err
		}
	}
	class, known := r.Nets.Labels[s.File]
	return fingerprint(original, s.print, class, known, k.Method, k.Sampler, k.Steps, r.Seed, from), nil
}
