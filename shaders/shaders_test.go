package shaders

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden texts anew")

// tiling are a product's constants.
func tiling(bm, bn, tm, tn int, more Constants) Constants {
	c := Constants{"BM": bm, "BN": bn, "TM": tm, "TN": tn, "WX": bm / tm, "WY": bn / tn, "F16": 0, "W16": 0, "RAW": 0, "K": 3, "STRIDE": 1,
		"CONCAT": 0, "AFFINE": 0, "SILU": 0, "RESAMPLE": 0, "SHIFT": 0, "RESIDUAL": 0}
	for k, v := range more {
		c[k] = v
	}
	return c
}

// plain are the constants of a kernel that reads and writes with nothing else.
func plain(more Constants) Constants { return tiling(1, 1, 1, 1, more) }

// back are the constants of a kernel that leads back through a Read.
func back(more Constants) Constants {
	c := Constants{"READS": 0, "CONCAT": 0, "AFFINE": 0, "SILU": 0, "RESAMPLE": 0, "ADD": 0}
	for k, v := range more {
		c[k] = v
	}
	return c
}

// golden are variants whose texts are kept to be reviewed: every file, and the
// products with every tile and with all that a convolution can do.
var golden = []struct {
	name, file string
	constants  Constants
}{
	{"conv-large-raw", "conv", tiling(128, 32, 8, 2, Constants{"RAW": 2, "K": 1})},
	{"conv-medium-everything", "conv", tiling(64, 16, 4, 2, Constants{"F16": 1, "W16": 1, "CONCAT": 1, "AFFINE": 1, "SILU": 1, "RESAMPLE": 2, "SHIFT": 1, "RESIDUAL": 3})},
	{"conv-small-split", "conv", tiling(32, 8, 4, 1, Constants{"RAW": 1, "AFFINE": 1, "SILU": 1})},
	{"conv-small-1x1", "conv", tiling(32, 8, 4, 1, Constants{"K": 1, "RESIDUAL": 1, "RESAMPLE": 1})},
	{"conv-skinny", "conv", tiling(128, 1, 1, 1, Constants{"STRIDE": 2})},
	{"conv-bare", "conv_bare", tiling(256, 4, 4, 4, Constants{"CONCAT": 1, "AFFINE": 1, "SILU": 1, "RESIDUAL": 1})},
	{"conv-bare-raw", "conv_bare", tiling(64, 4, 1, 4, Constants{"RAW": 2, "K": 1})},
	{"finish", "finish", plain(Constants{"RESIDUAL": 2})},
	{"map", "map", plain(Constants{"CONCAT": 1, "SILU": 1, "RESIDUAL": 1})},
	{"winograd-4-input", "winograd_input", plain(Constants{"TILE": 4, "AFFINE": 1, "SILU": 1, "ROLLED": 0})},
	{"winograd-4-weights", "winograd_weights", plain(Constants{"TILE": 4, "W16": 1})},
	{"winograd-4-output", "winograd_output", plain(Constants{"TILE": 4, "RESIDUAL": 1, "ROLLED": 0})},
	{"winograd-2-input", "winograd_input", plain(Constants{"TILE": 2, "RESAMPLE": 1, "ROLLED": 1})},
	{"winograd-2-weights", "winograd_weights", plain(Constants{"TILE": 2})},
	{"winograd-2-output", "winograd_output", plain(Constants{"TILE": 2, "F16": 1, "ROLLED": 1})},
	{"moments", "moments", plain(nil)},
	{"norm", "norm", Constants{"SCALE": 1}},
	{"linear", "linear", Constants{"SILU": 1, "W16": 0}},
	{"embed", "embed", nil},
	{"shuffle", "shuffle", plain(Constants{"CONCAT": 1})},
	{"attention", "attention", plain(Constants{"D": 4, "LANES": 1, "KEYS": 16})},
	{"attention-lanes", "attention", plain(Constants{"D": 2, "LANES": 4, "KEYS": 16, "F16": 1})},
	{"import", "import", plain(nil)},
	{"export", "export", plain(Constants{"F16": 1})},
	{"unpack-f32", "unpack", Constants{"W16": 0, "FROM": 0}},
	{"unpack-f16", "unpack", Constants{"W16": 1, "FROM": 1}},
	{"unpack-bf16", "unpack", Constants{"W16": 0, "FROM": 2}},
	{"unpack-int8", "unpack", Constants{"W16": 0, "FROM": 3}},
	{"gather", "gather", nil},
	{"scatter", "scatter", nil},
	{"clear", "clear", nil},
	{"peak", "peak", nil},
	{"reach", "reach", nil},
	{"stream", "stream", nil},
	{"advance", "advance", Constants{"X1": 1, "HISTORY": 2, "MASK": 1, "RECORDED": 0, "RING": 1}},
	{"loss", "loss", nil},
	{"turn", "turn", nil},
	{"spread", "spread", nil},
	{"read-back", "read_back", back(Constants{"READS": 1, "CONCAT": 1, "AFFINE": 1, "SILU": 1, "RESAMPLE": 2, "ADD": 1})},
	{"read-back-plain", "read_back", back(Constants{"RESAMPLE": 1})},
	{"affine-back", "affine_back", back(Constants{"READS": 1, "AFFINE": 1})},
	{"sums", "sums", Constants{"ALL": 0, "ADD": 1}},
	{"sums-all", "sums", Constants{"ALL": 1, "ADD": 0}},
	{"norm-back-groups", "norm_back", Constants{"SCALE": 1, "OUT": 0, "ADD": 0}},
	{"norm-back-time", "norm_back", Constants{"SCALE": 1, "OUT": 1, "ADD": 0}},
	{"norm-back-parameters", "norm_back", Constants{"SCALE": 0, "OUT": 2, "ADD": 0}},
	{"norm-input", "norm_input", Constants{"ADD": 1}},
	{"linear-back", "linear_back", Constants{"SILU": 1, "ADD": 0}},
	{"linear-weights", "linear_weights", Constants{"SILU": 1}},
	{"embed-back", "embed_back", nil},
	{"attention-scores", "attention_scores", nil},
	{"attention-slopes", "attention_slopes", nil},
	{"attention-back", "attention_back", Constants{"ADD": 0}},
	{"conv-weights", "conv_weights", Constants{"K": 3, "STRIDE": 1, "TN": 4}},
	{"gather-parts", "gather_parts", nil},
	{"adamw", "adamw", nil},
	{"squares", "squares", nil},
	{"muon-momentum", "muon_momentum", nil},
	{"muon-gram", "muon_gram", nil},
	{"muon-unit", "muon_unit", nil},
	{"muon-square", "muon_product", Constants{"SQUARE": 1}},
	{"muon-product", "muon_product", Constants{"SQUARE": 0}},
	{"muon", "muon", nil},
	{"advance-recorded", "advance", Constants{"X1": 1, "HISTORY": 0, "MASK": 1, "RECORDED": 1, "RING": 0}},
}

