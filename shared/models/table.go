package models

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm/schema"
)

// kind is what a column holds, which says what operators and values fit it.
type kind string

const (
	isBool  kind = "true or false"
	isInt   kind = "a whole number"
	isFloat kind = "a number"
	isText  kind = "a text"
	isTime  kind = "a time"
	isOther kind = "a value" // bytes, JSON, …: stored, but not filtered or sorted by
)

// The names that Base gives its columns.
const (
	keyColumn     = "id"
	createdColumn = "created_at"
	updatedColumn = "updated_at"
)

// table is what the helpers know of a model, read from its struct once.
type table struct {
	model     string // the Go type: User
	name      string // the table: users
	columns   []*column
	relations []*relation
	key       *column
	baseAt    []int // where the struct has its Base
	schema    *schema.Schema
}

type column struct {
	name     string
	kind     kind
	nullable bool // a pointer in Go, NULL in SQL
	private  bool // `model:"private"`: never shown, never open to untrusted queries
	shown    bool // `model:"show"`: part of String
	field    *schema.Field
}

// relation leads from one table to another.
type relation struct {
	name     string
	goName   string
	many     bool // a row has many of them
	from, to *column
	table    *table
	field    *schema.Field
}

// managed tells the columns that are set by the helpers alone.
func (c *column) managed() bool {
	return c.name == keyColumn || c.name == createdColumn || c.name == updatedColumn
}

func (t *table) column(name string) *column {
	for _, c := range t.columns { // a dozen at most: faster than a map
		if c.name == name {
			return c
		}
	}
	return nil
}

func (t *table) relation(name string) *relation {
	for _, r := range t.relations {
		if r.name == name {
			return r
		}
	}
	return nil
}

func (t *table) columnNames(fit func(*column) bool) []string {
	var names []string
	for _, c := range t.columns {
		if fit(c) {
			names = append(names, c.name)
		}
	}
	return names
}

func (t *table) relationNames() []string {
	var names []string
	for _, r := range t.relations {
		names = append(names, r.name)
	}
	return names
}

// parser reads the structs of a model and of all that it is related to.
type parser struct {
	cache  sync.Map
	namer  schema.NamingStrategy
	tables map[*schema.Schema]*table
}

// parse reads a model's struct.
func parse(row any) (*table, error) {
	p := &parser{namer: schema.NamingStrategy{IdentifierMaxLength: 63}, tables: map[*schema.Schema]*table{}}
	s, err := schema.Parse(row, &p.cache, p.namer)
	if err != nil {
		return nil, fmt.Errorf("model %T: %w", row, err)
	}
	t, err := p.table(s)
	if err != nil {
		return nil, fmt.Errorf("model %T: %w", row, err)
	}
	return t, nil
}

func (p *parser) table(s *schema.Schema) (*table, error) {
	if t := p.tables[s]; t != nil {
		return t, nil
	}
	t := &table{model: s.ModelType.Name(), name: s.Table, schema: s}
	p.tables[s] = t // before its relations, which may lead back
	base, ok := s.ModelType.FieldByName("Base")
	if !ok || base.Type != reflect.TypeFor[Base]() {
		return nil, fmt.Errorf("%s does not embed Base", t.model)
	}
	t.baseAt = base.Index
	for _, name := range s.DBNames {
		f := s.FieldsByDBName[name]
		if strings.Contains(name, "__") || strings.HasPrefix(name, "_") || strings.HasSuffix(name, "_") {
			return nil, fmt.Errorf("column %s: two underscores stand before an operator, three after a relation", name)
		}
		tags := strings.Split(f.Tag.Get("model"), ",")
		c := &column{name: name, kind: kindOf(f.IndirectFieldType), nullable: f.FieldType.Kind() == reflect.Pointer, field: f}
		for _, tag := range tags {
			switch tag {
			case "":
			case "private":
				c.private = true
			case "show":
				c.shown = true
			default:
				return nil, fmt.Errorf("column %s: unknown tag model:%q", name, tag)
			}
		}
		t.columns = append(t.columns, c)
	}
	t.key = t.column(keyColumn)
	for _, f := range s.Fields {
		r := s.Relationships.Relations[f.Name]
		if r == nil {
			continue
		}
		if err := p.relate(t, r); err != nil {
			return nil, fmt.Errorf("relation %s: %w", f.Name, err)
		}
	}
	return t, nil
}

func (p *parser) relate(t *table, r *schema.Relationship) error {
	if len(r.References) != 1 || r.Type == schema.Many2Many || r.Polymorphic != nil {
		return fmt.Errorf("%s by %d columns: only belongs-to, has-one and has-many by one column", r.Type, len(r.References))
	}
	other, err := p.table(r.FieldSchema)
	if err != nil {
		return err
	}
	own, theirs := r.References[0].ForeignKey, r.References[0].PrimaryKey
	if r.References[0].OwnPrimaryKey {
		own, theirs = theirs, own
	}
	if own.IndirectFieldType != theirs.IndirectFieldType {
		return fmt.Errorf("%s is a %s and %s a %s", own.Name, own.IndirectFieldType, theirs.Name, theirs.IndirectFieldType)
	}
	t.relations = append(t.relations, &relation{
		name: p.namer.ColumnName("", r.Name), goName: r.Name, many: r.Type == schema.HasMany,
		from: t.column(own.DBName), to: other.column(theirs.DBName), table: other, field: r.Field,
	})
	return nil
}

func kindOf(t reflect.Type) kind {
	if t == reflect.TypeFor[time.Time]() {
		return isTime
	}
	switch t.Kind() {
	case reflect.Bool:
		return isBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return isInt
	case reflect.Float32, reflect.Float64:
		return isFloat
	case reflect.String:
		return isText
	}
	return isOther
}
