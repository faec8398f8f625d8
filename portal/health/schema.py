"""Whether the code's tables and the database's are the same: the migration that was run, and every column."""

from __future__ import annotations

import importlib
import pkgutil
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import portal
from portal.core.database import db

MIGRATIONS = Path(portal.__file__).resolve().parents[1] / "migrations"
# Comparing every table takes a good part of a second: said again for so long.
KEPT_SECONDS = 60


class Schema(NamedTuple):
    """What the code wants and what the database has; `differences` is empty when they agree."""

    wanted: str
    found: str
    differences: list[str]

    @property
    def agrees(self) -> bool:
        """Whether the portal may work on this database."""
        return self.wanted == self.found and not self.differences


_last: dict[str, tuple[float, Schema]] = {}


def compare(*, afresh: bool = False) -> Schema:
    """Look, or say what was seen within the last minute."""
    where = str(db.engine.url)
    kept = _last.get(where)
    if kept is None or afresh or time.monotonic() - kept[0] > KEPT_SECONDS:
        kept = _last[where] = (time.monotonic(), _look())
    return kept[1]


def know_every_table() -> None:
    """Import every domain's models: a table nobody imported would look like one too many."""
    for package in pkgutil.iter_modules(portal.__path__):
        name = f"portal.{package.name}.models"
        if package.ispkg and find_spec(name):
            importlib.import_module(name)


def _look() -> Schema:
    know_every_table()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    wanted = ",".join(sorted(ScriptDirectory.from_config(config).get_heads()))
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": _ours}
        )  # fmt: skip
        found = ",".join(sorted(context.get_current_heads()))
        differences = [_in_words(change) for change in compare_metadata(context, db.metadata)]
    return Schema(wanted, found, differences)


def _ours(thing: Any, _name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Views are not compared."""
    return not (kind == "table" and thing.info.get("is_view"))


def _in_words(change: Any) -> str:
    if isinstance(change, list):
        return "; ".join(_in_words(one) for one in change)
    verb, *things = change
    named = [
        str(getattr(thing, "name", thing)) for thing in things if thing is not None and not isinstance(thing, dict)
    ]
    return f"{verb} {' '.join(named[:4])}"[:200]
