#!/usr/bin/env bash
# A new version without a failed request: roll.sh [PORT…]   (8001 and 8002 unless given)
# Migrations only add; the old code goes on working on the new tables until its process is restarted.
set -euo pipefail
ports=("$@")
[ ${#ports[@]} -gt 0 ] || ports=(8001 8002)
restart=${RESTART:-systemctl restart}
answers() { curl --fail --silent --max-time 2 "http://127.0.0.1:$1/healthz" >/dev/null; }
cd "$(dirname "$0")/.."
if [ -z "${SKIP_MIGRATIONS:-}" ]; then
  FLASK_APP=wsgi.py .venv/bin/flask db upgrade
fi
for port in "${ports[@]}"; do
  $restart "emanet-web@$port"
  for _ in $(seq 120); do
    answers "$port" && break
    sleep 0.5
  done
  answers "$port" || { echo "The web process on port $port does not answer; the others were not touched." >&2; exit 1; }
  sleep "${SETTLE_SECONDS:-1}"
done
if [ -z "${SKIP_WORKERS:-}" ]; then
  systemctl restart 'emanet-worker@*' emanet-scheduler emanet-sweeper
fi
