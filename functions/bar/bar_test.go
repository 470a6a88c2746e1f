package bar_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/functions/bar"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/config"
)

func TestColors(t *testing.T) {
	app := apptest.New(t)
	url := app.Serve(bar.Function) + "/bar"
	login := "Bearer " + app.Token("ada")
	const fits = `{"hello":"world","world":[{"color":"red"},{"color":"blue","size":2.5}]}`

	for _, c := range []struct {
		name              string
		login, mediaType  string
		body              string
		status            int
		answer            string   // of a 200
		violationPointers []string // of a 422
	}{
		{name: "fits", body: fits, status: 200, answer: `{"hello":"world","count":2,"data":["red","blue"]}`},
		{name: "members that the schema does not know", body: `{"hello":"","world":[{"color":"red","shade":1}],"x":null}`, status: 200, answer: `{"hello":"world","count":1,"data":["red"]}`},
		{name: "with a charset", mediaType: "application/json; charset=utf-8", body: fits, status: 200, answer: `{"hello":"world","count":2,"data":["red","blue"]}`},

		{name: "no login", login: "-", body: fits, status: 401},
		{name: "no login comes before a bad body", login: "-", body: `{`, status: 401},
		{name: "somebody else's token", login: login[:len(login)-2], body: fits, status: 401},

		{name: "nothing", body: ``, status: 400},
		{name: "no JSON", body: `hello`, status: 400},
		{name: "cut short", body: fits[:30], status: 400},
		{name: "something after the end", body: fits + `{}`, status: 400},
		{name: "a member twice", body: `{"hello":"a","hello":"b","world":[{"color":"red"}]}`, status: 400},
		{name: "a form", mediaType: "application/x-www-form-urlencoded", body: `hello=world`, status: 415},
		{name: "no media type", mediaType: "-", body: fits, status: 415},
		{name: "over the limit", body: `{"hello":"` + strings.Repeat("a", 1<<20) + `"}`, status: 413},

		{name: "an empty object", body: `{}`, status: 422, violationPointers: []string{"/hello", "/world"}},
		{name: "no object", body: `[]`, status: 422, violationPointers: []string{""}},
		{name: "no color", body: `{"hello":"a","world":[]}`, status: 422, violationPointers: []string{"/world"}},
		{name: "every violation is named", body: `{"hello":1,"world":[{"color":"red"},{"color":2,"size":"big"},{}]}`, status: 422,
			violationPointers: []string{"/hello", "/world/1/color", "/world/1/size", "/world/2/color"}},
		{name: "a name in capitals is another name", body: `{"hello":"a","world":[{"Color":"red"}]}`, status: 422, violationPointers: []string{"/world/0/color"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := apptest.Do(t, "POST", url, c.body, header(c.login, login, c.mediaType))
			if got.Status != c.status {
				t.Fatalf("%d %s, want %d", got.Status, got.Body, c.status)
			}
			if c.status == http.StatusOK {
				if got.Body != c.answer {
					t.Errorf("%s, want %s", got.Body, c.answer)
				}
				return
			}
			var problem struct {
				Status int
				Errors []struct{ Pointer, Message string }
			}
			if err := json.Unmarshal([]byte(got.Body), &problem); err != nil || problem.Status != c.status ||
				got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("no problem document: %s", got.Body)
			}
			var pointers []string
			for _, v := range problem.Errors {
				pointers = append(pointers, v.Pointer)
				if v.Message == "" {
					t.Errorf("nothing is said of %q", v.Pointer)
				}
			}
			if !reflect.DeepEqual(pointers, c.violationPointers) {
				t.Errorf("violations at %q, want %q", pointers, c.violationPointers)
			}
		})
	}
	if reports := app.Reports(); len(reports) > 0 {
		t.Errorf("the client's mistakes were reported: %+v", reports)
	}
}

// header leaves out what is "-", and takes the usual value for what is empty.
func header(login, usual, mediaType string) http.Header {
	h := http.Header{"Authorization": {usual}, "Content-Type": {"application/json"}}
	for name, value := range map[string]string{"Authorization": login, "Content-Type": mediaType} {
		switch value {
		case "":
		case "-":
			h.Del(name)
		default:
			h.Set(name, value)
		}
	}
	return h
}

func TestRefusesToStartWithoutASecret(t *testing.T) {
	app := apptest.New(t, func(c *config.Config) { c.AuthSecrets = nil })
	if _, err := bar.Function.Handler(app.App); err == nil || !strings.Contains(err.Error(), auth.ErrNoSecret.Error()) {
		t.Errorf("error %v, want %v", err, auth.ErrNoSecret)
	}
}
