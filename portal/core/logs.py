"""One line per thing that happened, with the request or job it belongs to and without secrets.

Everything goes to standard error; where there is a folder, also into one file per module that never grows beyond its
limit; and errors into a table, because on several machines nobody knows which file to look into.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import socket
import sys
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import g, has_request_context
from loguru import logger
from sqlalchemy import create_engine, insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from portal.core.formats import masked
from portal.core.troubles import Trouble

FORMAT = (
    "{time:YYYY-MM-DD HH:mm:ss.SSS} {level: <7} {extra[request_id]} {extra[job]} {name}: {message}\n{exception}"
)  # fmt: skip
PROCESS = f"{socket.gethostname()}:{os.getpid()}"
SHORTEST_SECRET = 8  # a shorter one could be an ordinary word
_secrets: list[str] = []


def init(
    *, secrets: Iterable[str] = (), folder: str = "", file_mb: int = 10, files_kept: int = 5, as_json: bool = False
) -> None:
    """Say where lines go. `secrets` are this installation's own; they are never written, whatever stands around them."""
    _secrets[:] = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)
    logger.remove()
    logger.configure(patcher=_patch, extra={"job": "-"})
    common: dict[str, Any] = {"format": FORMAT, "backtrace": False, "diagnose": False, "level": "INFO", "catch": True}
    logger.add(lambda message: _say(message, as_json), **common)
    if folder:
        logger.add(ModuleFiles(Path(folder), file_mb * 1024 * 1024, files_kept, as_json), **common)
    _listen_to_others()


def keep_troubles(database_url: str) -> None:
    """Errors become rows. On short connections of their own: what failed may have been the transaction around."""
    engine = create_engine(database_url, poolclass=NullPool, connect_args={"connect_timeout": 3}, hide_parameters=True)
    busy = threading.local()

    def keep(message: Any) -> None:
        record = message.record
        failed = record["exception"] and record["exception"].value
        if getattr(busy, "writing", False) or isinstance(failed, OperationalError):
            return  # the database itself is away; the file and standard error have it
        busy.writing = True
        try:
            with engine.begin() as connection:
                connection.execute(insert(Trouble).values(**_trouble(record)))
        except Exception as away:  # a log must never break what it tells of
            sys.stderr.write(f"an error could not be kept: {type(away).__name__}\n")
        finally:
            busy.writing = False

    logger.add(keep, format="{message}", level="ERROR", backtrace=False, diagnose=False)


def clean(text: Any) -> str:
    """Without this installation's secrets and without what could identify or rob somebody."""
    result = str(text)
    for secret in _secrets:
        result = result.replace(secret, "***")
    return masked(result)


def module_of(name: str | None) -> str:
    """Whose line it is: the domain (`portal.escrow.services` is escrow's), the integration, or somebody else."""
    parts = (name or "").split(".")
    if parts[0] == "portal" and len(parts) > 2:
        return parts[2] if parts[1] == "integrations" else parts[1]
    return parts[0] if parts[0] in ("jobs", "portal") else "other"


class ModuleFiles:
    """One file per module; when it is full it becomes `.1`, and the oldest goes. Any number of processes may write."""

    def __init__(self, folder: Path, most_bytes: int, kept: int, as_json: bool) -> None:
        self.folder, self.most_bytes, self.kept, self.as_json = folder, most_bytes, kept, as_json
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, message: Any) -> None:
        path = self.folder / f"{module_of(message.record['name'])}.log"
        line = _line(message, self.as_json).encode()
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_size + len(line) > self.most_bytes:
                self._rotate(path)
            with path.open("ab") as file:
                file.write(line)

    def _rotate(self, path: Path) -> None:
        for number in range(self.kept, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)


class _FromOthers(logging.Handler):
    """Libraries speak through the standard library; their lines go where ours go."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname if record.levelname in ("WARNING", "ERROR", "CRITICAL") else "INFO"
        logger.patch(lambda ours: _named(ours, record.name)).opt(exception=record.exc_info).log(
            level, "{}", record.getMessage()
        )  # fmt: skip


def _listen_to_others() -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _FromOthers) for handler in root.handlers):
        root.addHandler(_FromOthers(level=logging.WARNING))


def _say(message: Any, as_json: bool) -> None:
    sys.stderr.write(_line(message, as_json))


def _named(record: Any, name: str) -> None:
    record["name"] = name


def _patch(record: Any) -> None:
    record["message"] = clean(record["message"])
    record["extra"].setdefault("request_id", g.get("request_id", "-") if has_request_context() else "-")
    record["extra"].setdefault("job", "-")


def _line(message: Any, as_json: bool) -> str:
    if not as_json:
        return clean(str(message).rstrip("\n")) + "\n"
    record = message.record
    facts = {
        "at": record["time"].isoformat(),
        "level": record["level"].name,
        "module": module_of(record["name"]),
        "name": record["name"],
        "request_id": record["extra"]["request_id"],
        "job": record["extra"]["job"],
        "process": PROCESS,
        "message": clean(record["message"]),
        "exception": clean(_traceback(record)),
    }
    return json.dumps(facts, ensure_ascii=False) + "\n"


def _traceback(record: Any) -> str:
    failed = record["exception"]
    if not failed or failed.value is None:
        return ""
    return "".join(traceback.format_exception(failed.type, failed.value, failed.traceback))


def _trouble(record: Any) -> dict[str, Any]:
    kind = record["exception"].type.__name__ if record["exception"] and record["exception"].type else ""
    place = f"{record['name']}:{record['function']}:{kind}"
    return {
        "level": "CRITICAL" if record["level"].name == "CRITICAL" else "ERROR",
        "module": module_of(record["name"]),
        "fingerprint": hashlib.sha256(place.encode()).hexdigest()[:16],
        "message": clean(record["message"])[:2000],
        "trace": clean(_traceback(record))[-8000:],
        "request_id": record["extra"]["request_id"],
        "job": record["extra"]["job"],
        "process": PROCESS,
    }
