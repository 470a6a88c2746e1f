package models

import (
	"strings"

	"gorm.io/gorm/clause"

	"github.com/tandem-api/tandem/shared/database"
)

// leaf returns the SQL of one field's condition.
func (s *scope) leaf(b bound) expression {
	if b.column == nil { // a relation itself is there or not
		return s.missing(b)
	}
	alias := s.to(b.hops)
	column, args := b.column, b.args
	switch o := b.operator; o.family {
	case null:
		return func(w clause.Builder) {
			writeColumn(w, alias, column)
			writeString(w, isNull(args[0].(bool)))
		}
	case list:
		return writeList(alias, column, o, args)
	case pair:
		return func(w clause.Builder) {
			writeColumn(w, alias, column)
			writeString(w, " BETWEEN ")
			w.AddVar(w, args[0])
			writeString(w, " AND ")
			w.AddVar(w, args[1])
		}
	case pattern:
		return writePattern(alias, column, o, args[0].(string), s.dialect)
	case datePart:
		return writeDatePart(alias, column, o, args, s.dialect)
	default:
		return func(w clause.Builder) {
			writeColumn(w, alias, column)
			writeString(w, " "+o.sign+" ")
			w.AddVar(w, args[0])
		}
	}
}

func isNull(yes bool) string {
	if yes {
		return " IS NULL"
	}
	return " IS NOT NULL"
}

func (s *scope) missing(b bound) expression {
	if n := firstMany(b.hops); n < 0 {
		alias := s.to(b.hops)
		key, yes := b.hops[len(b.hops)-1].table.key, b.args[0].(bool)
		return func(w clause.Builder) {
			writeColumn(w, alias, key)
			writeString(w, isNull(yes))
		}
	}
	some := s.subselect(b.hops, bound{junction: and})
	if !b.args[0].(bool) {
		return some
	}
	return func(w clause.Builder) {
		writeString(w, "NOT ")
		some(w)
	}
}

func writeList(alias string, column *column, o operator, args []any) expression {
	return func(w clause.Builder) {
		if len(args) == 0 {
			writeString(w, map[bool]string{false: "1 = 0", true: "1 = 1"}[o.negated])
			return
		}
		writeColumn(w, alias, column)
		if o.negated {
			writeString(w, " NOT")
		}
		writeString(w, " IN (")
		for i, arg := range args {
			if i > 0 {
				writeString(w, ",")
			}
			w.AddVar(w, arg)
		}
		writeString(w, ")")
	}
}

func writePattern(alias string, column *column, o operator, text, dialect string) expression {
	return func(w clause.Builder) {
		writeColumn(w, alias, column)
		switch {
		case dialect == database.SQLite && !o.fold:
			writeString(w, " GLOB ")
			w.AddVar(w, globPattern(o, text))
			return
		case dialect == database.Postgres && o.fold:
			writeString(w, " ILIKE ")
		default:
			writeString(w, " LIKE ")
		}
		w.AddVar(w, likePattern(o, text))
		writeString(w, ` ESCAPE '\'`)
	}
}

func writeDatePart(alias string, column *column, o operator, args []any, dialect string) expression {
	return func(w clause.Builder) {
		if o.part == "year" {
			writeYear(w, alias, column, o, args)
			return
		}
		if dialect == database.SQLite {
			format := map[string]string{"month": "'%m'", "day": "'%d'"}[o.part]
			writeString(w, "CAST(strftime("+format+", ")
			writeColumn(w, alias, column)
			writeString(w, ") AS integer) ")
		} else {
			writeString(w, "CAST(EXTRACT("+strings.ToUpper(o.part)+" FROM ")
			writeColumn(w, alias, column)
			writeString(w, " AT TIME ZONE 'UTC') AS integer) ")
		}
		writeString(w, o.sign+" ")
		w.AddVar(w, args[0])
	}
}

// writeYear compares with the first and the last moment of the year.
func writeYear(w clause.Builder, alias string, column *column, o operator, args []any) {
	writeColumn(w, alias, column)
	switch o.sign {
	case "=", "<>":
		if o.sign == "<>" {
			writeString(w, " NOT")
		}
		writeString(w, " BETWEEN ")
		w.AddVar(w, args[0])
		writeString(w, " AND ")
		w.AddVar(w, args[1])
	case ">", "<=":
		writeString(w, " "+o.sign+" ")
		w.AddVar(w, args[1])
	default:
		writeString(w, " "+o.sign+" ")
		w.AddVar(w, args[0])
	}
}
