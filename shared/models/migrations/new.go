package migrations

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/tandem-api/tandem/shared/database"
)

// Dir is where the migrations' sources are, from the root of the module.
const Dir = "shared/models/migrations"

var fileName = regexp.MustCompile(`^(\d+)_[a-z0-9_]+\.sql$`)

var stepName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

const blank = `-- +goose Up

-- +goose Down
`

// New writes an empty migration of that name (small letters, digits and _) for each
// dialect under dir, with the next number, and returns the files to be filled in.
func New(dir, name string) ([]string, error) {
	if !stepName.MatchString(name) {
		return nil, fmt.Errorf("migration name %q: small letters, digits and _ only, a letter first", name)
	}
	last := 0
	dialects := []string{database.SQLite, database.Postgres}
	for _, d := range dialects {
		entries, err := os.ReadDir(filepath.Join(dir, d))
		if err != nil {
			return nil, fmt.Errorf("new migration: %w", err)
		}
		for _, e := range entries {
			if m := fileName.FindStringSubmatch(e.Name()); m != nil {
				n, _ := strconv.Atoi(m[1]) // digits, by the expression
				last = max(last, n)
			}
		}
	}
	var created []string
	for _, d := range dialects {
		file := filepath.Join(dir, d, fmt.Sprintf("%05d_%s.sql", last+1, name))
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return created, fmt.Errorf("new migration: %w", err)
		}
		_, err = f.WriteString(blank)
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return created, fmt.Errorf("new migration: %w", err)
		}
		created = append(created, file)
	}
	return created, nil
}
