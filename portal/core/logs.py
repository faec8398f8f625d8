"""One line per thing that happened, with the request it belongs to and without secrets."""

from __future__ import annotations

import sys
from typing import Any

from flask import g, has_request_context
from loguru import logger

from portal.core.formats import masked

FORMAT = "{time:YYYY-MM-DD HH:mm:ss.SSS} {level: <7} {extra[request_id]} {name}: {message}\n{exception}"


def init() -> None:
    """Everything goes to standard error, masked; whoever runs us keeps the file."""
    logger.remove()
    logger.configure(patcher=_patch)
    logger.add(sys.stderr, format=FORMAT, backtrace=False, diagnose=False, level="INFO")


def _patch(record: Any) -> None:
    record["message"] = masked(record["message"])
    record["extra"].setdefault("request_id", g.get("request_id", "-") if has_request_context() else "-")
