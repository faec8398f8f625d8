#!/usr/bin/env bash
# Into an EMPTY database, with nothing of the portal running: restore.sh FILE.dump
# Afterwards the books are asked, and no open call goes to a provider before an operator says so.
set -euo pipefail
: "${DATABASE_URL:?DATABASE_URL is missing: the new, empty database}"
file=${1:?Which file? restore.sh FILE.dump}
here=$(cd "$(dirname "$0")/.." && pwd)
flask=${FLASK:-$here/.venv/bin/flask}
url=${DATABASE_URL/postgresql+psycopg:/postgresql:}
if [ -f "$file.sha256" ]; then
  (cd "$(dirname "$file")" && sha256sum --check --quiet "$(basename "$file").sha256")
fi
if [ "$(psql "$url" -Atc "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")" != 0 ]; then
  echo "The database is not empty: nothing was touched." >&2
  exit 1
fi
pg_restore --dbname="$url" --no-owner --exit-on-error --single-transaction "$file"
cd "$here"
export FLASK_APP=wsgi.py
"$flask" outbox hold
"$flask" db upgrade
"$flask" books verify
cat <<'WORDS'
Restored. Calls to providers that were open in the backup are held: look at Outbox, "Waits for a person".
When you have looked:  flask outbox release   (each is asked about first, and sent only if it was not done)
WORDS
