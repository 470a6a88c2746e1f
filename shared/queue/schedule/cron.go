package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The years that EventBridge knows.
const firstYear, lastYear = 1970, 2199

// cron is a cron expression: the times that each of its fields allows.
type cron struct {
	minutes, hours, months, years set
	day                           days
	location                      *time.Location
}

// days says whether a day fits the expression.
type days func(year int, month time.Month, day int) bool

func parseCron(text string, location *time.Location) (func(time.Time) time.Time, error) {
	fields := strings.Fields(strings.ToUpper(text))
	if len(fields) != 6 {
		return nil, fmt.Errorf("cron has six fields, and %d are here: minutes, hours, day of month, month, day of week, year", len(fields))
	}
	c := cron{location: location}
	var wrong []error
	read := func(name string, i int, span span) set {
		s, err := span.parse(fields[i])
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		}
		return s
	}
	c.minutes = read("minutes", 0, span{least: 0, most: 59})
	c.hours = read("hours", 1, span{least: 0, most: 23})
	c.months = read("month", 3, span{least: 1, most: 12, names: monthNames})
	c.years = read("year", 5, span{least: firstYear, most: lastYear})
	var err error
	switch ofMonth, ofWeek := fields[2], fields[4]; {
	case (ofMonth == "?") == (ofWeek == "?"):
		err = errors.New("one of day of month and day of week must be ?, and the other not")
	case ofWeek == "?":
		if c.day, err = parseDayOfMonth(ofMonth); err != nil {
			err = fmt.Errorf("day of month: %w", err)
		}
	default:
		if c.day, err = parseDayOfWeek(ofWeek); err != nil {
			err = fmt.Errorf("day of week: %w", err)
		}
	}
	if err := errors.Join(append(wrong, err)...); err != nil {
		return nil, err
	}
	return c.next, nil
}

// next looks at the days from that of after on, and on the first that fits at its
// minutes. Clocks that are put forward take a time away, and it does not fire; put
// back, they show a time twice, and it fires the first time only (EventBridge
// Scheduler user guide, "Daylight savings time").
func (c cron) next(after time.Time) time.Time {
	local := after.In(c.location)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	for ; day.Year() <= lastYear; day = day.AddDate(0, 0, 1) {
		if !c.years.has(day.Year()) {
			day = time.Date(day.Year(), time.December, 31, 0, 0, 0, 0, time.UTC)
			continue
		}
		if !c.months.has(int(day.Month())) || !c.day(day.Year(), day.Month(), day.Day()) {
			continue
		}
		if t := c.within(day, after); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func (c cron) within(day, after time.Time) time.Time {
	for hour := range 24 {
		if !c.hours.has(hour) {
			continue
		}
		for minute := range 60 {
			if !c.minutes.has(minute) {
				continue
			}
			civil := day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
			if t, ok := instant(civil, c.location); ok && t.After(after) {
				return t
			}
		}
	}
	return time.Time{}
}
