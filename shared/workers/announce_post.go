package workers

import (
	"context"
	"fmt"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/report"
)

// AnnounceArgs are the arguments of AnnouncePost: all that it tells, so that it needs
// no database.
type AnnounceArgs struct {
	PostID int64  `json:"post_id"`
	Title  string `json:"title"`
	Author string `json:"author"`
}

// AnnouncePost tells those who watch the reports that a post has been published. It is
// enqueued with the post itself, by EnqueueTx: neither is there without the other.
var AnnouncePost = queue.Job[AnnounceArgs]{
	Kind:  "announce_post",
	Queue: queue.Low,
	Do: func(ctx context.Context, app *function.App, args AnnounceArgs) error {
		app.Report.Message(ctx, "PostPublished", fmt.Sprintf("%s has published %q", args.Author, args.Title),
			report.Data(map[string]any{"post": args.PostID}))
		return nil
	},
}
