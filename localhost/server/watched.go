package server

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-api/tandem/localhost/build"
	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/isolate"
	"github.com/tandem-api/tandem/localhost/watch"
)

// watchFunctions builds the functions anew that an edit touches, and swaps their
// processes. What it returns ends it.
func (s server) watchFunctions(ctx context.Context, folder *build.Folder, sources []isolate.Source) (stop func(), err error) {
	tree, err := watch.New(s.options.template.Dir())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.swap(ctx, tree, folder, sources)
	}()
	return func() {
		cancel()
		<-done
		_ = tree.Close()
	}, nil
}

// swap goes on until the context ends.
func (s server) swap(ctx context.Context, tree *watch.Tree, folder *build.Folder, sources []isolate.Source) {
	var mains []string
	for _, source := range sources {
		if source.Package != "" {
			mains = append(mains, source.Package)
		}
	}
	for { // an edit may change what a program is made of
		graph, err := watch.Read(ctx, s.options.template.Dir(), mains)
		if err != nil && ctx.Err() == nil {
			s.app.Log.ErrorContext(ctx, "watch", "error", err)
		}
		files, err := tree.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.app.Log.ErrorContext(ctx, "watch", "error", err)
		}
		s.swapTouched(ctx, graph, folder, sources, files)
	}
}

// swapTouched swaps the functions that an edit of the files touches, as many at once as
// there are processors to build them.
func (s server) swapTouched(ctx context.Context, graph *watch.Graph, folder *build.Folder, sources []isolate.Source, files []string) {
	began := time.Now()
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, source := range sources {
		switch {
		case source.Package == "" && slices.Contains(files, source.File):
			_ = s.isolated.Replace(source.Function.LogicalID, source.File)
		case source.Package != "" && (graph == nil || graph.Touched(source.Package, files)):
			group.Go(func() error {
				s.rebuild(ctx, folder, source, began)
				return nil
			})
		}
	}
	_ = group.Wait() // what is wrong has been told
}

func (s server) rebuild(ctx context.Context, folder *build.Folder, source isolate.Source, began time.Time) {
	path, err := folder.Build(ctx, source.Program())
	if err == nil {
		err = s.isolated.Replace(source.Function.LogicalID, path)
	}
	if err != nil {
		if ctx.Err() == nil {
			cli.PrintError(s.host.Stderr, err)
			s.isolated.Break(source.Function.LogicalID, err.Error())
		}
		return
	}
	fmt.Fprintf(s.host.Stderr, "localhost: %s is served anew, %d ms after the edit\n", cli.NameOf(source.Function), time.Since(began).Milliseconds())
}
