"""A connection to an ERP's database, whatever the driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any, Protocol

from portal.receivables.ports import LedgerUnreadable, Reason

Row = Sequence[Any]
AT_ONCE = 5_000  # rows that travel together


class ErpLine(Protocol):
    """Opened for one reading, read only, and closed after it. Raises LedgerUnreadable and nothing else."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[list[Row]]:
        """The answer, some thousands of rows at a time."""

    def close(self) -> None:
        """Give up the snapshot and hang up; never raises."""


def all_rows(line: ErpLine, sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """A short answer, whole."""
    return [row for some in line.rows(sql, values) for row in some]


def whole(sql: str) -> str:
    """SQL without its comments: they are for us, and question marks in them would count."""
    return "\n".join(row for row in sql.splitlines() if not row.lstrip().startswith("--")).strip()


def from_file(folder: Path, name: str, **names: str) -> str:
    """A file's SQL with its names filled in. The names are ours or checked numbers, never somebody's input."""
    return whole(Template((folder / f"{name}.sql").read_text()).substitute(names))


def missing(where: str) -> LedgerUnreadable:
    """A table or a column is not there."""
    return LedgerUnreadable(Reason.WRONG_SCHEMA, where=where)
