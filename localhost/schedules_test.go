package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
)

func TestServeFiresTheTemplatesSchedules(t *testing.T) {
	t.Parallel()
	if _, err := program(); err != nil { // which takes its time
		t.Fatal(err)
	}
	soon := time.Now().Add(3 * time.Second).UTC().Format("at(2006-01-02T15:04:05)")
	dir := t.TempDir()
	write(t, dir, "template.yaml", `Resources:
  WorkFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/work/bootstrap, Timeout: 10, Events: {Soon: {Type: ScheduleV2, Properties: {ScheduleExpression: "`+soon+`"}}}}
`)
	p := start(t, []string{"LOG_FORMAT=json"}, "-template", filepath.Join(dir, "template.yaml"))
	apptest.Eventually(t, "the function takes the event", func() bool {
		for line := range strings.Lines(p.stderr.String()) {
			if strings.Contains(line, `"msg":"event"`) && strings.Contains(line, `"function":"work"`) && strings.Contains(line, `"job":"scheduled_event"`) {
				return true
			}
		}
		return false
	})
	if code := p.stop(t, os.Interrupt); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}
