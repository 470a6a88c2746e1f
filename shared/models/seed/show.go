package seed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
)

// example is a call of the helpers, as it is written, and what it returns.
type example struct {
	code string
	run  func(ctx context.Context, db *gorm.DB) (any, error)
}

var examples = []example{
	{`models.Users.Count(ctx, db)`,
		func(ctx context.Context, db *gorm.DB) (any, error) { return models.Users.Count(ctx, db) }},
	{`models.Users.Where("name", "Asdf").First(ctx, db)`,
		func(ctx context.Context, db *gorm.DB) (any, error) {
			return models.Users.Where("name", "Asdf").FirstOrFail(ctx, db)
		}},
	{`models.Users.Where("posts___title__icontains", "GO").Sort("-created_at", "name").All(ctx, db)`,
		func(ctx context.Context, db *gorm.DB) (any, error) {
			return models.Users.Where("posts___title__icontains", "GO").Sort("-created_at", "name").All(ctx, db)
		}},
	{`models.Posts.Where("author___role", models.RoleAdmin).Where("published_at__year", 2026).Sort("title").All(ctx, db)`,
		func(ctx context.Context, db *gorm.DB) (any, error) {
			return models.Posts.Where("author___role", models.RoleAdmin).Where("published_at__year", 2026).Sort("title").All(ctx, db)
		}},
	{`models.Users.Filter(models.Or(models.Is("posts__isnull", true), models.Not(models.Is("role", models.RoleUser)))).All(ctx, db)`,
		func(ctx context.Context, db *gorm.DB) (any, error) {
			return models.Users.Filter(models.Or(models.Is("posts__isnull", true), models.Not(models.Is("role", models.RoleUser)))).All(ctx, db)
		}},
	{`models.Posts.Sort("-published_at").Page(ctx, db, "", 2)`,
		func(ctx context.Context, db *gorm.DB) (any, error) {
			page, err := models.Posts.Sort("-published_at").Page(ctx, db, "", 2)
			return page.Items, err
		}},
	{`models.Posts.WithJoined("author").With("comments.author").Where("title", "Go at last").First(ctx, db), then ToMap`,
		func(ctx context.Context, db *gorm.DB) (any, error) {
			post, err := models.Posts.WithJoined("author").With("comments.author").Where("title", "Go at last").FirstOrFail(ctx, db)
			if err != nil {
				return nil, err
			}
			m, err := models.Posts.ToMap(post, models.Serialize{
				Nested: []string{"author", "comments.author"}, Exclude: []string{"comments.post_id"},
			})
			if err != nil {
				return nil, err
			}
			text, err := json.MarshalIndent(m, "     ", "  ")
			return string(text), err
		}},
	{`models.Users.Where("posts___titel", "x").All(ctx, db)`,
		func(ctx context.Context, db *gorm.DB) (any, error) {
			_, err := models.Users.Where("posts___titel", "x").All(ctx, db)
			return err, nil // the error is what is to be seen
		}},
}

func show(ctx context.Context, db *gorm.DB, w io.Writer) error {
	for _, e := range examples {
		var statements []string
		result, err := e.run(ctx, database.Told(db, func(sql string) { statements = append(statements, sql) }))
		if err != nil {
			return fmt.Errorf("seed: %s: %w", e.code, err)
		}
		ran := ""
		if len(statements) > 0 {
			ran = "  ·  " + strings.Join(statements, "\n  ·  ") + "\n"
		}
		if _, err := fmt.Fprintf(w, "\n%s\n%s  →  %v\n", e.code, ran, result); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}
