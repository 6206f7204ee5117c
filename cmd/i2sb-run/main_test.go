package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/weights"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"i2sb-run": main})
}

// TestScripts runs testdata/script. Beside the usual commands there is
//
//	fails CODE command…
//
// for a command that must end with CODE, say what is wrong in one to three
// short lines, and leave no file behind.
func TestScripts(t *testing.T) {
	pack := tinyPack(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("I2SB_LONG", os.Getenv("I2SB_LONG"))
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, ".cache"))
			return materials(e.WorkDir, pack)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"fails": fails, "size": pictureSize},
	})
}

// TestPackByURL restores with a pack that is fetched once.
func TestPackByURL(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("HOME", dir)
	t.Setenv("LocalAppData", dir)
	if err := materials(dir, tinyPack(t)); err != nil {
		t.Fatal(err)
	}
	served := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		http.ServeFile(w, r, filepath.Join(dir, "tiny.i2sb"))
	}))
	defer server.Close()
	var results []string
	for range 2 {
		var stdout, stderr bytes.Buffer
		args := []string{"restore", filepath.Join(dir, "photo.png"), "-o", "-", "--pack", server.URL + "/tiny.i2sb"}
		if code := run(context.Background(), args, nil, &stdout, &stderr); code != 0 {
			t.Fatalf("%d: %s", code, stderr.String())
		}
		results = append(results, stdout.String())
	}
	if results[0] != results[1] || len(results[0]) == 0 {
		t.Error("the second result differs")
	}
	if served != 1 {
		t.Errorf("the pack was fetched %d times", served)
	}
}

func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE command…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	before := tree(ts.Getenv("WORK"))
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	said := ts.ReadFile("stderr")
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
	if said == "" || len(lines) > 3 {
		ts.Fatalf("%d lines of errors, want 1 to 3", len(lines))
	}
	for _, l := range lines {
		if len(l) > 240 {
			ts.Fatalf("a line of %d bytes", len(l))
		}
	}
	for name, sum := range tree(ts.Getenv("WORK")) {
		if old, ok := before[name]; !ok || old != sum {
			ts.Fatalf("%s was written", name)
		}
	}
}

// pictureSize tells that a picture has a size: size FILE WxH.
func pictureSize(ts *testscript.TestScript, neg bool, args []string) {
	c, err := png.DecodeConfig(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	if got := strconv.Itoa(c.Width) + "x" + strconv.Itoa(c.Height); got != args[1] {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// tree is every file below dir with a checksum.
func tree(dir string) map[string]uint32 {
	m := map[string]uint32{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == ".cache" {
			return fs.SkipDir // downloads may go on later
		}
		if err == nil && !d.IsDir() {
			b, _ := os.ReadFile(path)
			m[path] = crc32.ChecksumIEEE(b)
		}
		return nil
	})
	return m
}

// tinyPack packs the fixture checkpoint.
func tinyPack(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "tiny.i2sb")
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{"pack", "../../weights/testdata/checkpoint.pt", "--options", "testdata/options.json", "-o", out}, nil, &stdout, &stderr)
	if code != 0 {
		t.Fatalf("pack: %d %s", code, stderr.String())
	}
	return out
}

// materials writes good and bad inputs.
func materials(dir, pack string) error {
	copies := map[string]string{"tiny.i2sb": pack, "checkpoint.pt": "../../weights/testdata/checkpoint.pt",
		"checkpoint.legacy.pt": "../../weights/testdata/checkpoint.legacy.pt", "options.json": "testdata/options.json"}
	files := map[string][]byte{}
	for name, from := range copies {
		b, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		files[name] = b
	}
	var err error
	if files["classes.i2sb"], err = classes(); err != nil {
		return err
	}
	files["plain.pt"] = bytes.Replace(files["checkpoint.legacy.pt"], []byte("X\x03\x00\x00\x00ema"), []byte("X\x03\x00\x00\x00emo"), 1)
	photo := encodePNG(scene(16, 12))
	files["photo.png"] = photo
	files["small.png"] = encodePNG(scene(6, 5))
	grey := image.NewGray(image.Rect(0, 0, 11, 9))
	mask := image.NewGray(image.Rect(0, 0, 16, 12))
	for i := range grey.Pix {
		grey.Pix[i] = uint8(i)
	}
	for i := range mask.Pix {
		if i%16 > 6 && i/16 > 4 {
			mask.Pix[i] = 255
		}
	}
	files["clear16.png"] = encodePNG(image.NewNRGBA64(image.Rect(0, 0, 8, 8)))
	files["grey.png"], files["mask.png"] = encodePNG(grey), encodePNG(mask)
	var j bytes.Buffer
	if err := jpeg.Encode(&j, scene(10, 8), nil); err != nil {
		return err
	}
	files["photo.jpg"] = j.Bytes()
	maps.Copy(files, map[string][]byte{
		"bad/empty.png":     {},
		"bad/truncated.png": photo[:len(photo)/2],
		"bad/truncated.jpg": j.Bytes()[:j.Len()/2],
		"bad/text.png":      []byte("This is no picture.\n"),
		"bad/huge.png":      withSide(photo, 60000),
		"bad/zero.png":      withSide(photo, 0),
		"bad/truncated.pt":  files["checkpoint.pt"][:len(files["checkpoint.pt"])/2],
		"bad/cut.i2sb":      files["tiny.i2sb"][:len(files["tiny.i2sb"])/2],
		"bad/flip.i2sb":     flip(files["tiny.i2sb"]),
		"bad/long.safetensors": append(binary.LittleEndian.AppendUint64(nil, 1<<60),
			`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`...),
		"bad/lies.safetensors": safetensors(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`),
		"bad/evil.pt":          evilZip(),
		"bad/evil.legacy.pt":   []byte(evilPickle),
	})
	for name, b := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// classes is the pack of a network of two classes and random weights.
func classes() ([]byte, error) {
	h := weights.Header{Bridge: weights.Bridge{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1}, Network: weights.Network{
		ImageSize: 32, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1", NumHeads: 1, UseScaleShiftNorm: true, ClassCond: true, NumClasses: 2}}
	list, err := runtime.Tensors(h.Network)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1, 2))
	var data [][]float32
	for _, t := range list {
		v := make([]float32, t.Len())
		for i := range v {
			v[i] = float32(r.NormFloat64() / 2)
		}
		data = append(data, v)
	}
	src, err := weights.NewMemory(list, data)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = weights.Write(&b, h, src, weights.WriteOptions{Encoding: weights.F16})
	return b.Bytes(), err
}

// evilPickle calls os.system.
const evilPickle = "\x80\x02cposix\nsystem\nq\x00X\x0d\x00\x00\x00touch /tmp/xxq\x01\x85q\x02Rq\x03."

func evilZip() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, body := range map[string]string{"archive/data.pkl": evilPickle, "archive/version": "3\n"} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			panic(err)
		}
		_, _ = w.Write([]byte(body))
	}
	z.Close()
	return b.Bytes()
}

func safetensors(header string) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), 0, 0, 0, 0)
}

// flip damages a byte near the end.
func flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-100] ^= 0x10
	return b
}

// withSide puts another size into a PNG's header, with a good checksum.
func withSide(b []byte, side uint32) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[16:], side)
	binary.BigEndian.PutUint32(b[20:], side)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func scene(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := func(f float64) uint8 { return uint8(128 + 100*math.Sin(f*float64(x))*math.Cos(float64(y)/f/20)) }
			m.SetNRGBA(x, y, color.NRGBA{v(0.1), v(0.23), v(0.31), 255})
		}
	}
	return m
}

func encodePNG(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}
