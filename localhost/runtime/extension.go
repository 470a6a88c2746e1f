package lambda

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"
)

// register takes an extension without events. Runtimes register one of themselves
// (AWS docs "runtimes-extensions-api"), because Lambda sends SIGTERM only to processes
// that have. Here all of them get it. Extensions with events are refused.
func (a *runtimeAPI) register(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&asked); err != nil {
		refuse(w, http.StatusForbidden, "InvalidRequestFormat", "the body is not a registration")
		return
	}
	if len(asked.Events) > 0 {
		refuse(w, http.StatusForbidden, "Extension.InvalidEventType", "extensions have no events on this host")
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", uuid.NewString())
	body, _ := json.Marshal(map[string]string{ // strings only: it cannot fail
		"functionName": a.function.Name, "functionVersion": Version, "handler": a.function.Handler,
	})
	writeJSON(w, http.StatusOK, string(body))
}

// nextForExtension waits for an event of an extension without events.
func (a *runtimeAPI) nextForExtension(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-a.gone:
	}
}
