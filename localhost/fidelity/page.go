package fidelity

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Recorded is what a stage that not every machine can run has passed, the last time
// that it was run.
type Recorded struct {
	// Version is the stage's own, such as "SAM CLI 1.170.0".
	Version string `json:"version"`
	// Cases are the digests of the cases, by name: one that has changed since does not
	// count.
	Cases map[string]string `json:"cases"`
}

// Digest tells what a case is for the stage, with the text of its API's template, from
// what it was before.
func (r Rule) Digest(c Case, s Stage, api []byte) string {
	e, _ := r.Exception(c, s)
	text, err := yaml.Marshal([]any{c.Request, c.Want, e})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(append(text, api...))
	return hex.EncodeToString(sum[:6])
}

// Page writes docs/fidelity.md for cases that every stage has passed, each as its
// exceptions say. Of SAM count those that has says have been recorded.
func Page(topics []Topic, sam Recorded, has func(Rule, Case) bool) string {
	p := page{sam: sam, has: has, numbers: map[string]int{}}
	total := 0
	for _, t := range topics {
		for _, r := range t.Rules {
			total += len(r.Cases)
		}
	}
	p.printf(intro, total, sam.Version)
	for _, t := range topics {
		p.topic(t)
	}
	p.printf("\n## Where a stage departs\n\n")
	for i, note := range p.notes {
		p.printf("%d. **%s**: %s. %s\n", i+1, titles[note.stage], note.text, cases(note.cases))
	}
	return p.String()
}

const intro = `# Fidelity

<!-- Written by go test ./localhost/fidelity -update. Do not edit. -->

%d cases, each a request and its answer, are asked of every way to serve the functions:

- **in process**: the local host as it is by default, each function a handler in it;
- **nginx**: the same, with nginx in front;
- **processes**: the local host with ` + "`-isolate`" + `, each function its bootstrap in processes of their own;
- **bootstrap**: the bootstraps under a Runtime API that does nothing else, with the gateway's events, their
  answers taken by AWS' own types;
- **SAM**: ` + "`sam local start-api`" + ` in Docker (%s).

` + "`3/3`" + ` says that three of three cases have the answer that API Gateway and Lambda give. A number after it is a note
at the end: why a case has another answer there (it is held to that one), or is not asked. A dash stands
for a rule that the stage is not asked about at all. (?) marks a rule that rests on others' measurements, or is inferred.

The cases are in localhost/fidelity/testdata/cases. ` + "`go test ./localhost/fidelity`" + ` asks all stages but SAM, which
` + "`make fidelity`" + ` asks too.
`

var titles = map[Stage]string{InProcess: "in process", Nginx: "nginx", Processes: "processes", Bootstrap: "bootstrap", SAM: "SAM"}

type page struct {
	strings.Builder
	sam     Recorded
	has     func(Rule, Case) bool
	notes   []*note
	numbers map[string]int
}

// note is a reason, and the cases that it is for.
type note struct {
	stage Stage
	text  string
	cases []string
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

func (p *page) topic(t Topic) {
	p.printf("\n## %s\n\n| rule | source |", t.Title)
	for _, s := range Stages {
		p.printf(" %s |", titles[s])
	}
	p.printf("\n| --- | --- |%s\n", strings.Repeat(" --- |", len(Stages)))
	for _, r := range t.Rules {
		p.printf("| %s | %s |", r.Text, r.Source)
		for _, s := range Stages {
			p.printf(" %s |", p.cell(r, s))
		}
		p.printf("\n")
	}
}

// cell says how many of the rule's cases the stage answers as it should, and which
// notes say more of the others.
func (p *page) cell(r Rule, s Stage) string {
	same, asked := 0, 0
	var notes []int
	for _, c := range r.Cases {
		e, departs := r.Exception(c, s)
		switch {
		case departs:
			asked += min(1, len(e.Why))
			notes = append(notes, p.note(s, e.Why+e.Not, c.Name))
		case s == SAM && !p.has(r, c):
			asked++
			notes = append(notes, p.note(s, "not asked yet", c.Name))
		default:
			asked++
			same++
		}
	}
	text := fmt.Sprintf("%d/%d", same, asked)
	if asked == 0 {
		text = "–"
	}
	slices.Sort(notes)
	for _, n := range slices.Compact(notes) {
		text += fmt.Sprintf(" [%d]", n)
	}
	return text
}

// note returns the number of a reason.
func (p *page) note(s Stage, text, name string) int {
	key := string(s) + text
	if p.numbers[key] == 0 {
		p.notes = append(p.notes, &note{stage: s, text: text})
		p.numbers[key] = len(p.notes)
	}
	n := p.notes[p.numbers[key]-1]
	n.cases = append(n.cases, name)
	return p.numbers[key]
}

// cases names the cases of a note, or where they are many, some.
func cases(names []string) string {
	const most = 4
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "“" + name + "”"
	}
	if len(quoted) > most {
		return fmt.Sprintf("(%s and %d more)", strings.Join(quoted[:most-1], ", "), len(quoted)-most+1)
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}

// ReadRecorded reads what a stage has passed.
func ReadRecorded(text []byte) (Recorded, error) {
	var r Recorded
	err := json.Unmarshal(text, &r)
	return r, err
}
