package probe

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/function"
)

// Seen is a request as the function's handler sees it.
type Seen struct {
	// Function is its name, by which a case knows the route.
	Function string `json:"function"`

	Method  string              `json:"method"`
	Path    string              `json:"path"`    // decoded
	Escaped string              `json:"escaped"` // as the handler's URL would write it
	URI     string              `json:"uri"`     // RequestURI
	Query   string              `json:"query"`   // raw
	Values  map[string][]string `json:"values"`  // of the query, decoded
	Params  map[string]string   `json:"params"`  // of the function's own route, decoded
	Host    string              `json:"host"`
	// Remote is the client's address: its IP, then ":" and whether that is a port.
	Remote  string              `json:"remote"`
	Proto   string              `json:"proto"`
	Headers map[string][]string `json:"headers"` // by their names in lower case
	Cookies []string            `json:"cookies"` // NAME=VALUE, in order
	Form    map[string][]string `json:"form"`    // of a form in the body, with its files as "FILE: CONTENT"
	Body    Body                `json:"body"`
	// RequestID says whether the context has one.
	RequestID bool `json:"requestId"`
	// Authorizer is what the API's authorizer has said of it.
	Authorizer map[string]any `json:"authorizer,omitempty"`
}

// Body is a body that may be too large to be repeated.
type Body struct {
	Length   int    `json:"length"`
	SHA256   string `json:"sha256"`
	Text     string `json:"text"`     // where it is short, and is text
	Declared int64  `json:"declared"` // ContentLength
}

func see(app *function.App, w http.ResponseWriter, r *http.Request) error {
	seen := Seen{
		Function: app.Config.Lambda,
		Method:   r.Method, Path: r.URL.Path, Escaped: r.URL.EscapedPath(), URI: r.RequestURI,
		Query: r.URL.RawQuery, Values: r.URL.Query(), Params: params(r), Host: r.Host,
		Remote: remote(r.RemoteAddr), Proto: r.Proto, Headers: map[string][]string{},
		RequestID: requestID(r),
	}
	for name, values := range r.Header {
		seen.Headers[strings.ToLower(name)] = values
	}
	for _, c := range r.Cookies() {
		seen.Cookies = append(seen.Cookies, c.Name+"="+c.Value)
	}
	if _, err := function.Authorizer(r.Context(), &seen.Authorizer); err != nil {
		return err
	}
	var err error
	if r.URL.Path == "/form" {
		seen.Form, err = form(r)
	} else {
		seen.Body, err = body(r)
	}
	if err != nil {
		return err
	}
	return function.JSON(w, http.StatusOK, seen)
}

func params(r *http.Request) map[string]string {
	out := map[string]string{}
	for _, key := range chi.RouteContext(r.Context()).URLParams.Keys {
		out[key] = function.Param(r, key)
	}
	return out
}

// remote hides which port it is, which is different each time.
func remote(addr string) string {
	ip, port, err := net.SplitHostPort(addr)
	switch {
	case err != nil:
		return addr + " without a port"
	case port == "0":
		return ip + ":0"
	}
	return ip + ":port"
}

func body(r *http.Request) (Body, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return Body{}, err
	}
	sum := sha256.Sum256(b)
	out := Body{Length: len(b), SHA256: hex.EncodeToString(sum[:]), Declared: r.ContentLength}
	const short = 1000
	if len(b) <= short && utf8.Valid(b) {
		out.Text = string(b)
	}
	return out, nil
}

// form reads a form as most handlers do, one with files too.
func form(r *http.Request) (map[string][]string, error) {
	err := r.ParseMultipartForm(1 << 10) // larger files go to the disk
	if err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil, err
	}
	out := map[string][]string{}
	maps.Copy(out, r.PostForm)
	if r.MultipartForm == nil {
		return out, nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.MultipartForm.File)) {
		for _, file := range r.MultipartForm.File[name] {
			f, err := file.Open()
			if err != nil {
				return nil, err
			}
			content, err := io.ReadAll(f)
			_ = f.Close()
			if err != nil {
				return nil, err
			}
			sum := sha256.Sum256(content)
			out[name] = append(out[name], file.Filename+": "+hex.EncodeToString(sum[:4]))
		}
	}
	return out, nil
}
