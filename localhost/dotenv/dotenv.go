// Package dotenv reads the settings of one machine from a .env file. Lambda has none.
package dotenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/joho/godotenv"

	"github.com/tandem-api/tandem/shared/config"
)

// File is where the settings of this machine stand. It is not under version control.
const File = ".env"

// Lookup returns a lookup that knows the variables of the file too, if there is one.
// The environment wins.
func Lookup(lookup config.Lookup, file string) (config.Lookup, error) {
	values, err := read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return lookup, nil
	}
	if err != nil {
		// The parser's own error quotes the file, and with it perhaps a secret.
		return nil, fmt.Errorf("%s: not readable as lines of KEY=value", file)
	}
	return func(key string) (string, bool) {
		if v, ok := lookup(key); ok {
			return v, true
		}
		v, ok := values[key]
		return v, ok
	}, nil
}

// dollar stands for a $ while the library parses: it would take $X1 for the value of an
// earlier line, or for nothing, and so change a password without a word.
const dollar = "\uE000"

func read(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	values, err := godotenv.Unmarshal(strings.ReplaceAll(string(text), "$", dollar))
	for key, value := range values {
		values[key] = strings.ReplaceAll(value, dollar, "$")
	}
	return values, err
}
