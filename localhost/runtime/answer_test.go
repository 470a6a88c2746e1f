package lambda

import "testing"

func TestTwoCasesOfAHeadersName(t *testing.T) {
	for _, payload := range []string{
		`{"statusCode":200,"headers":{"x-a":"low","X-A":"high","X-a":"mid"}}`,
		`{"statusCode":200,"multiValueHeaders":{"x-a":["low"],"X-A":["high"],"X-a":["mid"]}}`,
	} {
		for range 50 {
			a, err := readAnswer([]byte(payload), "1.0")
			if err != nil || a.headers.Get("X-A") != "low" {
				t.Fatalf("%s: %v, %v", payload, a.headers, err)
			}
		}
	}
}
