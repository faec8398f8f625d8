"""SQL Server's SQL, as far as ledgers are asked about, made PostgreSQL's."""

from __future__ import annotations

import re

from portal.sandbox.erp.database import Dialect

PIECES = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\[\w+\]|@P\d+|\?|\bDB_NAME\(\)""", re.DOTALL | re.IGNORECASE
)
# What only changes the session: drivers send a dozen of these of their own.
HOUSEKEEPING = re.compile(
    r"\s*(SET|USE|IF\s+@@TRANCOUNT|BEGIN\s+TRAN|COMMIT|ROLLBACK|DECLARE\s+@\w+\s+\w+\s+SET)\b", re.IGNORECASE
)
SNAPSHOT = re.compile(r"SET\s+TRANSACTION\s+ISOLATION\s+LEVEL\s+SNAPSHOT", re.IGNORECASE)
ENDING = re.compile(r"\b(COMMIT|ROLLBACK)\b", re.IGNORECASE)


def translated(sql: str) -> str:
    """One statement, with its parameters numbered."""
    number = 0

    def piece(found: re.Match[str]) -> str:
        nonlocal number
        text = found.group()
        if text == "?":
            number += 1
            return f"${number}"
        if text.startswith("@"):
            return f"${text[2:]}"
        if text.startswith(("--", "/*")):
            return " "
        if text.startswith("["):
            return f'"{text[1:-1]}"'
        return "current_database()" if text[0] not in "'\"" else text

    return PIECES.sub(piece, sql)


NUMBERS = {
    "42P01": (208, "Invalid object name."),
    "42703": (207, "Invalid column name."),
    "42601": (102, "Incorrect syntax."),
    "3F000": (208, "Invalid object name."),
    "42501": (229, "The SELECT permission was denied."),
    "40P01": (1205, "Transaction was deadlocked and has been chosen as the deadlock victim."),
    "55P03": (1222, "Lock request time out period exceeded."),
    "22003": (8115, "Arithmetic overflow error."),
}


def complaint(sqlstate: str | None, words: str) -> tuple[int, str]:
    """PostgreSQL's refusal under SQL Server's number."""
    number, kind = NUMBERS.get(sqlstate or "", (50000, "Error."))
    return number, f"{kind} {words}"


SQL_SERVER = Dialect(translated, complaint, ("dbo",))
