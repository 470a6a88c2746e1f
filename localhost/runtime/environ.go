package lambda

import (
	"maps"
	"slices"
	"strconv"
)

// environ is all that a process sees of variables: Lambda's, the template's, and of
// this machine PATH alone. TMPDIR is our own, in place of a /tmp for each environment.
// (AWS docs "configuration-envvars")
func (f Function) environ(path, address, stream, tmp string) []string {
	all := map[string]string{
		"PATH":   path,
		"TZ":     "UTC",
		"TMPDIR": tmp,
	}
	maps.Copy(all, f.Env)
	maps.Copy(all, map[string]string{
		"_HANDLER":                        f.Handler,
		"AWS_REGION":                      f.Region,
		"AWS_DEFAULT_REGION":              f.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_RUNTIME_API":          address,
		"LAMBDA_TASK_ROOT":                f.TaskRoot,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
	})
	env := make([]string, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		env = append(env, key+"="+all[key])
	}
	return env
}
