package models_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
)

// many is how many posts the benchmarks read from.
const many = 100_000

// pair is one thing done by the helpers and by gorm alone, with the same SQL.
type pair struct {
	name          string
	helpers, gorm func(ctx context.Context, db *gorm.DB) error
}

// BenchmarkHelpers measures what the helpers cost beside gorm alone. The two take turns,
// so that whatever else the machine does meets both, and the medians are compared:
//
//	go test ./shared/models -run '^$' -bench Helpers -benchtime 5s
func BenchmarkHelpers(b *testing.B) {
	for name, open := range map[string]func(testing.TB) config.Secret{"sqlite": apptest.DatabaseURL, "postgres": apptest.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			db := apptest.OpenDatabase(b, open(b))
			manyPosts(b, db)
			for _, p := range pairs(b, db) {
				sameSQL(b, db, p)
				b.Run(p.name, func(b *testing.B) { takeTurns(b, db, p) })
			}
		})
	}
}

func takeTurns(b *testing.B, db *gorm.DB, p pair) {
	run := func(do func(context.Context, *gorm.DB) error) time.Duration {
		start := time.Now()
		if err := do(b.Context(), db); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	var helpers, alone []time.Duration
	for b.Loop() {
		helpers = append(helpers, run(p.helpers))
		alone = append(alone, run(p.gorm))
	}
	slices.Sort(helpers)
	slices.Sort(alone)
	mine, its := float64(helpers[len(helpers)/2]), float64(alone[len(alone)/2])
	b.ReportMetric(0, "ns/op") // of both together: it says nothing
	b.ReportMetric(mine, "helpers-ns")
	b.ReportMetric(its, "gorm-ns")
	b.ReportMetric(mine/its, "times")
	b.ReportMetric(testing.AllocsPerRun(100, func() { run(p.helpers) }), "helpers-allocs")
	b.ReportMetric(testing.AllocsPerRun(100, func() { run(p.gorm) }), "gorm-allocs")
}

func manyPosts(b *testing.B, db *gorm.DB) {
	b.Helper()
	series, moment := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)", "strftime('%Y-%m-%d %H:%M:%S+00:00', 1700000000 + i, 'unixepoch')"
	if database.Dialect(db) == database.Postgres {
		series, moment = "WITH n(i) AS (SELECT generate_series(1, 100000))", "to_timestamp(1700000000 + i)"
	}
	plain(b, db, "INSERT INTO users (created_at, updated_at, name) VALUES ('2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', 'author')")
	plain(b, db, series+" INSERT INTO posts (created_at, updated_at, author_id, title, body, published_at) SELECT "+
		strings.ReplaceAll("MOMENT, MOMENT, 1, 'title ' || CAST(i AS text), 'a body of some length', MOMENT FROM n", "MOMENT", moment))
	plain(b, db, "ANALYZE")
}

// sameSQL fails where the two sides of a pair do not run the same statement.
func sameSQL(b *testing.B, db *gorm.DB, p pair) {
	b.Helper()
	var statements []string
	tell := recorded(db, &statements)
	if err := errors.Join(p.helpers(b.Context(), tell), p.gorm(b.Context(), tell)); err != nil {
		b.Fatal(err)
	}
	if len(statements) != 2 || statements[0] != statements[1] {
		b.Fatalf("%s runs, and gorm alone:\n%s", p.name, strings.Join(statements, "\n"))
	}
}

func pairs(b *testing.B, db *gorm.DB) []pair {
	b.Helper()
	const id = many / 2
	base := models.Posts.Where("title__startswith", "title 1").Where("published_at__isnull", false)
	page, err := base.Where("id__le", id).Sort("-created_at").Page(b.Context(), db, "", 1)
	if err != nil {
		b.Fatal(err)
	}
	last := page.Items[0]
	where, prefix := "(`posts`.`title` GLOB ? AND `posts`.`published_at` IS NOT NULL) AND (`posts`.`created_at`,`posts`.`id`) < (?,?)", "title 1*"
	order := "`posts`.`created_at` DESC,`posts`.`id` DESC"
	if database.Dialect(db) == database.Postgres {
		where = strings.NewReplacer("`", `"`, "GLOB ?", `LIKE ? ESCAPE '\'`).Replace(where)
		order, prefix = strings.ReplaceAll(order, "`", `"`), "title 1%"
	}
	return []pair{{
		name: "find by id",
		helpers: func(ctx context.Context, db *gorm.DB) error {
			_, err := models.Posts.FindOrFail(ctx, db, id)
			return err
		},
		gorm: func(ctx context.Context, db *gorm.DB) error {
			var post models.Post
			return db.WithContext(ctx).Take(&post, id).Error
		},
	}, {
		name: "page of 20",
		helpers: func(ctx context.Context, db *gorm.DB) error {
			_, err := models.Posts.Where("title__startswith", "title 1").Where("published_at__isnull", false).
				Sort("-created_at").Page(ctx, db, page.Next, 20)
			return err
		},
		gorm: func(ctx context.Context, db *gorm.DB) error {
			var posts []models.Post
			return db.WithContext(ctx).Where(where, prefix, last.CreatedAt, last.ID).Order(order).Limit(21).Find(&posts).Error
		},
	}, {
		name: "create",
		helpers: func(ctx context.Context, db *gorm.DB) error {
			return models.Posts.Create(ctx, db, &models.Post{AuthorID: 1, Title: "new", PublishedAt: new(time.Now())})
		},
		gorm: func(ctx context.Context, db *gorm.DB) error {
			return db.WithContext(ctx).Create(&models.Post{AuthorID: 1, Title: "new", PublishedAt: new(time.Now())}).Error
		},
	}}
}
