package gateway_test

import (
	"net/http"
	"testing"
)

const throttled = `
Resources:
  Api: {Type: AWS::Serverless::HttpApi, Properties: {DefaultRouteSettings: {ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1}}}
  A:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /a}}}
`

func TestRatesOfTheTemplateCountOnRequest(t *testing.T) {
	for name, c := range map[string]struct {
		throttle bool
		want     int
	}{
		"by default they do not": {false, http.StatusOK},
		"with Throttle":          {true, http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			addr := stage{template: throttled, function: ok, throttle: c.throttle}.start(t)
			var last int
			for range 2 {
				answer, err := http.Get("http://" + addr + "/a")
				if err != nil {
					t.Fatal(err)
				}
				_ = answer.Body.Close()
				last = answer.StatusCode
			}
			if last != c.want {
				t.Errorf("the second request: %d, want %d", last, c.want)
			}
		})
	}
}
