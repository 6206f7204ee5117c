package picture

import (
	"bytes"
	"testing"
)

// FuzzReadText reads what others' files may hold where this program's text
// lies. What is read of a whole picture can be written again, or is refused by
// name.
func FuzzReadText(f *testing.F) {
	text := map[string]string{"Software": "i2sb-run", "parameters": "task=jpeg seed=7"}
	for _, format := range []string{"png", "jpeg", "tiff"} {
		p, err := FromImage(colours(5, 3))
		if err != nil {
			f.Fatal(err)
		}
		p.Text = text
		var b bytes.Buffer
		if err := Encode(&b, p, format, 90); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x0e\x00\x02\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		for k, v := range ReadText(bytes.NewReader(b)) {
			total += len(k) + len(v)
		}
		if total > 3*len(b)+64 {
			t.Fatalf("%d bytes of text from a file of %d", total, len(b))
		}
	})
}
