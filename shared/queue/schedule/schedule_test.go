package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/queue/schedule"
)

// at reads "2026-11-23 08:00" in the zone, UTC where there is none.
func at(t testing.TB, text, zone string) time.Time {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, location)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

// show lists the next times, as many as want has.
func show(t testing.TB, expression, zone, after, want string) {
	t.Helper()
	s, err := schedule.Parse(expression, zone)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for now := at(t, after, zone); len(got) < strings.Count(want, ",")+1; {
		if now = s.Next(now); now.IsZero() {
			got = append(got, "never")
			break
		}
		got = append(got, now.Format("Mon 01-02 15:04"))
	}
	if g := strings.Join(got, ", "); g != want {
		t.Errorf("%s after %s\ngot  %s\nwant %s", expression, after, g, want)
	}
}

// 2026-11-23 is a Monday.
func TestCron(t *testing.T) {
	tests := []struct{ name, fields, after, want string }{
		{"each day at ten", "0 10 * * ? *", "2026-11-23 10:00", "Tue 11-24 10:00, Wed 11-25 10:00"},
		{"the first moment counts, the given one does not", "0 10 * * ? *", "2026-11-23 09:59", "Mon 11-23 10:00"},
		{"on weekdays", "0 18 ? * MON-FRI *", "2026-11-26 19:00", "Fri 11-27 18:00, Mon 11-30 18:00"},
		{"on weekdays, by number", "0 18 ? * 2-6 *", "2026-11-26 19:00", "Fri 11-27 18:00, Mon 11-30 18:00"},
		{"on the first of the month", "0 8 1 * ? *", "2026-11-23 00:00", "Tue 12-01 08:00, Fri 01-01 08:00"},
		{"each quarter of an hour", "0/15 * * * ? *", "2026-11-23 23:31", "Mon 11-23 23:45, Tue 11-24 00:00"},
		{"each ten minutes from the first", "1/10 * * * ? *", "2026-11-23 00:45", "Mon 11-23 00:51, Mon 11-23 01:01"},
		{"a step over all", "*/20 * * * ? *", "2026-11-23 00:00", "Mon 11-23 00:20, Mon 11-23 00:40, Mon 11-23 01:00"},
		{"a step over a range", "0 11-23/4 ? * 2-6 *", "2026-11-23 00:00", "Mon 11-23 11:00, Mon 11-23 15:00, Mon 11-23 19:00, Mon 11-23 23:00, Tue 11-24 11:00"},
		{"within hours", "0/30 8-9 ? * MON-FRI *", "2026-11-23 08:30", "Mon 11-23 09:00, Mon 11-23 09:30, Tue 11-24 08:00"},
		{"hours over midnight", "0 22-1 * * ? *", "2026-11-23 21:00", "Mon 11-23 22:00, Mon 11-23 23:00, Tue 11-24 00:00, Tue 11-24 01:00, Tue 11-24 22:00"},
		{"a list", "5,35 14 * * ? *", "2026-11-23 14:05", "Mon 11-23 14:35, Tue 11-24 14:05"},
		{"a list of ranges", "0 0 1-2,30-31 * ? *", "2026-11-23 00:00", "Mon 11-30 00:00, Tue 12-01 00:00, Wed 12-02 00:00, Wed 12-30 00:00"},
		{"leading zeros", "05 09 01 02 ? *", "2026-11-23 00:00", "Mon 02-01 09:05"},

		{"months by name", "0 0 1 JAN,MAR ? *", "2026-11-23 00:00", "Fri 01-01 00:00, Mon 03-01 00:00"},
		{"names in any case", "0 0 1 jan ? *", "2026-11-23 00:00", "Fri 01-01 00:00"},
		{"a range of months", "0 0 1 JUN-AUG ? *", "2026-07-15 00:00", "Sat 08-01 00:00, Tue 06-01 00:00"},
		{"months over the year's end", "0 0 1 DEC-JAN ? *", "2026-11-23 00:00", "Tue 12-01 00:00, Fri 01-01 00:00, Wed 12-01 00:00"},
		{"each third month", "0 0 1 1/3 ? *", "2026-11-23 00:00", "Fri 01-01 00:00, Thu 04-01 00:00"},
		{"the 29th of February", "0 0 29 FEB ? *", "2026-11-23 00:00", "Tue 02-29 00:00"},
		{"the 30th of February", "0 0 30 FEB ? *", "2026-11-23 00:00", "never"},
		{"the 31st, where there is one", "0 0 31 * ? *", "2026-11-23 00:00", "Thu 12-31 00:00, Sun 01-31 00:00, Wed 03-31 00:00"},

		{"1 is Sunday", "0 0 ? * 1 *", "2026-11-23 00:00", "Sun 11-29 00:00"},
		{"days over the week's end", "0 0 ? * FRI-MON *", "2026-11-23 00:00", "Fri 11-27 00:00, Sat 11-28 00:00, Sun 11-29 00:00, Mon 11-30 00:00, Fri 12-04 00:00"},
		{"L in the week is Saturday", "0 0 ? * L *", "2026-11-23 00:00", "Sat 11-28 00:00, Sat 12-05 00:00"},
		{"the last Friday of the month", "0 0 ? * 6L *", "2026-11-23 00:00", "Fri 11-27 00:00, Fri 12-25 00:00, Fri 01-29 00:00"},
		{"the last Friday, by name", "0 0 ? * FRIL *", "2026-11-28 00:00", "Fri 12-25 00:00"},
		{"the second Tuesday", "0 0 ? * 3#2 *", "2026-11-23 00:00", "Tue 12-08 00:00, Tue 01-12 00:00"},
		{"the fifth Monday, where there is one", "0 0 ? * MON#5 *", "2026-11-23 00:00", "Mon 11-30 00:00, Mon 03-29 00:00"},
		{"each third day of the week from Sunday", "0 0 ? * SUN/3 *", "2026-11-23 00:00", "Wed 11-25 00:00, Sat 11-28 00:00, Sun 11-29 00:00"},

		{"the last day of the month", "0 0 L * ? *", "2026-11-23 00:00", "Mon 11-30 00:00, Thu 12-31 00:00, Sun 01-31 00:00, Sun 02-28 00:00"},
		{"the last of a leap year's February", "0 0 L FEB ? 2028", "2026-11-23 00:00", "Tue 02-29 00:00, never"},
		{"the third day before the last", "0 0 L-3 * ? *", "2026-11-23 00:00", "Fri 11-27 00:00, Mon 12-28 00:00"},
		{"the last weekday of the month", "0 0 LW * ? *", "2026-11-23 00:00", "Mon 11-30 00:00, Thu 12-31 00:00, Fri 01-29 00:00, Fri 02-26 00:00"},
		{"the weekday nearest to a Saturday", "0 0 5W DEC ? *", "2026-11-23 00:00", "Fri 12-04 00:00"},
		{"the weekday nearest to a Sunday", "0 0 6W DEC ? *", "2026-11-23 00:00", "Mon 12-07 00:00"},
		{"not into the month before", "0 0 1W AUG ? *", "2026-07-01 00:00", "Mon 08-03 00:00"},
		{"not into the month after", "0 0 31W JAN ? *", "2026-11-23 00:00", "Fri 01-29 00:00"},
		{"no weekday near a day that is not there", "0 0 31W FEB-MAR ? *", "2026-11-23 00:00", "Wed 03-31 00:00"},
		{"the first and the last", "0 0 1,L * ? *", "2026-11-23 00:00", "Mon 11-30 00:00, Tue 12-01 00:00, Thu 12-31 00:00"},

		{"in a year", "0 0 1 1 ? 2028", "2026-11-23 00:00", "Sat 01-01 00:00, never"},
		{"in some years", "0 0 1 1 ? 2027-2028,2030", "2026-11-23 00:00", "Fri 01-01 00:00, Sat 01-01 00:00, Tue 01-01 00:00, never"},
		{"in a year that is past", "0 0 1 1 ? 2020", "2026-11-23 00:00", "never"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { show(t, "cron("+tt.fields+")", "", tt.after, tt.want) })
	}
}

