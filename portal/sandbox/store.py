"""The sandbox's memory: dictionaries in the process, written through to one SQLite file so that a restart forgets nothing."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from threading import RLock
from typing import Any

Row = dict[str, Any]


class Store:
    """Kinds of rows by key. Hold `lock` around what must happen together."""

    def __init__(self, folder: Path | None) -> None:
        self.lock = RLock()
        self.rows: dict[str, dict[str, Row]] = defaultdict(dict)
        self.file: sqlite3.Connection | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.file = sqlite3.connect(folder / "sandbox.sqlite", check_same_thread=False, isolation_level=None)
            self.file.execute("PRAGMA journal_mode=WAL")
            self.file.execute("PRAGMA synchronous=OFF")
            self.file.execute(
                "CREATE TABLE IF NOT EXISTS row (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"
            )
            for kind, key, body in self.file.execute("SELECT kind, key, body FROM row ORDER BY rowid"):
                self.rows[kind][key] = json.loads(body)

    def put(self, kind: str, key: str, row: Row) -> Row:
        """Keep a row."""
        with self.lock:
            self.rows[kind][key] = row
            if self.file is not None:
                # Not REPLACE: that would move the row to the end, and "oldest first" would be lost with a restart.
                upsert = "INSERT INTO row VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body"
                self.file.execute(upsert, (kind, key, json.dumps(row)))
            return row

    def get(self, kind: str, key: object) -> Row | None:
        """A row, or None."""
        return self.rows[kind].get(str(key))

    def all(self, kind: str) -> list[Row]:
        """Every row of a kind, oldest first."""
        with self.lock:
            return list(self.rows[kind].values())

    def serial(self, name: str, start: int) -> int:
        """The next number of a series."""
        with self.lock:
            number = int((self.get("serial", name) or {"n": start})["n"]) + 1
            self.put("serial", name, {"n": number})
            return number

    def count(self, effect: str, key: str) -> None:
        """One effect done in the world."""
        with self.lock:
            row = self.get("effect", f"{effect}|{key}") or {"operation": effect, "key": key, "count": 0}
            self.put("effect", f"{effect}|{key}", {**row, "count": row["count"] + 1})

    def forget(self) -> None:
        """Begin anew. Numbers go on: a portal that remembers old payments must not meet their numbers again."""
        with self.lock:
            for kind in [kind for kind in self.rows if kind != "serial"]:
                del self.rows[kind]
            if self.file is not None:
                self.file.execute("DELETE FROM row WHERE kind <> 'serial'")
