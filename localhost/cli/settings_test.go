package cli

import (
	"path/filepath"
	"testing"
)

func TestTheLocalSecretIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tmp", "secret")
	results := make(chan string)
	for range 8 {
		go func() {
			s, err := localSecret(path)
			if err != nil {
				t.Error(err)
			}
			results <- s.Reveal()
		}()
	}
	first := <-results
	for range 7 {
		if next := <-results; next != first || len(next) < 32 {
			t.Errorf("two secrets for one file: of %d and %d bytes", len(first), len(next))
		}
	}
}
