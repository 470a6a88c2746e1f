package bundle

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Archive describes what All built for one function.
type Archive struct {
	Name   string
	Path   string // of the zip file
	Binary int64  // bytes
	Zip    int64  // bytes
}

// All builds the named functions under root into DIR/NAME/bootstrap and
// DIR/NAME.zip. The first error stops what has not begun.
func All(ctx context.Context, root, dir, arch string, names []string) ([]Archive, error) {
	built := make([]Archive, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		g.Go(func() error {
			binary := filepath.Join(dir, name, "bootstrap")
			if err := Build(ctx, root, name, arch, binary); err != nil {
				return err
			}
			a := Archive{Name: name, Path: filepath.Join(dir, name+".zip")}
			var err error
			a.Binary, a.Zip, err = zipFile(a.Path, binary)
			built[i] = a
			return err
		})
	}
	return built, g.Wait()
}

// zipFile writes an archive that holds the binary as bootstrap, and returns the
// sizes of both.
func zipFile(path, binary string) (from, to int64, err error) {
	in, err := os.Open(binary)
	if err != nil {
		return 0, 0, fmt.Errorf("zip: %w", err)
	}
	defer in.Close()
	out, err := os.Create(path)
	if err != nil {
		return 0, 0, fmt.Errorf("zip: %w", err)
	}
	if from, err = Zip(out, in); err == nil {
		to, err = out.Seek(0, io.SeekCurrent)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return 0, 0, fmt.Errorf("zip %s: %w", binary, err)
	}
	return from, to, nil
}

// Zip writes the archive that Lambda takes: one executable named bootstrap. The
// same binary gives the same bytes, as the archive carries no time.
func Zip(w io.Writer, binary io.Reader) (int64, error) {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(f, binary)
	return n, errors.Join(err, z.Close())
}