// New York puts its clocks forward on 2026-03-08 at 2:00 and back on 2026-11-01 at 2:00.
func TestTimeZones(t *testing.T) {
	tests := []struct{ name, expression, after, want string }{
		{"a time of the day", "cron(0 9 * * ? *)", "2026-07-01 10:00", "Thu 07-02 09:00"},
		{"a time that the clocks leave out", "cron(30 2 * * ? *)", "2026-03-07 03:00", "Mon 03-09 02:30"},
		{"around it", "cron(0/30 1-3 8 3 ? 2026)", "2026-03-08 00:00", "Sun 03-08 01:00, Sun 03-08 01:30, Sun 03-08 03:00, Sun 03-08 03:30, never"},
		{"a time that the clocks show twice", "cron(30 1 * * ? *)", "2026-10-31 12:00", "Sun 11-01 01:30, Mon 11-02 01:30"},
		{"at", "at(2026-07-01T08:30:00)", "2026-06-30 00:00", "Wed 07-01 08:30, never"},
		{"at, when it is past", "at(2026-07-01T08:30:00)", "2026-07-01 08:30", "never"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { show(t, tt.expression, "America/New_York", tt.after, tt.want) })
	}
	s, err := schedule.Parse("cron(30 1 * * ? *)", "America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	first := s.Next(at(t, "2026-10-31 12:00", "America/New_York"))
	if want := time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC); !first.Equal(want) {
		t.Errorf("of two moments it is %s, want the first, %s", first.UTC(), want)
	}
	if again := s.Next(first.Add(30 * time.Minute)); again.Day() != 2 {
		t.Errorf("between the two moments, the next is %s", again)
	}
}

