"""HANA's SQL, as far as ledgers are asked about, made PostgreSQL's. Most of it is the same.

What is not: functions (made in PostgreSQL under the same names, see `erp/words.sql`), `FROM DUMMY`, the question marks, and
names, which HANA writes in capitals where they are not quoted.
"""

from __future__ import annotations

import re

from portal.sandbox.erp.database import Dialect

# Strings and quoted names are left alone; comments go.
PIECES = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\?|\bFROM\s+DUMMY\b""", re.DOTALL | re.IGNORECASE
)
SESSION = re.compile(r"\s*SET\s+(SCHEMA|TRANSACTION)\s+(.*?)\s*;?\s*$", re.DOTALL | re.IGNORECASE)


def translated(sql: str) -> str:
    """One statement, with its question marks numbered."""
    number = 0

    def piece(found: re.Match[str]) -> str:
        nonlocal number
        text = found.group()
        if text == "?":
            number += 1
            return f"${number}"
        if text.startswith(("--", "/*")):
            return " "
        return text if text[0] in "'\"" else ""

    return PIECES.sub(piece, sql)


def session_wish(sql: str) -> tuple[str, str] | None:
    """`SET SCHEMA …` and `SET TRANSACTION …` change the session and ask nothing."""
    found = SESSION.fullmatch(sql)
    return (found[1].upper(), found[2].strip().strip('"')) if found else None


CODES = {
    "42P01": (259, "invalid table name: Could not find table/view"),
    "42703": (260, "invalid column name"),
    "42601": (257, "sql syntax error"),
    "42883": (328, "invalid name of function or procedure"),
    "3F000": (362, "invalid schema name"),
    "42501": (258, "insufficient privilege: Not authorized"),
    "22P02": (339, "invalid number"),
    "22003": (314, "numeric overflow"),
    "40P01": (133, "transaction rolled back by detected deadlock"),
    "55P03": (131, "transaction rolled back by lock wait timeout"),
    "57014": (613, "execution aborted by timeout"),
}


def complaint(sqlstate: str | None, words: str) -> tuple[int, str]:
    """PostgreSQL's refusal under the number HANA would give it."""
    code, kind = CODES.get(sqlstate or "", (2, "general error"))
    return code, f"{kind}: {words}"


HANA = Dialect(translated, complaint)
