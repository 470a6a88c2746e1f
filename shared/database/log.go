package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// slow is how long a statement may take before it is worth a warning.
const slow = 200 * time.Millisecond

// sqlLog hands gorm's log to slog: each statement at the debug level, a slow one as
// a warning. Values stay out of it, since they may be secrets; errors are left to
// the caller, who gets them too.
type sqlLog struct{ log *slog.Logger }

func (l sqlLog) LogMode(logger.LogLevel) logger.Interface { return l }

func (l sqlLog) Info(ctx context.Context, text string, args ...any) {
	l.log.InfoContext(ctx, fmt.Sprintf(text, args...))
}

func (l sqlLog) Warn(ctx context.Context, text string, args ...any) {
	l.log.WarnContext(ctx, fmt.Sprintf(text, args...))
}

func (l sqlLog) Error(ctx context.Context, text string, args ...any) {
	l.log.ErrorContext(ctx, fmt.Sprintf(text, args...))
}

// ParamsFilter keeps the values of a statement out of the log.
func (l sqlLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

func (l sqlLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	level, took := slog.LevelDebug, time.Since(begin)
	if took >= slow {
		level = slog.LevelWarn
	}
	if !l.log.Enabled(ctx, level) {
		return
	}
	sql, rows := statement()
	attrs := []slog.Attr{slog.String("sql", sql), slog.Int64("rows", rows), slog.Duration("duration", took)}
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		attrs = append(attrs, slog.Any("error", err))
	}
	l.log.LogAttrs(ctx, level, "sql", attrs...)
}

// Told returns db with each statement told, as SQL with the values in their places: for
// examples and tests, since values may be secrets. The statements run as before.
func Told(db *gorm.DB, tell func(sql string)) *gorm.DB {
	return db.Session(&gorm.Session{Logger: teller{db.Logger, Dialect(db), tell}})
}

type teller struct {
	logger.Interface
	dialect string
	tell    func(sql string)
}

// ParamsFilter puts the values of an SQLite statement into single quotes. The dialect's
// own way, double ones, would make names of them where somebody tries the statement.
func (l teller) ParamsFilter(_ context.Context, sql string, values ...any) (string, []any) {
	if l.dialect == SQLite {
		return logger.ExplainSQL(sql, nil, "'", values...), nil
	}
	return sql, values
}

func (l teller) LogMode(logger.LogLevel) logger.Interface { return l }

func (l teller) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	sql, _ := statement()
	l.tell(sql)
}
