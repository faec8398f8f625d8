#!/usr/bin/env bash
# One consistent picture of the database, while everything goes on: backup.sh FOLDER [KEEP_DAYS]
# Redis holds no fact and is not backed up. Pictures lie on their own drive.
set -euo pipefail
: "${DATABASE_URL:?DATABASE_URL is missing (source /etc/emanet/emanet.env)}"
folder=${1:?Where to? backup.sh FOLDER [KEEP_DAYS]}
keep_days=${2:-14}
url=${DATABASE_URL/postgresql+psycopg:/postgresql:}
umask 077
mkdir -p "$folder"
name="$folder/emanet-$(date -u +%Y%m%dT%H%M%SZ).dump"
pg_dump --dbname="$url" --format=custom --compress=6 --no-owner --file="$name.part"
pg_restore --list "$name.part" >/dev/null # a file that cannot be read is no backup
mv "$name.part" "$name"
(cd "$folder" && sha256sum "$(basename "$name")" >"$(basename "$name").sha256")
find "$folder" -maxdepth 1 -name 'emanet-*.dump*' -mtime +"$keep_days" -delete
echo "$name"
