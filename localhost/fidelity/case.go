// Package fidelity holds the local host against what API Gateway and Lambda do: one
// suite of cases, as data in testdata/cases, that every stage has to pass. A stage is a
// way to serve the functions: this process, processes of their own, the bare
// bootstraps, or AWS' own emulator. docs/fidelity.md is written from the cases and the
// outcome; see Page.
package fidelity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// Stage is a way to serve the functions.
type Stage string

// The stages.
const (
	InProcess Stage = "in process" // the local host, as it is by default
	Nginx     Stage = "nginx"      // the same, with nginx on the way
	Processes Stage = "processes"  // the local host with -isolate
	Bootstrap Stage = "bootstrap"  // a bootstrap, and the least of a Runtime API
	SAM       Stage = "sam"        // sam local start-api
)

// Stages are all of them, in the order of the page.
var Stages = []Stage{InProcess, Nginx, Processes, Bootstrap, SAM}

// Topic is a file of cases.
type Topic struct {
	Title string `yaml:"topic"`
	Rules []Rule `yaml:"rules"`
}

// Rule is something that API Gateway or Lambda does.
type Rule struct {
	Text string `yaml:"rule"`
	// Source is where it is from: a page of the AWS documentation by its file name, or
	// another. (?) marks a measurement of others, or an inference.
	Source string `yaml:"source"`
	// API is the template in testdata/apis that its cases ask, "main" by default.
	API string `yaml:"api"`
	// Except holds for those of its cases that do not say otherwise; {} says that there
	// is none.
	Except map[Stage]Exception `yaml:"except"`
	Cases  []Case              `yaml:"cases"`
}

// Case is a request and its answer.
type Case struct {
	Name    string `yaml:"name"`
	Request `yaml:",inline"`
	Want    Want                `yaml:"want"`
	Except  map[Stage]Exception `yaml:"except"`
}

// Exception says how a stage departs from a case.
type Exception struct {
	// Not says why the stage is not asked at all.
	Not string `yaml:"not"`
	// Why says why it answers otherwise: then Want is what it does answer, and it is
	// held to that.
	Why  string `yaml:"why"`
	Want `yaml:",inline"`
}

// Exception returns how the stage departs from the rule's case, and whether it does.
func (r Rule) Exception(c Case, s Stage) (Exception, bool) {
	e, ok := c.Except[s]
	if !ok {
		e = r.Except[s]
	}
	return e, e.Why+e.Not != ""
}

// Load reads the cases of a folder, a topic a file, in the order of their names.
func Load(dir string) ([]Topic, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var topics []Topic
	names := map[string]string{}
	for _, file := range files {
		t, err := load(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := t.check(names, filepath.Base(file)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		topics = append(topics, t)
	}
	return topics, nil
}

func load(file string) (Topic, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Topic{}, err
	}
	var t Topic
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true) // a misspelt key would be a check that nobody makes
	if err := d.Decode(&t); err != nil && !errors.Is(err, io.EOF) {
		return Topic{}, err
	}
	for i := range t.Rules {
		r := &t.Rules[i]
		if r.API == "" {
			r.API = "main"
		}
		r.Text = strings.TrimSpace(r.Text)
	}
	return t, nil
}

// check finds cases that check nothing, or that the page could not tell apart.
func (t Topic) check(names map[string]string, file string) error {
	var wrong []error
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for _, r := range t.Rules {
		if r.Text == "" || r.Source == "" || len(r.Cases) == 0 {
			fail("the rule %q lacks its text, source or cases", r.Text)
		}
		for _, c := range r.Cases {
			if other, taken := names[c.Name]; taken || c.Name == "" {
				fail("the name %q stands in %s already, or is none", c.Name, other)
			}
			names[c.Name] = file
			if c.Head == "" || c.Want.empty() {
				fail("the case %q has no request, or wants nothing", c.Name)
			}
			if (c.Token != nil) != strings.Contains(c.Head, "{token}") {
				fail("the case %q has a token, or a place for one, and not both", c.Name)
			}
			for s, e := range c.Except {
				_, ofRule := r.Except[s]
				if ofRule && e.Not == "" && e.Why == "" && e.empty() {
					continue // the rule's exception is not one for this case
				}
				if (e.Not == "") == (e.Why == "") || (e.Why == "") != e.empty() {
					fail("the case %q: for %s it says either why not, or why and what else", c.Name, s)
				}
			}
		}
	}
	return errors.Join(wrong...)
}
