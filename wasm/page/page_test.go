package page

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// whole is a site with the page's files, a module and what must stay out.
func whole(t *testing.T) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	err := fs.WalkDir(Files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(Files, p)
		m[p] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"i2sb/i2sb.mjs", "i2sb/i2sb.wasm", "i2sb/i2sb.wasm.br", "packs/default.i2sb", ".nojekyll"} {
		m[p] = &fstest.MapFile{Data: []byte(p)}
	}
	return m
}

type list struct {
	Version, CSP string
	Files        map[string]string
}

func precache(t *testing.T, site fs.FS) list {
	t.Helper()
	b, err := Precache(site)
	if err != nil {
		t.Fatal(err)
	}
	var l list
	body := strings.TrimSuffix(strings.TrimPrefix(string(b), "self.precache = "), ";\n")
	if err := json.Unmarshal([]byte(body), &l); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return l
}

func TestPrecacheListsThePageAndTheModule(t *testing.T) {
	site := whole(t)
	l := precache(t, site)
	for p, f := range site {
		sum := sha256.Sum256(f.Data)
		want := base64.StdEncoding.EncodeToString(sum[:])
		if p == "sw.js" || p == "packs/default.i2sb" || p == ".nojekyll" || p == "i2sb/i2sb.wasm.br" {
			want = ""
		}
		if l.Files[p] != want {
			t.Errorf("%s: hash %q, want %q", p, l.Files[p], want)
		}
	}
	if l.CSP != CSP {
		t.Errorf("the policy is %q", l.CSP)
	}
}

func TestPrecacheVersionFollowsTheFiles(t *testing.T) {
	site := whole(t)
	a, again := precache(t, site), precache(t, site)
	if a.Version != again.Version || !maps.Equal(a.Files, again.Files) {
		t.Error("the same site has two lists")
	}
	site[PrecacheName] = &fstest.MapFile{Data: []byte("an older list")}
	if precache(t, site).Version != a.Version {
		t.Error("the list depends on an older list")
	}
	site["i2sb/i2sb.wasm"] = &fstest.MapFile{Data: []byte("another build")}
	if precache(t, site).Version == a.Version {
		t.Error("another module has the same version")
	}
}

func TestPrecacheWithoutAPage(t *testing.T) {
	_, err := Precache(fstest.MapFS{"i2sb/i2sb.mjs": {}})
	if err == nil || !strings.Contains(err.Error(), "index.html") {
		t.Errorf("error %v", err)
	}
}

func TestIndexStatesThePolicy(t *testing.T) {
	b, _ := fs.ReadFile(Files, "index.html")
	if !strings.Contains(string(b), `http-equiv="Content-Security-Policy" content="`+policy+`"`) {
		t.Errorf("index.html does not state the policy\n%s", policy)
	}
}

// Every file that a file names is there, and no address is absolute, so that
// the page works under any path of any host.
func TestReferencesAreRelativeAndThere(t *testing.T) {
	site := whole(t)
	quoted := regexp.MustCompile(`(?:from |import |import\(|src=|href=|fetch\(|register\(|importScripts\(|"src": )['"]([^'"]+)['"]`)
	foreign := regexp.MustCompile(`(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}`)
	for p, f := range site {
		switch path.Ext(p) {
		case ".mjs", ".js", ".html", ".css", ".webmanifest":
		default:
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(string(f.Data), -1) {
			name := m[1]
			if strings.HasPrefix(name, "#") || name == PrecacheName {
				continue
			}
			if to := path.Join(path.Dir(p), name); strings.HasPrefix(name, "/") || site[to] == nil {
				t.Errorf("%s names %q, which is not there", p, name)
			}
		}
		for _, m := range foreign.FindAllString(string(f.Data), -1) {
			if !strings.Contains(m, "www.w3.org") { // a namespace, not an address
				t.Errorf("%s names another host: %s", p, m)
			}
		}
	}
}
