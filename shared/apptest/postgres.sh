# Runs a Postgres of the tests' own until standard input ends, which it does when the
# test process is gone, however it went. Needs BIN (Postgres' programs), PORT, CERT
# and KEY (PEM, for TLS).
set -eu
umask 077
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
printf '%s\n' "$CERT" >"$dir/cert.pem"
printf '%s\n' "$KEY" >"$dir/key.pem"
cd "$dir"
# A collation that sorts as people do, where it can: the tables must not depend on it.
"$BIN/initdb" -D data -U tandem -A trust -E UTF8 --no-sync --locale-provider=icu --icu-locale=en-US --locale=C >log 2>&1 ||
  { rm -rf data; "$BIN/initdb" -D data -U tandem -A trust -E UTF8 --no-sync >log 2>&1; } || { cat log >&2; exit 1; }
"$BIN/postgres" -D data -p "$PORT" -h 127.0.0.1 -k "$dir" -c ssl=on -c ssl_cert_file="$dir/cert.pem" -c ssl_key_file="$dir/key.pem" \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c timezone=Asia/Tokyo >log 2>&1 &
server=$!
while read -r _; do :; done
kill -INT "$server" 2>/dev/null || cat log >&2
wait "$server" || true
