package page

import (
	"io/fs"
	"strings"
	"testing"
)

func TestRemoteSaysThatPicturesAreSent(t *testing.T) {
	files, err := Remote()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app.mjs", "style/base.css", "i2sb/i2sb.mjs", "i2sb/events.mjs", "sw.js"} {
		if _, err := fs.Stat(files, name); err != nil {
			t.Error(err)
		}
	}
	index, err := fs.ReadFile(files, "index.html")
	if err != nil || !strings.Contains(string(index), "<html data-sends ") {
		t.Errorf("%v: the page does not say that it sends pictures", err)
	}
	for _, name := range []string{"index.html", "manifest.webmanifest"} {
		b, _ := fs.ReadFile(files, name)
		if strings.Contains(string(b), "Nothing is uploaded") {
			t.Errorf("%s says that nothing is uploaded", name)
		}
	}
	here, _ := fs.ReadFile(Files, "index.html")
	if strings.Contains(string(here), "data-sends") {
		t.Error("the page that computes in the tab says that it sends pictures")
	}
	worker, _ := fs.ReadFile(files, "sw.js")
	if strings.Contains(string(worker), "precache") {
		t.Error("a page that needs its server is kept")
	}
}
