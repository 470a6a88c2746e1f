package lambdahttp_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

func TestWhatAnAuthorizerHasSaid(t *testing.T) {
	const request2 = `{"version":"2.0","requestContext":{"http":{"method":"GET"}`
	for _, c := range []struct{ name, event, want string }{
		{"a token's claims", request2 + `,"authorizer":{"jwt":{"claims":{"sub":"ada"},"scopes":["a"]}}}}`, `{"jwt":{"claims":{"sub":"ada"},"scopes":["a"]}}`},
		{"a function's context", request2 + `,"authorizer":{"lambda":{"user":"ada","n":1}}}}`, `{"lambda":{"n":1,"user":"ada"}}`},
		{"in 1.0", `{"httpMethod":"GET","requestContext":{"authorizer":{"principalId":"ada","n":"1"}}}`, `{"n":"1","principalId":"ada"}`},
		{"nothing", request2 + `}}`, ""},
		{"nothing in 1.0", `{"httpMethod":"GET","requestContext":{}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got string
			_, err := lambdahttp.NewHandler(quiet(), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				var said map[string]any
				ok, err := function.Authorizer(r.Context(), &said)
				if ok != (c.want != "") || err != nil {
					t.Errorf("%v, %v", ok, err)
				}
				if ok {
					text, _ := json.Marshal(said)
					got = string(text)
				}
			}), nil).Invoke(t.Context(), []byte(c.event))
			if err != nil || got != c.want {
				t.Errorf("%s, %v; want %s", got, err, c.want)
			}
		})
	}
}