func TestGolden(t *testing.T) {
	for _, g := range golden {
		k, err := Make(g.file, g.constants)
		if err != nil {
			t.Error(err)
			continue
		}
		file := filepath.Join("testdata", g.name+".wgsl")
		if *update {
			if err := os.WriteFile(file, []byte(k.Text), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != k.Text {
			t.Errorf("%s: the text has changed; look at it and run go test ./shaders -update", g.name)
		}
	}
}

// Every kernel is among the goldens and says what it is.
func TestEveryFile(t *testing.T) {
	shown := map[string]bool{"store.wgsl": true, "weight.wgsl": true, "read.wgsl": true, "write.wgsl": true, "unread.wgsl": true, "joined.wgsl": true} // included by others
	for _, g := range golden {
		shown[g.file+".wgsl"] = true
	}
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := files.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !shown[e.Name()] {
			t.Errorf("%s is in no golden text", e.Name())
		}
		if !strings.HasPrefix(string(b), "// ") {
			t.Errorf("%s does not begin with what it is", e.Name())
		}
	}
}

// What every WebGPU grants is not exceeded.
func TestLimits(t *testing.T) {
	for _, g := range golden {
		k, err := Make(g.file, g.constants)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(k.Bindings); n > 8 {
			t.Errorf("%s binds %d storage buffers", g.name, n)
		}
		memory := 0
		for _, line := range strings.Split(k.Text, "\n") {
			var name string
			var x, y, n int
			if _, err := fmt.Sscanf(line, "@compute @workgroup_size(%d, %d)", &x, &y); err == nil && x*y > 256 {
				t.Errorf("%s has %d invocations", g.name, x*y)
			}
			if _, err := fmt.Sscanf(line, "var<workgroup> %s array<vec4<f32>, %d>", &name, &n); err == nil {
				memory += 16 * n
			}
		}
		if memory > 16<<10 {
			t.Errorf("%s takes %d bytes of workgroup memory", g.name, memory)
		}
	}
}

func TestExpressions(t *testing.T) {
	scope := Constants{"A": 3, "B": 0, "long_name": 10}
	for s, want := range map[string]int{"1+2*3": 7, "(1+2)*3": 9, "A": 3, " A % 2 ": 1, "-A + long_name / 3": 0, "!A": 0, "!B && A >= 3": 1,
		"A == 3 || B": 1, "A != 3": 0, "A < 4": 1, "7 / 2 * 2": 6, "A > 3": 0, "A <= 2": 0} {
		if got, err := evaluate(s, scope); err != nil || got != want {
			t.Errorf("%s is %d (%v), it should be %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "C", "1 +", "(1", "1 / B", "1 2", "A $"} {
		if v, err := evaluate(s, scope); err == nil {
			t.Errorf("%q is %d, it should be an error", s, v)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, lines := range []string{"//# if A", "//# else", "//# for i", "//# for i 2\n//# for i 2\n//# end\n//# end", "//# include nothing",
		"//# bind x y", "{{1", "{{X}}", "//# nonsense", "//# end"} {
		m := maker{scope: Constants{"A": 1}}
		if err := m.block(strings.Split(lines, "\n")); err == nil {
			t.Errorf("%q gives no error but %q", lines, m.text.String())
		}
	}
	if _, err := Make("nothing", nil); err == nil {
		t.Error("a kernel that does not exist")
	}
}

func TestBlocks(t *testing.T) {
	m := maker{scope: Constants{"N": 2, "A": 0}}
	text := "//# for i N\n//# if A\nno\n//# else\n//# if i == 1\nx{{i}} = {{10 * i + N}};\n//# end\n//# end\n//# end\n//# bind read b array<u32>\n//# params n f:s"
	if err := m.block(strings.Split(text, "\n")); err != nil {
		t.Fatal(err)
	}
	want := "x1 = 12;\n@group(0) @binding(0) var<storage, read> b: array<u32>;\nstruct Params {\n  n: u32,\n  s: f32,\n}\n@group(0) @binding(1) var<uniform> p: Params;\n"
	if got := m.text.String(); got != want {
		t.Errorf("%s\nwanted\n%s", got, want)
	}
}
