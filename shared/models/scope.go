package models

import (
	"fmt"
	"hash/fnv"

	"gorm.io/gorm/clause"
)

// expression writes SQL.
type expression func(clause.Builder)

// Build makes an expression one of gorm's.
func (e expression) Build(b clause.Builder) { e(b) }

// scope is one FROM: a table under its alias, and the rows joined to it that it has one
// of at most, each path once.
type scope struct {
	table   *table
	alias   string // the table's name in the outermost scope
	path    string // of relations from the outermost table; "" there
	dialect string
	joins   []*join
}

type join struct {
	from     string // the alias that it is joined to
	relation *relation
	alias    string
	path     string
}

// to returns the alias of the row that the hops lead to, joining what is not joined yet.
func (s *scope) to(hops []*relation) string {
	alias, path := s.alias, s.path
	for _, r := range hops {
		path = extend(path, r.name)
		found := false
		for _, j := range s.joins {
			if j.path == path {
				alias, found = j.alias, true
				break
			}
		}
		if !found {
			j := &join{from: alias, relation: r, alias: aliasOf(path, s.outermost()), path: path}
			s.joins = append(s.joins, j)
			alias = j.alias
		}
	}
	return alias
}

func (s *scope) outermost() string {
	if s.path == "" {
		return s.alias
	}
	return ""
}

func extend(path, name string) string {
	if path == "" {
		return name
	}
	return path + "___" + name
}

// aliasOf names a table by the path that leads to it, so that the SQL reads like the
// query. An own name of the table, and one too long for Postgres, are no use.
func aliasOf(path, taken string) string {
	if path == taken || len(path) > 60 {
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(path)) // it cannot fail
		return fmt.Sprintf("to_%x", sum.Sum64())
	}
	return path
}

func (j *join) write(w clause.Builder) {
	writeString(w, "LEFT JOIN ")
	w.WriteQuoted(clause.Table{Name: j.relation.table.name, Alias: j.alias})
	writeString(w, " ON ")
	writeEqual(w, j.alias, j.relation.to, j.from, j.relation.from)
}

func writeEqual(w clause.Builder, a string, x *column, b string, y *column) {
	writeColumn(w, a, x)
	writeString(w, " = ")
	writeColumn(w, b, y)
}

func writeColumn(w clause.Builder, alias string, c *column) {
	w.WriteQuoted(clause.Column{Table: alias, Name: c.name})
}

// writeString writes to a builder in memory, which does not fail.
func writeString(w clause.Builder, s string) { _, _ = w.WriteString(s) }
