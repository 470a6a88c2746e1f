package console

import (
	"encoding/json"
	"net/http"
	"strings"
)

// redisFields are what the dashboard's view of Redis shows out of INFO, and what it is
// told where INFO has no such field: the embedded Redis knows but few, and the view
// would count with what is missing.
var redisFields = [...][2]string{
	{"redis_version", "–"},
	{"uptime_in_days", "0"},
	{"used_memory_human", "–"},
	{"used_memory_peak_human", "–"},
	{"mem_fragmentation_ratio", "–"},
	{"connected_clients", "–"},
	{"connected_slaves", "0"},
	{"rdb_last_save_time", "0"},
	{"rdb_changes_since_last_save", "–"},
}

// completeInfo fills in the fields that are missing in an answer about Redis.
func completeInfo(a *answer) {
	var doc map[string]any
	if a.status != http.StatusOK || json.Unmarshal(a.body.Bytes(), &doc) != nil {
		return
	}
	info, ok := doc["info"].(map[string]any)
	if !ok {
		return
	}
	for _, f := range redisFields {
		if v, _ := info[f[0]].(string); strings.TrimSpace(v) == "" {
			info[f[0]] = f[1]
		}
	}
	if body, err := json.Marshal(doc); err == nil {
		a.body.Reset()
		a.body.Write(body)
	}
}
