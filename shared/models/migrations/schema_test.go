package migrations_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
)

// column is what a database says of one.
type column struct {
	Name      string
	Type      string
	Nullable  bool
	Standard  *string
	Collation *string
}

// index is one of a table's, with its columns in order.
type index struct {
	Name    string
	Unique  bool
	Columns string
}

// foreign is a foreign key: from a column to a table.
type foreign struct{ Column, Table string }

var catalogs = map[string]struct{ columns, indexes, foreign string }{
	database.SQLite: {
		columns: `SELECT name, lower(type) AS type, "notnull" = 0 AND pk = 0 AS nullable, dflt_value AS standard FROM pragma_table_info(@table)`,
		indexes: `SELECT l.name, l."unique", group_concat(i.name, ',') AS columns FROM pragma_index_list(@table) l, pragma_index_info(l.name) i GROUP BY l.name`,
		foreign: `SELECT "from" AS "column", "table" FROM pragma_foreign_key_list(@table)`,
	},
	database.Postgres: {
		columns: `SELECT column_name AS name, data_type AS type, is_nullable = 'YES' AS nullable, column_default AS standard, collation_name AS collation
			FROM information_schema.columns WHERE table_name = @table ORDER BY ordinal_position`,
		indexes: `SELECT c.relname AS name, i.indisunique AS "unique", string_agg(a.attname, ',' ORDER BY k.n) AS columns
			FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid, unnest(i.indkey) WITH ORDINALITY k(col, n)
			JOIN pg_attribute a ON a.attnum = k.col WHERE a.attrelid = i.indrelid AND i.indrelid = CAST(@table AS regclass) AND NOT i.indisprimary
			GROUP BY c.relname, i.indisunique`,
		foreign: `SELECT a.attname AS "column", c.confrelid::regclass::text AS "table" FROM pg_constraint c
			JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND c.conrelid = CAST(@table AS regclass)`,
	},
}

// types says what a Go type is in SQLite and in Postgres.
func types(t reflect.Type) [2]string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return [2]string{"datetime", "timestamp with time zone"}
	case t.Kind() == reflect.String:
		return [2]string{"text", "text"}
	case t.Kind() == reflect.Bool:
		return [2]string{"boolean", "boolean"}
	case t.Kind() == reflect.Int64:
		return [2]string{"integer", "bigint"}
	case t.Kind() == reflect.Int32:
		return [2]string{"integer", "integer"}
	case t.Kind() == reflect.Float64:
		return [2]string{"real", "double precision"}
	}
	return [2]string{"unknown: " + t.String(), "unknown: " + t.String()}
}

// A model and its table say the same, and each table has a model.
func TestTheMigratedSchemaIsThatOfTheModels(t *testing.T) {
	all := []any{models.User{}, models.Post{}, models.Comment{}, models.OutboxJob{}}
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		known := []string{}
		for _, model := range all {
			s, err := schema.Parse(model, &sync.Map{}, db.NamingStrategy)
			if err != nil {
				t.Fatal(err)
			}
			known = append(known, s.Table)
			t.Run(s.Table, func(t *testing.T) {
				compareColumns(t, db, s)
				compareIndexes(t, db, s)
				compareForeignKeys(t, db, s)
			})
		}
		found := tables(t, db)
		slices.Sort(found)
		slices.Sort(known)
		if !slices.Equal(found, known) {
			t.Errorf("the database has the tables %v, there are models for %v", found, known)
		}
	})
}

func ask[T any](t *testing.T, db *gorm.DB, sql, table string) (rows []T) {
	t.Helper()
	if err := db.Raw(sql, map[string]any{"table": table}).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

func compareColumns(t *testing.T, db *gorm.DB, s *schema.Schema) {
	dialect := database.Dialect(db)
	columns := ask[column](t, db, catalogs[dialect].columns, s.Table)
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
		f := s.FieldsByDBName[c.Name]
		if f == nil {
			continue // the comparison of the names tells
		}
		want := types(f.IndirectFieldType)[map[string]int{database.SQLite: 0, database.Postgres: 1}[dialect]]
		if c.Type != want {
			t.Errorf("%s is a %s, want %s", c.Name, c.Type, want)
		}
		if nullable := f.FieldType.Kind() == reflect.Pointer; c.Nullable != nullable {
			t.Errorf("%s may be NULL in the database: %v, in Go: %v", c.Name, c.Nullable, nullable)
		}
		if f.HasDefaultValue && !f.PrimaryKey && (c.Standard == nil || !strings.HasPrefix(*c.Standard, "'"+f.DefaultValue+"'")) {
			t.Errorf("%s is %q by default in Go, in the database %v", c.Name, f.DefaultValue, c.Standard)
		}
		if c.Type == "text" && dialect == database.Postgres && (c.Collation == nil || *c.Collation != "C") {
			t.Errorf(`%s is not COLLATE "C": it would sort and match otherwise than in SQLite`, c.Name)
		}
	}
	if !slices.Equal(names, s.DBNames) {
		t.Errorf("the table has the columns %v, the model %v", names, s.DBNames)
	}
}

func compareIndexes(t *testing.T, db *gorm.DB, s *schema.Schema) {
	there := ask[index](t, db, catalogs[database.Dialect(db)].indexes, s.Table)
	var declared []index
	for _, i := range s.ParseIndexes() {
		var columns []string
		for _, f := range i.Fields {
			columns = append(columns, f.DBName)
		}
		declared = append(declared, index{i.Name, i.Class == "UNIQUE", strings.Join(columns, ",")})
	}
	for _, i := range declared {
		if !slices.Contains(there, i) {
			t.Errorf("the model declares %+v, the table has %+v", i, there)
		}
	}
	for _, i := range there {
		if i.Unique && !slices.Contains(declared, i) {
			t.Errorf("the table has %+v, which the model does not declare: a conflict would not name its fields", i)
		}
	}
}

func compareForeignKeys(t *testing.T, db *gorm.DB, s *schema.Schema) {
	there := ask[foreign](t, db, catalogs[database.Dialect(db)].foreign, s.Table)
	var want []foreign
	for _, r := range s.Relationships.BelongsTo {
		want = append(want, foreign{r.References[0].ForeignKey.DBName, r.FieldSchema.Table})
	}
	order := func(a, b foreign) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(there, order)
	slices.SortFunc(want, order)
	if !slices.Equal(there, want) {
		t.Errorf("the table has the foreign keys %v, the model %v", there, want)
	}
}