func TestRate(t *testing.T) {
	tests := []struct{ name, expression, after, want string }{
		{"minutes", "rate(5 minutes)", "2026-11-23 08:01", "Mon 11-23 08:05, Mon 11-23 08:10"},
		{"on the tick", "rate(5 minutes)", "2026-11-23 08:05", "Mon 11-23 08:10"},
		{"one minute", "rate(1 minute)", "2026-11-23 08:01", "Mon 11-23 08:02"},
		{"hours", "rate(6 hours)", "2026-11-23 08:01", "Mon 11-23 12:00, Mon 11-23 18:00"},
		{"a day", "rate(1 day)", "2026-11-23 08:01", "Tue 11-24 00:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { show(t, tt.expression, "", tt.after, tt.want) })
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, expression, zone, says string }{
		{"nothing", "", "", "none of"},
		{"bare fields", "0 10 * * ? *", "", "none of"},
		{"another kind", "every(5 minutes)", "", "none of"},
		{"an open bracket", "cron(0 10 * * ? *", "", "none of"},
		{"five fields", "cron(0 10 * * ?)", "", "six fields"},
		{"seven fields", "cron(0 0 10 * * ? *)", "", "six fields"},
		{"no question mark", "cron(0 10 * * * *)", "", "must be ?"},
		{"two of them", "cron(0 10 ? * ? *)", "", "must be ?"},
		{"one in another field", "cron(? 10 * * ? *)", "", "minutes"},
		{"minute 60", "cron(60 10 * * ? *)", "", "0 to 59"},
		{"hour 24", "cron(0 24 * * ? *)", "", "0 to 23"},
		{"day 0", "cron(0 0 0 * ? *)", "", "1 to 31"},
		{"day 32", "cron(0 0 32 * ? *)", "", "1 to 31"},
		{"month 13", "cron(0 0 1 13 ? *)", "", "1 to 12"},
		{"a month that is none", "cron(0 0 1 FOO ? *)", "", "JAN"},
		{"day of week 0", "cron(0 0 ? * 0 *)", "", "1 to 7"},
		{"day of week 8", "cron(0 0 ? * 8 *)", "", "1 to 7"},
		{"a year too early", "cron(0 0 1 1 ? 1969)", "", "1970"},
		{"a year too late", "cron(0 0 1 1 ? 2200)", "", "2199"},
		{"years backwards", "cron(0 0 1 1 ? 2030-2028)", "", "wrap"},
		{"a sign", "cron(+5 0 1 1 ? *)", "", "minutes"},
		{"a step of none", "cron(0/0 * * * ? *)", "", "step"},
		{"a step without a number", "cron(0/ * * * ? *)", "", "step"},
		{"an empty item", "cron(0,,5 * * * ? *)", "", "minutes"},
		{"half a range", "cron(5- * * * ? *)", "", "minutes"},
		{"L among the hours", "cron(0 L * * ? *)", "", "hours"},
		{"W without a day", "cron(0 0 W * ? *)", "", "day of month"},
		{"W in the week", "cron(0 0 ? * 3W *)", "", "day of week"},
		{"too far before the last", "cron(0 0 L-31 * ? *)", "", "L-"},
		{"# in the month", "cron(0 0 3#2 * ? *)", "", "day of month"},
		{"the sixth", "cron(0 0 ? * 3#6 *)", "", "#"},
		{"two with #", "cron(0 0 ? * 3#1,6#3 *)", "", "#"},
		{"a rate of none", "rate(0 minutes)", "", "over 0"},
		{"a rate in words", "rate(five minutes)", "", "over 0"},
		{"a rate in seconds", "rate(5 seconds)", "", "minute"},
		{"one in the plural", "rate(1 minutes)", "", "singular"},
		{"many in the singular", "rate(5 minute)", "", "singular"},
		{"a rate without a unit", "rate(5)", "", "minute"},
		{"a rate of ages", "rate(2000000000 days)", "", "hundred years"},
		{"at a day", "at(2026-11-23)", "", "yyyy-mm-ddThh:mm:ss"},
		{"at a time that is none", "at(2026-02-30T00:00:00)", "", "yyyy-mm-ddThh:mm:ss"},
		{"at a time that the clocks leave out", "at(2026-03-08T02:30:00)", "America/New_York", "put forward"},
		{"a zone that is none", "rate(5 minutes)", "Mars/Olympus", "time zone"},
		{"the machine's own zone", "rate(5 minutes)", "Local", "time zone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := schedule.Parse(tt.expression, tt.zone)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, %v; want an error with %q", s, err, tt.says)
			}
		})
	}
}

// Next never goes back or stands still, whatever the expression.
func FuzzNext(f *testing.F) {
	f.Add("0 10 * * ? *", "Europe/Berlin", int64(1764000000))
	f.Add("0/7 22-3/2 L-3,15W 2/3 ? 2026-2030", "America/New_York", int64(1761976800))
	f.Add("* * ? * 6L *", "Australia/Lord_Howe", int64(1774990000))
	f.Fuzz(func(t *testing.T, fields, zone string, unix int64) {
		s, err := schedule.Parse("cron("+fields+")", zone)
		if err != nil || unix < 0 || unix > 1<<32 {
			return
		}
		after := time.Unix(unix, 0)
		next := s.Next(after)
		if !next.IsZero() && (!next.After(after) || next.Second() != 0) {
			t.Errorf("cron(%s) in %s: %s after %s", fields, zone, next, after)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	s, err := schedule.Parse("cron(0/5 8-17 ? * MON-FRI *)", "Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	now := at(b, "2026-11-27 17:58", "") // a Friday evening
	b.ReportAllocs()
	for b.Loop() {
		s.Next(now)
	}
}
