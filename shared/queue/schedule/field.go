package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// span is what a field may hold: numbers from least to most, or names for them.
type span struct {
	least, most int
	names       []string // of least, least+1, …
}

// set holds numbers.
type set map[int]struct{}

func (s set) has(n int) bool { _, ok := s[n]; return ok }

// parse reads a list of *, 5, 5-10, and of each with a step: */15, 5/15, 5-30/15. A
// range may wrap around: FRI-MON.
func (sp span) parse(text string) (set, error) {
	s := set{}
	for item := range strings.SplitSeq(text, ",") {
		from, to, step, err := sp.item(item)
		if err != nil {
			return nil, err
		}
		if to < from {
			to += sp.most - sp.least + 1
		}
		for n := from; n <= to; n += step {
			s[sp.least+(n-sp.least)%(sp.most-sp.least+1)] = struct{}{}
		}
	}
	return s, nil
}

func (sp span) item(item string) (from, to, step int, err error) {
	numbers, steps, stepped := strings.Cut(item, "/")
	step = 1
	if stepped {
		n, err := strconv.ParseUint(steps, 10, 16)
		if err != nil || n == 0 || int(n) > sp.most {
			return 0, 0, 0, fmt.Errorf("%q: the step must be 1 to %d", item, sp.most)
		}
		step = int(n)
	}
	first, last, isRange := strings.Cut(numbers, "-")
	switch {
	case numbers == "*":
		return sp.least, sp.most, step, nil
	case isRange:
		if from, err = sp.value(first); err == nil {
			to, err = sp.value(last)
		}
		if err == nil && to < from && sp.least >= firstYear {
			err = fmt.Errorf("%q: a range of years does not wrap around", item)
		}
		return from, to, step, err
	}
	from, err = sp.value(numbers)
	to = from
	if stepped {
		to = sp.most
	}
	return from, to, step, err
}

func (sp span) value(text string) (int, error) {
	for i, name := range sp.names {
		if text == name {
			return sp.least + i, nil
		}
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || int(n) < sp.least || int(n) > sp.most {
		return 0, fmt.Errorf("%q is not %s", text, sp)
	}
	return int(n), nil
}

func (sp span) String() string {
	if len(sp.names) == 0 {
		return fmt.Sprintf("%d to %d", sp.least, sp.most)
	}
	return fmt.Sprintf("%d to %d or %s to %s", sp.least, sp.most, sp.names[0], sp.names[len(sp.names)-1])
}
