package models

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// plan is a query that was checked, ready to run on a dialect.
type plan struct {
	table   *table
	scope   *scope
	where   expression // nil: all rows
	order   []sortKey
	columns []clause.Column // nil: the table's own
	with    []branch
	lock    bool
}

func (q Query[T]) plan(dialect string) (*plan, error) {
	t, err := q.table()
	if err != nil {
		return nil, err
	}
	p := &plan{table: t, lock: q.lock, scope: &scope{table: t, alias: t.name, dialect: dialect}}
	if len(q.where) > 0 {
		all, err := t.bind(And(q.where...))
		if err != nil {
			return nil, err
		}
		if n := all.values(); n > maxValues {
			return nil, &Error{
				Kind: WrongValue, Model: t.model,
				Reason: fmt.Sprintf("the query has %d values in all: %d at most", n, maxValues),
			}
		}
		p.where = p.scope.where(all)
	}
	if p.order, err = p.scope.sortKeys(q.sort); err != nil {
		return nil, err
	}
	if p.columns, err = p.scope.joinedColumns(q.joined); err != nil {
		return nil, err
	}
	p.with, err = t.branches(q.with)
	return p, err
}

// apply puts the plan, and a further condition, into a statement, all but the order.
func (p *plan) apply(tx *gorm.DB, further expression) *gorm.DB {
	var where []clause.Expression
	if p.where != nil {
		where = append(where, p.where)
	}
	if further != nil {
		where = append(where, further)
	}
	if len(where) > 0 {
		tx = tx.Clauses(clause.Where{Exprs: where})
	}
	if len(p.scope.joins) > 0 {
		joins := make([]clause.Join, len(p.scope.joins))
		for i, j := range p.scope.joins {
			joins[i] = clause.Join{Expression: expression(j.write)}
		}
		tx = tx.Clauses(clause.From{Joins: joins})
	}
	if p.lock {
		tx = tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate, Table: clause.Table{Name: clause.CurrentTable}})
	}
	return tx
}

// fetch runs the plan: limit rows at most, or all with 0.
func fetch[T any](ctx context.Context, db *gorm.DB, p *plan, further expression, limit int) ([]T, error) {
	tx := p.apply(db.WithContext(ctx), further).Clauses(clause.OrderBy{Expression: orderBy(p.order)})
	if p.columns != nil {
		tx = tx.Clauses(clause.Select{Columns: p.columns})
	}
	if limit > 0 {
		tx = tx.Limit(limit)
	}
	rows := make([]T, 0, min(limit, MaxPage+1)) // gorm would grow it
	if err := tx.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("find %s: %w", p.table.name, err)
	}
	if err := load(ctx, db, p.with, &rows); err != nil {
		return nil, err
	}
	return rows, nil
}
