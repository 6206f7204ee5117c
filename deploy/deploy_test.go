package deploy

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	compose "github.com/compose-spec/compose-go/v2/types"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// objects decodes a file strictly: a field that Kubernetes does not know, or of
// another type, is an error.
func objects(t *testing.T, file string) (all []any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for part := range bytes.SplitSeq(b, []byte("\n---\n")) {
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal(part, &kind); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var o any
		switch kind.APIVersion + " " + kind.Kind {
		case "apps/v1 Deployment":
			o = &apps.Deployment{}
		case "batch/v1 Job":
			o = &batch.Job{}
		case "v1 Service":
			o = &core.Service{}
		default:
			t.Fatalf("%s: there is no %+v", file, kind)
		}
		if err := yaml.UnmarshalStrict(part, o); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		all = append(all, o)
	}
	return all
}

func TestKubernetes(t *testing.T) {
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		for _, o := range objects(t, file) {
			switch o := o.(type) {
			case *apps.Deployment:
				if fmt.Sprint(o.Spec.Selector.MatchLabels) != fmt.Sprint(o.Spec.Template.Labels) {
					t.Errorf("%s: the selector does not fit its pods", file)
				}
				if o.Spec.Template.Spec.Containers[0].ReadinessProbe == nil {
					t.Errorf("%s: there is no readiness probe", file)
				}
				pod(t, file, o.Spec.Template.Spec)
			case *batch.Job:
				if *o.Spec.CompletionMode != batch.IndexedCompletion || !slices.Contains(o.Spec.Template.Spec.Containers[0].Args, fmt.Sprint(*o.Spec.Completions)) {
					t.Errorf("%s: parts and completions differ", file)
				}
				pod(t, file, o.Spec.Template.Spec)
			}
		}
	}
}

// pod holds what Kubernetes itself checks only when it runs.
func pod(t *testing.T, file string, p core.PodSpec) {
	t.Helper()
	c := p.Containers[0]
	for _, m := range c.VolumeMounts {
		if !slices.ContainsFunc(p.Volumes, func(v core.Volume) bool { return v.Name == m.Name }) {
			t.Errorf("%s: there is no volume %s", file, m.Name)
		}
	}
	for _, probe := range []*core.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if probe != nil && !slices.ContainsFunc(c.Ports, func(q core.ContainerPort) bool { return q.Name == probe.HTTPGet.Port.StrVal }) {
			t.Errorf("%s: there is no port %s", file, probe.HTTPGet.Port.StrVal)
		}
	}
	command(t, file, c.Args)
}

func TestCompose(t *testing.T) {
	b, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(t.Context(), compose.ConfigDetails{ConfigFiles: []compose.ConfigFile{{Filename: "compose.yaml", Content: b}}, WorkingDir: "."})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range p.Services {
		if s.Image == "i2sb-run:latest" {
			command(t, "compose.yaml: "+name, s.Command)
		}
	}
}

// command tells whether the program knows every flag of a command line.
func command(t *testing.T, what string, args []string) {
	t.Helper()
	if len(args) == 0 {
		t.Errorf("%s: there is no command", what)
		return
	}
	c := exec.Command("go", "run", "./cmd/i2sb-run", args[0], "--help")
	c.Dir = ".."
	help, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for _, a := range args[1:] {
		if name, _, _ := strings.Cut(a, "="); strings.HasPrefix(a, "--") && !strings.Contains(string(help), name+" ") {
			t.Errorf("%s: i2sb-run %s has no %s", what, args[0], name)
		}
	}
}
