package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func lastDay(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func weekday(year int, month time.Month, day int) time.Weekday {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()
}

// anyOf fits a day that one of them fits.
func anyOf(all []days) days {
	return func(year int, month time.Month, day int) bool {
		for _, d := range all {
			if d(year, month, day) {
				return true
			}
		}
		return false
	}
}

// parseDayOfMonth reads a list of days, ranges and steps, and of:
//
//	L     the last day of the month
//	L-3   the third before it
//	LW    the last weekday, Monday to Friday
//	15W   the weekday nearest to the 15th, in the same month
func parseDayOfMonth(text string) (days, error) {
	var all []days
	for item := range strings.SplitSeq(text, ",") {
		d, err := parseMonthItem(item)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return anyOf(all), nil
}

func parseMonthItem(item string) (days, error) {
	span := span{least: 1, most: 31}
	switch before, isWeekday := strings.CutSuffix(item, "W"); {
	case item == "L":
		return func(y int, m time.Month, d int) bool { return d == lastDay(y, m) }, nil
	case item == "LW":
		return func(y int, m time.Month, d int) bool { return d == nearestWeekday(y, m, lastDay(y, m)) }, nil
	case isWeekday:
		n, err := span.value(before)
		if err != nil {
			return nil, err
		}
		return func(y int, m time.Month, d int) bool { return n <= lastDay(y, m) && d == nearestWeekday(y, m, n) }, nil
	case strings.HasPrefix(item, "L-"):
		n, err := strconv.ParseUint(item[2:], 10, 8)
		if err != nil || n == 0 || n > 30 {
			return nil, fmt.Errorf("%q: L- is followed by 1 to 30", item)
		}
		return func(y int, m time.Month, d int) bool { return d == lastDay(y, m)-int(n) }, nil
	}
	s, err := span.parse(item)
	return func(_ int, _ time.Month, d int) bool { return s.has(d) }, err
}

// nearestWeekday moves a day from the weekend to the Friday before or the Monday
// after, and never into another month.
func nearestWeekday(year int, month time.Month, day int) int {
	switch weekday(year, month, day) {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == lastDay(year, month) {
			return day - 2
		}
		return day + 1
	}
	return day
}

// parseDayOfWeek reads a list of days, 1 or SUN to 7 or SAT, of ranges and steps,
// and of:
//
//	L     the last day of the week, Saturday
//	6L    the last Friday of the month; also FRIL
//
// or alone 6#3, the third Friday of the month; also FRI#3.
func parseDayOfWeek(text string) (days, error) {
	if on, count, ok := strings.Cut(text, "#"); ok {
		return parseCounted(on, count)
	}
	var all []days
	for item := range strings.SplitSeq(text, ",") {
		d, err := parseWeekItem(item)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return anyOf(all), nil
}

var week = span{least: 1, most: 7, names: dayNames}

func parseWeekItem(item string) (days, error) {
	if item == "L" {
		item = "7"
	}
	if before, ok := strings.CutSuffix(item, "L"); ok {
		n, err := week.value(before)
		if err != nil {
			return nil, err
		}
		return func(y int, m time.Month, d int) bool {
			return d > lastDay(y, m)-7 && int(weekday(y, m, d)) == n-1
		}, nil
	}
	s, err := week.parse(item)
	return func(y int, m time.Month, d int) bool { return s.has(int(weekday(y, m, d)) + 1) }, err
}

func parseCounted(on, count string) (days, error) {
	n, err := week.value(on)
	if err != nil {
		return nil, err
	}
	nth, err := span{least: 1, most: 5}.value(count)
	if err != nil {
		return nil, fmt.Errorf("after #, which must stand alone: %w", err)
	}
	return func(y int, m time.Month, d int) bool {
		return (d-1)/7 == nth-1 && int(weekday(y, m, d)) == n-1
	}, nil
}
