// Package seed fills a database with example rows, and shows the query helpers at
// work.
package seed

import (
	"context"
	"fmt"
	"io"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tandem-api/tandem/shared/models"
)

// Run creates or updates the example rows and tells on w what it found. Running it
// again changes nothing but the times of the last change.
func Run(ctx context.Context, db *gorm.DB, w io.Writer) error {
	user := models.User{Name: "Asdf"}
	err := db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"updated_at"}),
	}).Create(&user).Error
	if err != nil {
		return fmt.Errorf("seed user %s: %w", user.Name, err)
	}
	n, err := models.Users.Count(ctx, db)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	_, err = fmt.Fprintf(w, "user %s has id %d; %d users in all\n", user.Name, user.ID, n)
	return err
}
