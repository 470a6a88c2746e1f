package template

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"gopkg.in/yaml.v3"
)

// SamConfig returns the parameter_overrides that `sam local start-api` would take
// from a samconfig.toml (or .yaml), for Options.Overrides: those of its environment's
// [default.local_start_api.parameters] over those of [default.global.parameters]. What
// stands under deploy is for a deployment, and is not read. The environment is
// "default" where it is "". A file that is not there overrides nothing.
func SamConfig(path, environment string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read parameter overrides: %w", err)
	}
	var file map[string]any
	if strings.HasSuffix(path, ".toml") {
		err = toml.Unmarshal(text, &file)
	} else {
		err = yaml.Unmarshal(text, &file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if environment == "" {
		environment = "default"
	}
	out := map[string]string{}
	for _, command := range []string{"global", "local_start_api"} {
		value, ok := dig(file, environment, command, "parameters", "parameter_overrides")
		if !ok {
			continue
		}
		clear(out) // the command's replace the global ones, all of them
		if err := overrides(out, value); err != nil {
			return nil, fmt.Errorf("%s: %s.%s.parameters: parameter_overrides: %w", path, environment, command, err)
		}
	}
	return out, nil
}

func dig(in any, path ...string) (any, bool) {
	for _, key := range path {
		table, ok := in.(map[string]any)
		if !ok {
			return nil, false
		}
		if in, ok = table[key]; !ok {
			return nil, false
		}
	}
	return in, true
}

// overrides reads the forms that SAM knows: a text of Name=value, a list of such
// texts, or a table.
func overrides(to map[string]string, value any) error {
	switch v := value.(type) {
	case string:
		return overridesOfText(to, v)
	case []any:
		for _, item := range v {
			if err := overrides(to, item); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, item := range v {
			if name == "$include" {
				return errors.New("$include is not known here: write the values into this file")
			}
			to[name] = written(item)
		}
	default:
		return fmt.Errorf("%v is neither a text, a list nor a table", v)
	}
	return nil
}

// written is a value of a table as a parameter has it: a list with commas between.
func written(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []any:
		var all []string
		for _, item := range v {
			if text := strings.TrimSpace(written(item)); text != "" {
				all = append(all, text)
			}
		}
		return strings.Join(all, ",")
	}
	return fmt.Sprint(value)
}

// overridesOfText reads `Name=value Other="a value"`, or the older
// `ParameterKey=Name,ParameterValue=value …`.
func overridesOfText(to map[string]string, text string) error {
	if strings.HasPrefix(text, "file://") {
		return errors.New("file:// is not known here: write the values into this file")
	}
	words, err := split(text)
	if err != nil {
		return err
	}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if name == "ParameterKey" {
			name, value, ok = strings.Cut(value, ",ParameterValue=")
		}
		if !ok || name == "" {
			return fmt.Errorf("%q is not Name=value", word)
		}
		to[name] = value
	}
	return nil
}

// split parts a text at its spaces, but for those within quotes or after a backslash.
func split(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote byte
	inWord := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text) && slices.Contains([]byte{' ', '"', '\''}, text[i+1]):
			i++
			word.WriteByte(text[i])
			inWord = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inWord = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %c is not closed in %q", quote, text)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
