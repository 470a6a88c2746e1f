package apptest

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// Answer is what a request got.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Get asks for the URL, and follows no redirect.
func Get(t testing.TB, url string) Answer {
	t.Helper()
	return Do(t, http.MethodGet, url, "", nil)
}

// Do sends a request with that body and these headers, and follows no redirect.
func Do(t testing.TB, method, url, body string, header http.Header) Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	w, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatalf("read the answer of %s %s: %v", method, url, err)
	}
	return Answer{Status: w.StatusCode, Header: w.Header, Body: string(text)}
}
