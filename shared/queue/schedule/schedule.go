// Package schedule reads the schedule expressions of Amazon EventBridge and says
// when they fire:
//
//	cron(minutes hours day-of-month month day-of-week year)
//	rate(5 minutes)
//	at(2026-11-23T08:00:00)
//
// The rules are those of the EventBridge user guide, "Setting a schedule pattern",
// and of the EventBridge Scheduler user guide, "Schedule types".
package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // machines without a time zone database know the zones too
)

// Schedule is a schedule expression in a time zone.
type Schedule struct {
	text string
	next func(after time.Time) time.Time
}

// Parse reads an expression. The zone is a name such as "Europe/Berlin"; empty means
// UTC. A rate has no use for it.
func Parse(expression, zone string) (*Schedule, error) {
	fail := func(err error) (*Schedule, error) {
		return nil, fmt.Errorf("schedule %q: %w", expression, err)
	}
	location, err := time.LoadLocation(zone) // "" is UTC
	if err != nil || zone == "Local" {
		return fail(fmt.Errorf("there is no time zone %q", zone))
	}
	kind, rest, _ := strings.Cut(expression, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !closed {
		return fail(fmt.Errorf("it is none of cron(…), rate(…) and at(…)"))
	}
	s := &Schedule{text: expression}
	switch kind {
	case "cron":
		s.next, err = parseCron(inner, location)
	case "rate":
		s.next, err = parseRate(inner)
	case "at":
		s.next, err = parseAt(inner, location)
	default:
		err = fmt.Errorf("it is none of cron(…), rate(…) and at(…)")
	}
	if err != nil {
		return fail(err)
	}
	return s, nil
}

// Next returns the first time after that one at which the schedule fires, or the
// zero time where there is none.
func (s *Schedule) Next(after time.Time) time.Time { return s.next(after) }

// String returns the expression.
func (s *Schedule) String() string { return s.text }

// parseRate reads "5 minutes". EventBridge counts from the moment when the rule was
// made; here a rate fires at the multiples of its length since 1970 in UTC, so that
// all processes agree.
func parseRate(text string) (func(time.Time) time.Time, error) {
	value, unit, _ := strings.Cut(text, " ")
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("%q is not a whole number over 0", value)
	}
	singular, plural := strings.CutSuffix(unit, "s")
	length, ok := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[singular]
	if !ok {
		return nil, fmt.Errorf("%q is none of minute, minutes, hour, hours, day and days", unit)
	}
	if plural != (n > 1) {
		return nil, fmt.Errorf("the unit is in the singular with 1, and in the plural with more")
	}
	every := int64(n) * int64(length/time.Second)
	if n > uint64(100*365*24*time.Hour/length) {
		return nil, fmt.Errorf("it is over a hundred years")
	}
	return func(after time.Time) time.Time {
		return time.Unix((after.Unix()/every+1)*every, 0).UTC()
	}, nil
}

// parseAt reads "2026-11-23T08:00:00".
func parseAt(text string, location *time.Location) (func(time.Time) time.Time, error) {
	civil, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time of the form yyyy-mm-ddThh:mm:ss", text)
	}
	at, ok := instant(civil, location)
	if !ok {
		return nil, fmt.Errorf("%s has no such time: clocks are put forward over it", location)
	}
	return func(after time.Time) time.Time {
		if at.After(after) {
			return at
		}
		return time.Time{}
	}, nil
}

// instant returns when clocks in the location show the civil time (given in UTC). Of
// two such moments, as clocks are put back, it is the first; where clocks are put
// forward over the time, there is none.
func instant(civil time.Time, location *time.Location) (time.Time, bool) {
	var first time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := civil.Add(near).In(location).Zone()
		t := civil.Add(-time.Duration(offset) * time.Second).In(location)
		shown := t.Year() == civil.Year() && t.YearDay() == civil.YearDay() &&
			t.Hour() == civil.Hour() && t.Minute() == civil.Minute() && t.Second() == civil.Second()
		if shown && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first, !first.IsZero()
}
