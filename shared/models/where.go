package models

import "gorm.io/gorm/clause"

// firstMany returns the place of the first has-many among the hops, or -1.
func firstMany(hops []*relation) int {
	for i, r := range hops {
		if r.many {
			return i
		}
	}
	return -1
}

// aim returns the path of the has-many relation that all of a condition is about, as
// seen from a scope; "" where it is about the scope's own rows, about several, or a Not.
func (b bound) aim() string {
	switch b.junction {
	case leaf:
		n := firstMany(b.hops)
		if n < 0 || b.column == nil && n == len(b.hops)-1 {
			return ""
		}
		path := ""
		for _, r := range b.hops[:n+1] {
			path = extend(path, r.name)
		}
		return path
	case not:
		return ""
	}
	path := ""
	for i := range b.parts {
		p := b.parts[i].aim()
		if p == "" || i > 0 && p != path {
			return ""
		}
		path = p
	}
	return path
}

// where returns the SQL of a condition, and joins to the scope what it needs.
func (s *scope) where(b bound) expression {
	if b.junction == or && b.aim() == "" {
		return s.list(b.parts, " OR ", "1 = 0")
	}
	if b.junction == not {
		inner := s.where(bound{junction: and, parts: b.parts})
		return func(w clause.Builder) {
			writeString(w, "NOT (")
			inner(w)
			writeString(w, ")")
		}
	}
	if b.junction == leaf && b.aim() == "" {
		return s.leaf(b)
	}
	return s.list(group(flatten([]bound{b}, nil)), " AND ", "1 = 1")
}

// group puts the conditions together that are about one row of a has-many relation.
func group(parts []bound) []bound {
	var grouped []bound
	place := map[string]int{}
	for _, part := range parts {
		path := part.aim()
		if path == "" {
			grouped = append(grouped, part)
		} else if at, ok := place[path]; ok {
			grouped[at].parts = append(grouped[at].parts, part)
		} else {
			place[path] = len(grouped)
			grouped = append(grouped, bound{junction: exists, parts: []bound{part}})
		}
	}
	return grouped
}

// exists marks conditions that are about one row of a has-many relation. It is made
// here alone.
const exists junction = 255

// flatten takes the parts out of Ands in Ands.
func flatten(parts, into []bound) []bound {
	for _, p := range parts {
		if p.junction == and {
			into = flatten(p.parts, into)
		} else {
			into = append(into, p)
		}
	}
	return into
}

func (s *scope) list(parts []bound, separator, empty string) expression {
	all := make([]expression, len(parts))
	for i, p := range parts {
		switch {
		case p.junction == exists:
			all[i] = s.exists(p.parts)
		case p.junction == leaf && p.aim() == "":
			all[i] = s.leaf(p)
		default:
			all[i] = s.where(p)
		}
	}
	return func(w clause.Builder) {
		if len(all) == 0 {
			writeString(w, empty)
			return
		}
		if len(all) > 1 {
			writeString(w, "(")
		}
		for i, e := range all {
			if i > 0 {
				writeString(w, separator)
			}
			e(w)
		}
		if len(all) > 1 {
			writeString(w, ")")
		}
	}
}

// exists returns the SQL that there is one row of the has-many relation that meets all
// of the parts, which are about it.
func (s *scope) exists(parts []bound) expression {
	one := parts[0]
	for one.junction != leaf {
		one = one.parts[0]
	}
	n := firstMany(one.hops)
	inner := make([]bound, len(parts))
	for i, p := range parts {
		inner[i] = p.from(n + 1)
	}
	return s.subselect(one.hops[:n+1], bound{junction: and, parts: inner})
}

// from returns the condition as seen from where the first hops lead.
func (b bound) from(hops int) bound {
	if b.junction == leaf {
		b.hops = b.hops[hops:]
		return b
	}
	parts := make([]bound, len(b.parts))
	for i, p := range b.parts {
		parts[i] = p.from(hops)
	}
	b.parts = parts
	return b
}

// subselect returns EXISTS of the rows where the hops lead, the last of them has-many,
// that meet the condition.
func (s *scope) subselect(hops []*relation, c bound) expression {
	last := hops[len(hops)-1]
	outer := s.to(hops[:len(hops)-1])
	path := s.path
	for _, r := range hops {
		path = extend(path, r.name)
	}
	in := &scope{table: last.table, alias: aliasOf(path, s.outermost()), path: path, dialect: s.dialect}
	var meets expression
	if c.junction != and || len(c.parts) > 0 {
		meets = in.where(c)
	}
	return func(w clause.Builder) {
		writeString(w, "EXISTS (SELECT 1 FROM ")
		w.WriteQuoted(clause.Table{Name: last.table.name, Alias: in.alias})
		for _, j := range in.joins {
			writeString(w, " ")
			j.write(w)
		}
		writeString(w, " WHERE ")
		writeEqual(w, in.alias, last.to, outer, last.from)
		if meets != nil {
			writeString(w, " AND ")
			meets(w)
		}
		writeString(w, ")")
	}
}
