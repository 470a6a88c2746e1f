package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Graph knows which packages of this machine's own modules some programs are made of.
type Graph struct {
	programs map[string]map[string]listed // by the main package's folder: its packages by folder
}

// listed is what `go list` says of a package.
type listed struct {
	Dir           string
	ImportPath    string
	Standard      bool
	Module        *struct{ Version, Dir string }
	EmbedFiles    []string
	EmbedPatterns []string
	Deps          []string
}

// Read asks go what the programs are made of. Code that does not build is listed as
// far as it can be read.
func Read(ctx context.Context, root string, mains []string) (*Graph, error) {
	g := &Graph{programs: map[string]map[string]listed{}}
	if len(mains) == 0 {
		return g, nil
	}
	args := append([]string{"list", "-e", "-deps", "-json=Dir,ImportPath,Standard,Module,EmbedFiles,EmbedPatterns,Deps"}, mains...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, strings.TrimSpace(said.String()))
	}
	all, byDir := map[string]listed{}, map[string]listed{}
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		// What has a version is in the module cache, and is never edited.
		if !p.Standard && p.Module != nil && p.Module.Version == "" {
			all[p.ImportPath], byDir[p.Dir] = p, p
		}
	}
	for _, main := range mains {
		packages := map[string]listed{}
		p := byDir[main]
		packages[main] = p
		for _, dep := range p.Deps {
			if own, ok := all[dep]; ok {
				packages[own.Dir] = own
			}
		}
		g.programs[main] = packages
	}
	return g, nil
}

// Touched says whether an edit of the files changes the program, given by its main
// package's folder.
func (g *Graph) Touched(main string, files []string) bool {
	for _, file := range files {
		if touches(g.programs[main], file) {
			return true
		}
	}
	return false
}

func touches(packages map[string]listed, file string) bool {
	name := filepath.Base(file)
	if name == "go.mod" || name == "go.sum" || name == "go.work" {
		return true
	}
	if strings.HasSuffix(name, "_test.go") {
		return false
	}
	_, ok := packages[filepath.Dir(file)]
	if strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".s") {
		return ok
	}
	for _, p := range packages { // what is embedded, or may be from now on
		if len(p.EmbedPatterns) > 0 && strings.HasPrefix(file, p.Dir+string(filepath.Separator)) {
			return true
		}
	}
	return false
}
