package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
)

var (
	// foreignLink is a link element to another host. asynqmon's page has two, to fonts,
	// and looks well without: its icons are drawn, its letters have fallbacks.
	foreignLink = regexp.MustCompile(`<link\b[^>]*\bhref="(?:https?:)?//[^>]*>`)
	// manifestLink would have the browser fetch the manifest without the login, and
	// from there icons that are outside the dashboard's path.
	manifestLink = regexp.MustCompile(`<link\b[^>]*\brel="manifest"[^>]*>`)
	inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

// wayBack leads from the dashboard to the other pages: it has no link out of itself.
const wayBack = `<a href="` + Root + `" style="position:fixed;top:18px;right:18px;z-index:1250;padding:4px 12px;` +
	`border-radius:14px;background:#08695d;color:#fff;font:14px/1.5 system-ui,sans-serif;text-decoration:none">Tandem</a>`

// unscrolled takes away the scroll bars that asynqmon always shows, and those of a
// table that is a few empty pixels too wide.
const unscrolled = `<style>main>div{overflow:hidden auto!important}` +
	`@media(min-width:900px){.MuiTableContainer-root{overflow-x:hidden!important}}</style>`

// mendPage returns asynqmon's page without the links that lead off this machine, with a
// way back to the overview, and the policy that makes the browser refuse any that are
// left: scripts run only from files of this origin or where they stand in the page now,
// known by their hashes (CSP 3, section 2.3.1).
func mendPage(index []byte) (page []byte, policy string) {
	page = foreignLink.ReplaceAll(index, nil)
	page = manifestLink.ReplaceAll(page, nil)
	page = bytes.Replace(page, []byte(`<div id="root">`), []byte(unscrolled+wayBack+`<div id="root">`), 1)
	var scripts strings.Builder
	for _, m := range inlineScript.FindAllSubmatch(page, -1) {
		sum := sha256.Sum256(m[1])
		scripts.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	// Its style sheets are written into the page by its script, so they stay allowed.
	return page, "default-src 'none'; script-src 'self'" + scripts.String() +
		"; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " + framePolicy
}
