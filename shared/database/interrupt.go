package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	gosqlite "github.com/glebarez/go-sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// connector opens SQLite's connections, each of whose statements ends with its context.
// The driver's own do so only until they have their first row: a SELECT is evaluated
// later, and would hold its connection for as long as it takes. See
// docs/decisions/0013-sqlite-interrupts.md.
type connector struct{ dsn string }

func (c connector) Driver() driver.Driver { return &gosqlite.Driver{} }

func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	db, err := handleOf(conn)
	inner, ok := conn.(sqliteConn)
	if err == nil && !ok {
		err = fmt.Errorf("the SQLite driver's %T has not all of its interfaces", conn)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &interruptible{inner, db}, nil
}

// handleOf returns SQLite's handle of a connection, which sqlite3_interrupt takes. The
// driver does not give it out, so it is read from where this version has it.
func handleOf(conn driver.Conn) (uintptr, error) {
	if v := reflect.ValueOf(conn); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
		if f := v.Elem().FieldByName("db"); f.Kind() == reflect.Uintptr && f.Uint() != 0 {
			return uintptr(f.Uint()), nil
		}
	}
	return 0, fmt.Errorf("the SQLite driver's %T has no handle in its field db: this version of it does not fit", conn)
}

// sqliteConn is what the driver's connections can do, and sqliteStmt and sqliteRows its
// statements and rows. database/sql asks for each of these interfaces.
type (
	sqliteConn interface {
		driver.Conn
		driver.ConnBeginTx
		driver.ConnPrepareContext
		driver.ExecerContext
		driver.QueryerContext
		driver.Pinger
	}
	sqliteStmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	sqliteRows interface {
		driver.Rows
		driver.RowsColumnTypeDatabaseTypeName
		driver.RowsColumnTypeLength
		driver.RowsColumnTypeNullable
		driver.RowsColumnTypePrecisionScale
		driver.RowsColumnTypeScanType
	}
)

// interruptible is a connection of the driver's, with its handle.
type interruptible struct {
	sqliteConn
	db uintptr
}

func (c *interruptible) ExecContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Result, error) {
	return c.exec(ctx, args, func(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
		return c.sqliteConn.ExecContext(ctx, sql, args)
	})
}

func (c *interruptible) QueryContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Rows, error) {
	return c.query(ctx, args, func(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
		return c.sqliteConn.QueryContext(ctx, sql, args)
	})
}

func (c *interruptible) Ping(ctx context.Context) error {
	_, err := c.ExecContext(ctx, "select 1", nil)
	return err
}

func (c *interruptible) PrepareContext(ctx context.Context, sql string) (driver.Stmt, error) {
	s, err := c.sqliteConn.PrepareContext(ctx, sql)
	if err != nil {
		return nil, err
	}
	return interruptibleStmt{s.(sqliteStmt), c}, nil
}

type interruptibleStmt struct {
	sqliteStmt
	conn *interruptible
}

func (s interruptibleStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.exec(ctx, args, s.sqliteStmt.ExecContext)
}

func (s interruptibleStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, args, s.sqliteStmt.QueryContext)
}

// run is one of the driver's methods. It gets a context without an end: the driver's own
// interrupt may come when the connection is at another statement already.
type run[T any] func(context.Context, []driver.NamedValue) (T, error)

func (c *interruptible) exec(ctx context.Context, args []driver.NamedValue, do run[driver.Result]) (driver.Result, error) {
	if ctx.Done() == nil {
		return do(ctx, args)
	}
	g := c.guard(ctx)
	defer g.stop()
	if err := g.begin(); err != nil {
		return nil, err
	}
	result, err := do(context.Background(), args)
	return result, g.pause(err)
}

func (c *interruptible) query(ctx context.Context, args []driver.NamedValue, do run[driver.Rows]) (driver.Rows, error) {
	if ctx.Done() == nil {
		return do(ctx, args)
	}
	g := c.guard(ctx)
	err := g.begin()
	if err == nil {
		var rows driver.Rows
		rows, err = do(context.Background(), args)
		if err = g.pause(err); err == nil {
			return &interruptibleRows{rows.(sqliteRows), g}, nil
		}
	}
	g.stop()
	return nil, err
}

type interruptibleRows struct {
	sqliteRows
	guard *guard
}

func (r *interruptibleRows) Next(row []driver.Value) error {
	if err := r.guard.begin(); err != nil {
		return err
	}
	return r.guard.pause(r.sqliteRows.Next(row))
}

func (r *interruptibleRows) Close() error {
	r.guard.stop()
	return r.guard.translate(r.sqliteRows.Close()) // SQLite tells the last error again
}

// guard interrupts a statement at its context's end. It does so between begin and pause
// alone, while database/sql keeps the connection for this statement: so never another
// one of the connection, and never a closed connection.
type guard struct {
	ctx  context.Context
	db   uintptr
	stop func() bool

	mu      sync.Mutex
	running bool
}

func (c *interruptible) guard(ctx context.Context) *guard {
	g := &guard{ctx: ctx, db: c.db}
	g.stop = context.AfterFunc(ctx, g.end)
	return g
}

func (g *guard) begin() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.ctx.Err()
	g.running = err == nil
	return err
}

func (g *guard) pause(err error) error {
	g.mu.Lock()
	g.running = false
	g.mu.Unlock()
	return g.translate(err)
}

// translate makes the context's error of an interrupt.
func (g *guard) translate(err error) error {
	const interrupt = 9 // SQLITE_INTERRUPT: https://www.sqlite.org/rescode.html#interrupt
	if e, ok := errors.AsType[*gosqlite.Error](err); ok && e.Code() == interrupt && g.ctx.Err() != nil {
		return g.ctx.Err()
	}
	return err
}

// end interrupts until the statement has stopped: SQLite forgets an interrupt when a
// statement begins, and this one may be about to.
func (g *guard) end() {
	const again = 5 * time.Millisecond
	for g.interrupt() {
		<-time.After(again)
	}
}

func (g *guard) interrupt() (running bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running {
		// It stores a flag in the handle, and has no use for the thread that it takes first.
		sqlite3.Xsqlite3_interrupt(nil, g.db)
	}
	return g.running
}
