// Package bar answers POST /bar. It shows a login, and a body that is checked against
// the JSON Schema beside it before the handler sees it.
package bar

import (
	_ "embed"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/validate"
)

// Function is the bar controller.
var Function = function.Function{Name: "bar", Routes: routes}

//go:embed schema.json
var schemaJSON []byte

func routes(app *function.App, r chi.Router) error {
	login, err := auth.Required(app)
	if err != nil {
		return err
	}
	schema, err := validate.Compile(schemaJSON)
	if err != nil {
		return err
	}
	r.With(login).Post("/bar", app.Handle(validate.JSON(schema, colors)))
	return nil
}

// greeting is what schema.json describes.
type greeting struct {
	World []struct {
		Color string `json:"color"`
	} `json:"world"`
}

type answer struct {
	Hello string   `json:"hello"`
	Count int      `json:"count"`
	Data  []string `json:"data"` // the colors, in the order of the request
}

func colors(w http.ResponseWriter, _ *http.Request, in greeting) error {
	out := answer{Hello: "world", Count: len(in.World), Data: make([]string, len(in.World))}
	for i, thing := range in.World {
		out.Data[i] = thing.Color
	}
	return function.JSON(w, http.StatusOK, out)
}
