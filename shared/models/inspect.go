package models

// Column is what a model says of a field.
type Column struct {
	Name     string
	Type     string // "a text", "a whole number", …, as errors tell it
	Nullable bool
	Private  bool
	// Operators are those by which it may be filtered.
	Operators []string
}

// Relation is what a model says of a relation.
type Relation struct {
	Name  string
	Model string // where it leads
	Many  bool   // a row has many of them
}

// Columns returns the model's fields, in the order of its struct.
func (m Model[T]) Columns() ([]Column, error) {
	t, err := m.table()
	if err != nil {
		return nil, err
	}
	var all []Column
	for _, c := range t.columns {
		all = append(all, Column{
			Name: c.name, Type: string(c.kind), Nullable: c.nullable, Private: c.private, Operators: operatorsFor(c),
		})
	}
	return all, nil
}

// Relations returns the model's relations, in the order of its struct.
func (m Model[T]) Relations() ([]Relation, error) {
	t, err := m.table()
	if err != nil {
		return nil, err
	}
	var all []Relation
	for _, r := range t.relations {
		all = append(all, Relation{Name: r.name, Model: r.table.model, Many: r.many})
	}
	return all, nil
}

// Keys returns the names of the fields that make the primary key.
func (m Model[T]) Keys() ([]string, error) {
	t, err := m.table()
	if err != nil {
		return nil, err
	}
	return []string{t.key.name}, nil
}

// Filterable returns the names of the fields that a query may filter by, those of the
// model itself: relations have theirs.
func (m Model[T]) Filterable() ([]string, error) { return m.names(sortable) }

// Sortable returns the names of the fields that a query may sort by.
func (m Model[T]) Sortable() ([]string, error) { return m.names(sortable) }

func (m Model[T]) names(fit func(*column) bool) ([]string, error) {
	t, err := m.table()
	if err != nil {
		return nil, err
	}
	return t.columnNames(fit), nil
}
