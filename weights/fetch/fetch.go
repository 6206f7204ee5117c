// Package fetch gets packs by URL: into a cache, resuming what was cut off, or
// piece by piece through HTTP ranges. It keeps net/http out of programs that
// do not need it.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/i2sb-go/i2sb/weights"
)

// Options change how a pack is fetched.
type Options struct {
	Dir      string        // cache; default: i2sb/packs in the user's cache folder
	Client   *http.Client  // default: http.DefaultClient
	Stall    time.Duration // no byte for this long ends the fetch; default 30 s
	Progress func(done, total int64)
}

// StatusError is an answer that is no pack.
type StatusError struct {
	URL    string
	Status string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: the server answers %s", e.URL, e.Status)
}

// Fetch returns the path of the pack behind rawURL in the cache. What is there
// already is not fetched again; a partial download goes on where it ended, if
// the server's file is still the same. Every chunk is verified before the file
// gets its name, so a path that is returned is a whole pack.
func Fetch(ctx context.Context, rawURL string, o Options) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", fmt.Errorf("%s: not an http or https address", rawURL)
	}
	if o.Dir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		o.Dir = filepath.Join(dir, "i2sb", "packs")
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(rawURL))
	path := filepath.Join(o.Dir, hex.EncodeToString(sum[:12])+".i2sb")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	// A second try: a resumed file that turns out damaged is fetched anew.
	for try := range 2 {
		err = download(ctx, rawURL, path, o)
		if err == nil || try > 0 || !errors.Is(err, errDamaged) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	return path, nil
}

var errDamaged = errors.New("what was fetched is no sound pack")

// download writes path+".part" and renames it when it is verified. The file's
// entity tag lies beside it, so that another version is not appended.
func download(ctx context.Context, rawURL, path string, o Options) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	part, tagFile := path+".part", path+".etag"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	defer func() { // an empty part is worth nothing
		if info, err := f.Stat(); err == nil && info.Size() == 0 {
			os.Remove(part)
		}
	}()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return err
	}
	tag, _ := os.ReadFile(tagFile)
	if have > 0 && len(tag) > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		req.Header.Set("If-Range", string(tag))
	}
	watch := time.AfterFunc(o.Stall, func() { cancel(fmt.Errorf("%s: nothing came for %v; run it again to go on", rawURL, o.Stall)) })
	defer watch.Stop()
	resp, err := o.Client.Do(req)
	if err != nil {
		return cause(ctx, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK: // the whole file: the server knows no ranges, or has another version
		if err := f.Truncate(0); err != nil {
			return err
		}
		have = 0
	case http.StatusRequestedRangeNotSatisfiable: // all of it is here already
		return finish(f, part, path, tagFile)
	default:
		return &StatusError{rawURL, resp.Status}
	}
	if err := os.WriteFile(tagFile, []byte(resp.Header.Get("ETag")), 0o644); err != nil {
		return err
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return err
	}
	total := int64(-1)
	if resp.ContentLength >= 0 {
		total = have + resp.ContentLength
	}
	buf := make([]byte, 256<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			watch.Reset(o.Stall)
			if _, err := f.Write(buf[:n]); err != nil {
				return err
			}
			have += int64(n)
			if o.Progress != nil {
				o.Progress(have, total)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return cause(ctx, fmt.Errorf("%s: cut off after %d bytes (%w); run it again to go on", rawURL, have, err))
		}
	}
	return finish(f, part, path, tagFile)
}

// cause is why a context ended, if it did, else err.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// finish verifies a download and gives it its name.
func finish(f *os.File, part, path, tagFile string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p, err := weights.OpenPack(f, info.Size())
	if err == nil {
		err = p.Verify()
		p.Close()
	}
	os.Remove(tagFile)
	if err != nil {
		os.Remove(part)
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// ReaderAt reads a file through HTTP ranges, so that a pack's header and single
// tensors can be read without the rest.
type ReaderAt struct {
	ctx    context.Context
	url    string
	client *http.Client
	Size   int64
}

// OpenRanges asks for a file's size; a server without ranges is an error.
func OpenRanges(ctx context.Context, rawURL string, client *http.Client) (*ReaderAt, error) {
	if client == nil {
		client = http.DefaultClient
	}
	r := &ReaderAt{ctx: ctx, url: rawURL, client: client}
	resp, err := r.get(0, 1)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var first, last int64
	if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &r.Size); err != nil {
		return nil, fmt.Errorf("%s: the server does not tell the size (Content-Range %q)", rawURL, resp.Header.Get("Content-Range"))
	}
	return r, nil
}

func (r *ReaderAt) get(at, n int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Range", "bytes="+strconv.FormatInt(at, 10)+"-"+strconv.FormatInt(at+n-1, 10))
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusPartialContent {
		resp.Body.Close()
		return nil, &StatusError{r.url, resp.Status + " to a request for a range"}
	}
	return resp, nil
}

// ReadAt implements io.ReaderAt with one request.
func (r *ReaderAt) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 {
		return 0, fs.ErrInvalid
	}
	if at >= r.Size {
		return 0, io.EOF
	}
	want := min(int64(len(b)), r.Size-at)
	if want == 0 {
		return 0, nil
	}
	resp, err := r.get(at, want)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.ReadFull(resp.Body, b[:want])
	if err == nil && want < int64(len(b)) {
		err = io.EOF
	}
	return n, err
}
