// Package watch tells which of a project's files somebody has edited, and which Go
// programs that touches.
package watch

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settled is how long it must have been quiet: one save is several events.
	settled = 30 * time.Millisecond
	// patience is how long an edit waits for others to end, such as a checkout.
	patience = 500 * time.Millisecond
)

// Tree watches all folders below a root, those to come included.
type Tree struct {
	watcher *fsnotify.Watcher
	root    string
}

// New starts watching. Folders that hold no sources are left out: hidden ones, tmp,
// node_modules. Close it.
func New(root string) (*Tree, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	t := &Tree{watcher: w, root: root}
	if _, err := t.add(root); err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("watch %s: %w", root, err)
	}
	return t, nil
}

// Close stops watching.
func (t *Tree) Close() error { return t.watcher.Close() }

// Next waits for edits, and returns the paths of the files that were written, made,
// renamed or removed.
func (t *Tree) Next(ctx context.Context) ([]string, error) {
	edited := map[string]bool{}
	var quiet, enough <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case err := <-t.watcher.Errors:
			return nil, fmt.Errorf("watch: %w", err)
		case e := <-t.watcher.Events:
			if !t.note(e, edited) {
				continue
			}
			quiet = time.After(settled)
			if enough == nil {
				enough = time.After(patience)
			}
		case <-quiet:
			return keys(edited), nil
		case <-enough:
			return keys(edited), nil
		}
	}
}

// note keeps what an event says, and reports whether it is of interest.
func (t *Tree) note(e fsnotify.Event, edited map[string]bool) bool {
	if e.Op == fsnotify.Chmod || noise(filepath.Base(e.Name)) {
		return false
	}
	if e.Has(fsnotify.Create) {
		// A new folder may hold files from before it was watched.
		if files, err := t.add(e.Name); err == nil {
			for _, file := range files {
				edited[file] = true
			}
			return len(files) > 0
		}
	}
	edited[e.Name] = true
	return true
}

// noise are the files that editors keep beside the ones that are edited.
func noise(name string) bool {
	return strings.HasPrefix(name, ".#") || strings.HasSuffix(name, "~") || strings.HasSuffix(name, ".swp") ||
		strings.HasSuffix(name, ".swx") || name == "4913"
}

// add watches a folder and those below, and returns their files; of a file, itself.
func (t *Tree) add(path string) (files []string, err error) {
	err = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && at != path:
			return nil // it has gone meanwhile
		case err != nil:
			return err
		case !d.IsDir():
			files = append(files, at)
			return nil
		case at != t.root && skipped(d.Name()):
			return filepath.SkipDir
		}
		return t.watcher.Add(at)
	})
	return files, err
}

func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || name == "tmp" || name == "node_modules"
}

func keys(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for key := range set {
		all = append(all, key)
	}
	return all
}
