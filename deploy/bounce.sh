#!/usr/bin/env bash
# For /etc/aliases: a mail server's bounce on standard input.
set -euo pipefail
set -a
. "${ENV_FILE:-/etc/emanet/emanet.env}"
set +a
cd "$(dirname "$0")/.."
FLASK_APP=wsgi.py exec .venv/bin/flask mail bounce
