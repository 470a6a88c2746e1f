package fidelity_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tandem-api/tandem/localhost/fidelity"
	"github.com/tandem-api/tandem/shared/apptest"
)

const recordedSAM = "testdata/sam.json"

// TestPage holds docs/fidelity.md against the cases. The stages' own tests say whether
// what stands there is so.
func TestPage(t *testing.T) {
	var sam fidelity.Recorded
	text, err := os.ReadFile(recordedSAM)
	if err == nil {
		sam, err = fidelity.ReadRecorded(text)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	want := fidelity.Page(cases(t), sam, func(r fidelity.Rule, c fidelity.Case) bool {
		return sam.Cases[c.Name] == digest(t, r, c)
	})
	path := filepath.Join(apptest.Root(t), "docs", "fidelity.md")
	if *update {
		write(t, path, []byte(want))
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/fidelity.md is not what the cases make of it: go test ./localhost/fidelity -update")
	}
}

func digest(t testing.TB, r fidelity.Rule, c fidelity.Case) string {
	t.Helper()
	api, err := os.ReadFile(filepath.Join("testdata", "apis", r.API+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return r.Digest(c, fidelity.SAM, api)
}

// record notes which cases SAM has passed.
func record(t *testing.T, version string) {
	t.Helper()
	sam := fidelity.Recorded{Version: version, Cases: map[string]string{}}
	for _, topic := range cases(t) {
		for _, r := range topic.Rules {
			for _, c := range r.Cases {
				sam.Cases[c.Name] = digest(t, r, c)
			}
		}
	}
	text, err := json.MarshalIndent(sam, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	write(t, recordedSAM, append(text, '\n'))
}

func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // it is a page of the docs
		t.Fatal(err)
	}
}

// TestMisspelt shows that a case which checks nothing is not taken for one.
func TestMisspelt(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown key":   "topic: T\nrules: [{rule: R, source: S, cases: [{name: a, request: GET /, want: {stauts: 200}}]}]",
		"no expectation":   "topic: T\nrules: [{rule: R, source: S, cases: [{name: a, request: GET /}]}]",
		"no request":       "topic: T\nrules: [{rule: R, source: S, cases: [{name: a, want: {status: 200}}]}]",
		"no source":        "topic: T\nrules: [{rule: R, cases: [{name: a, request: GET /, want: {status: 200}}]}]",
		"a name twice":     "topic: T\nrules: [{rule: R, source: S, cases: [{name: a, request: GET /, want: {status: 200}}, {name: a, request: GET /, want: {status: 200}}]}]",
		"a token nowhere":  "topic: T\nrules: [{rule: R, source: S, cases: [{name: a, request: GET /, token: {}, want: {status: 200}}]}]",
		"no token":         "topic: T\nrules: [{rule: R, source: S, cases: [{name: a, request: 'GET /?{token}', want: {status: 200}}]}]",
		"a bare exception": "topic: T\nrules: [{rule: R, source: S, cases: [{name: a, request: GET /, want: {status: 200}, except: {sam: {why: it differs}}}]}]",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "a.yaml"), []byte(text))
			if topics, err := fidelity.Load(dir); err == nil {
				t.Errorf("taken: %+v", topics)
			}
		})
	}
}
