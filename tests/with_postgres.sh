#!/bin/sh
# Runs a command with DATABASE_URL naming a throw-away PostgreSQL server:
#     tests/with_postgres.sh python -m pytest tests/integration/server
# The server listens on this machine only. POSTGRES_BIN names the folder of initdb and pg_ctl where
# they are not on the PATH.
set -eu

if [ -z "${POSTGRES_BIN:-}" ]; then
    if command -v initdb >/dev/null; then
        POSTGRES_BIN=$(dirname "$(command -v initdb)")
    else
        for folder in /usr/lib/postgresql/*/bin; do POSTGRES_BIN=$folder; done
    fi
fi
[ -x "$POSTGRES_BIN/initdb" ] || { echo "no PostgreSQL found; set POSTGRES_BIN" >&2; exit 1; }

folder=$(mktemp -d)
port=$((20000 + $$ % 20000))
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    chown postgres "$folder"
    as_owner() { su postgres -s /bin/sh -c 'cd / && exec "$0" "$@"' -- "$@"; }
fi
stop() {
    as_owner "$POSTGRES_BIN/pg_ctl" stop -D "$folder/data" -m immediate -s || true
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

as_owner "$POSTGRES_BIN/initdb" -D "$folder/data" -U mesonet --auth=trust -E UTF8 --no-sync >/dev/null
as_owner "$POSTGRES_BIN/pg_ctl" start -D "$folder/data" -w -s -l "$folder/log" \
    -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c fsync=off"

DATABASE_URL="postgres://mesonet:@127.0.0.1:$port/postgres" "$@"
