package validate

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tandem-api/tandem/shared/httperror"
)

// The library that checks a document keeps about 1 KB for each value that is wrong,
// with its path written out three times, and nothing can stop it before the last. So a
// document has a weight, valueWeight and the length of its path for each value, and a
// body may weigh weightPerByte times what its length may be. Objects of one short
// member come to 10; an array of nothing but digits, or names of many kilobytes above
// thousands of values, exceed it.
const (
	valueWeight   = 64
	weightPerByte = 16
	minWeight     = 64 << 10 // for a small limit
)

var errTooHeavy = errors.New("the document has too many values or too deep ones")

// parse reads text as JSON into the values that gojsonschema takes. It refuses what
// parsers disagree about: a name twice in an object, bytes that are not UTF-8, anything
// after the document. Numbers that no float64 comes near are violations: gojsonschema
// would compute with all their digits.
func parse(text []byte, limit int64) (any, []httperror.Violation, error) {
	p := parser{
		dec:  jsontext.NewDecoder(bytes.NewBuffer(text)),
		left: max(minWeight, limit*weightPerByte),
	}
	document, err := p.value(0)
	rest := bytes.TrimLeft(text[p.dec.InputOffset():], " \t\r\n")
	switch {
	case errors.Is(err, errTooHeavy):
		return nil, nil, err
	case err != nil:
		return nil, nil, malformed(text, err)
	case len(rest) > 0:
		return nil, nil, at(text, len(text)-len(rest), "there is more after the JSON document")
	}
	return document, p.violations, nil
}

type parser struct {
	dec        *jsontext.Decoder
	left       int64 // weight
	violations []httperror.Violation
}

// value reads the next value, whose path is that many bytes long.
func (p *parser) value(path int) (any, error) {
	if p.left -= valueWeight + int64(path); p.left < 0 {
		return nil, errTooHeavy
	}
	token, err := p.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		return p.object(path)
	case '[':
		return p.array(path)
	case '"':
		return token.String(), nil
	case '0':
		return p.number(token.String()), nil
	case 't':
		return true, nil
	case 'f':
		return false, nil
	default:
		return nil, nil
	}
}

func (p *parser) object(path int) (any, error) {
	object := map[string]any{}
	for p.dec.PeekKind() != '}' {
		token, err := p.dec.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		if object[name], err = p.value(path + len(name) + 1); err != nil {
			return nil, err
		}
	}
	_, err := p.dec.ReadToken()
	return object, err
}

func (p *parser) array(path int) (any, error) {
	array := []any{}
	for p.dec.PeekKind() != ']' {
		item, err := p.value(path + 7) // a slash and an index
		if err != nil {
			return nil, err
		}
		array = append(array, item)
	}
	_, err := p.dec.ReadToken()
	return array, err
}

func (p *parser) number(text string) stdjson.Number {
	if !computable(text) {
		where := strings.Split(string(p.dec.StackPointer()), "/")[1:]
		for i, token := range where {
			where[i] = unescape.Replace(token)
		}
		if len(p.violations) < maxViolations {
			p.violations = append(p.violations, violation(where, "is a number out of range"))
		}
	}
	return stdjson.Number(text)
}

// computable says whether exact arithmetic with a number is cheap. Every float64 can be
// written within these bounds.
func computable(text string) bool {
	const maxDigits, maxExponent = 1100, 400
	if len(text) > maxDigits {
		return false
	}
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return true
	}
	exponent, err := strconv.Atoi(strings.TrimPrefix(text[i+1:], "+"))
	return err == nil && -maxExponent <= exponent && exponent <= maxExponent
}

// malformed says where a document stops being JSON, and why.
func malformed(text []byte, err error) error {
	e, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok || errors.Is(err, io.ErrUnexpectedEOF): // an io.EOF: there is nothing but space
		return at(text, len(text), "the document ends too early")
	case errors.Is(err, jsontext.ErrDuplicateName):
		return at(text, int(e.ByteOffset), "a name stands twice in one object")
	default:
		return at(text, int(e.ByteOffset), e.Err.Error())
	}
}

func at(text []byte, offset int, why string) error {
	before := text[:min(offset, len(text))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Errorf("line %d, column %d: %s", line, column, why)
}
