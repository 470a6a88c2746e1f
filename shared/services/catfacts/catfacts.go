// Package catfacts is a client of a cat facts service, https://catfact.ninja or one
// that answers alike. It is an example of a third party: slow, wrong or down at
// times, and none of that may reach further than an error with a name.
package catfacts

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tandem-api/tandem/shared/function"
)

const (
	// timeout is for a whole call: connecting, redirects, headers and body.
	timeout = 3 * time.Second
	// maxBody is the most that is read of an answer, decompressed. A fact is a
	// sentence.
	maxBody = 64 << 10
	// maxRedirects are followed within the service.
	maxRedirects = 3
	userAgent    = "tandem (+https://github.com/tandem-api/tandem)"
)

var client = function.Resource[*Client]{
	Name:  "catfacts",
	Open:  func(app *function.App) (*Client, error) { return New(app.Config.CatfactsURL), nil },
	Close: (*Client).Close,
}

// Of returns the App's client, of the service at CATFACTS_URL.
func Of(app *function.App) (*Client, error) { return client.Of(app) }

// Client asks one service for facts. It may be used by many at once.
type Client struct {
	baseURL string
	http    *http.Client
}

// New returns a client of the service at that base URL, without a slash at its end.
// It connects at the first call.
func New(baseURL string) *Client {
	return &Client{
		baseURL: baseURL,
		http: &http.Client{
			Timeout:       timeout,
			CheckRedirect: withinService,
			Transport: &http.Transport{
				Proxy:                  http.ProxyFromEnvironment,
				ForceAttemptHTTP2:      true,
				MaxConnsPerHost:        16, // a slow service must not gather our connections
				MaxIdleConnsPerHost:    16,
				IdleConnTimeout:        30 * time.Second,
				MaxResponseHeaderBytes: maxBody,
			},
		},
	}
}

// withinService follows redirects to the same scheme and host only: we chose to
// trust that service and no other. Any other redirect is the answer itself, and so
// a StatusError.
func withinService(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if len(before) > maxRedirects || next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// Fact returns a fact, within 3 s or the context's own time. The error is, or
// wraps, ErrTimeout, ErrUnavailable, a *StatusError or ErrMalformed; or it is the
// context's, where the caller has cancelled.
func (c *Client) Fact(ctx context.Context) (string, error) {
	body, err := c.get(ctx, "/fact")
	if err != nil {
		return "", fmt.Errorf("get a cat fact: %w", err)
	}
	fact, err := decode(body)
	if err != nil {
		return "", fmt.Errorf("get a cat fact: %w: %w", ErrMalformed, err)
	}
	return fact, nil
}

func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.baseURL+path, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", userAgent)
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, transportError(ctx, err)
	}
	defer func() { _ = answer.Body.Close() }()

	if answer.StatusCode != http.StatusOK {
		return nil, &StatusError{Status: answer.StatusCode}
	}
	// One byte more than allowed tells a body that is too large from one that fits.
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err != nil {
		return nil, transportError(ctx, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrMalformed, maxBody)
	}
	return body, nil
}

// decode takes {"fact":"…"}; the service sends the fact's length too, of which we
// make nothing.
func decode(body []byte) (string, error) {
	var answer struct {
		Fact string `json:"fact"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", err
	}
	fact := strings.TrimSpace(answer.Fact)
	if fact == "" {
		return "", errNoFact
	}
	return fact, nil
}

// Close closes the connections that are not in use.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}
