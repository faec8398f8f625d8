"""How figures, dates and Turkish words are written and read. Said once, used by every page, mail and file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.numbers import NumberFormatError, format_decimal, parse_decimal
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l

from portal.core.clock import ISTANBUL
from portal.core.errors import BadInput
from portal.core.i18n import told
from portal.core.money import Money, from_lira

MINUS, NBSP = "\u2212", "\u00a0"
# CLDR puts the sign before the amount; Turkish readers expect it behind.
MONEY_PATTERN = "#,##0.00;-#,##0.00"

_LOWER = str.maketrans({"İ": "i", "I": "ı"})
_UPPER = str.maketrans({"i": "İ", "ı": "I"})
_FOLD = str.maketrans("çğıöşüâîû", "cgiosuaiu")
_ALPHABET = {letter: chr(0x100 + place) for place, letter in enumerate("abcçdefgğhıijklmnoöpqrsştuüvwxyz")}


def _language() -> str:
    locale = get_locale()
    return str(locale) if locale else "tr"


def money(kurus: int | Money | None, sign: str = "₺", language: str | None = None) -> str:
    """1.254.300,50 ₺: kuruş as people read them; nothing for None."""
    if kurus is None:
        return ""
    value = (kurus if isinstance(kurus, Money) else Money(kurus)).as_decimal()
    written = format_decimal(value, format=MONEY_PATTERN, locale=language or _language())
    return written.replace("-", MINUS) + (f"{NBSP}{sign}" if sign else "")


def percent(value: Decimal, language: str | None = None) -> str:
    """%8,5 in Turkish, 8.5% in English."""
    language = language or _language()
    written = format_decimal(value.normalize(), format="#,##0.##", locale=language)
    return f"%{written}" if language == "tr" else f"{written}%"


def day(value: date | None) -> str:
    """21.11.2026."""
    return "" if value is None else f"{value:%d.%m.%Y}"


def instant(value: datetime | None) -> str:
    """21.11.2026 09:05, in Istanbul."""
    return "" if value is None else f"{value.astimezone(ISTANBUL):%d.%m.%Y %H:%M}"


def iban(value: str) -> str:
    """In groups of four."""
    return " ".join(value[i : i + 4] for i in range(0, len(value), 4))


def read_lira(text: str, language: str | None = None, field: str = "amount") -> Money:
    """An amount as people type it (1.254,30); refuses what could mean two things, and says what it would have meant."""
    cleaned = text.strip().replace("₺", "").replace("TL", "").strip().replace(NBSP, "")
    try:
        value = parse_decimal(cleaned, locale=language or _language(), strict=True)
        return from_lira(value)
    except (NumberFormatError, ValueError, ArithmeticError):
        raise BadInput(fields={field: _l("Write the amount like 1.254,30.")}) from None


def read_day(text: str, field: str = "date") -> date:
    """A date as people type it (21.11.2026) or as a date field sends it (2026-11-21)."""
    for pattern in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text.strip(), pattern).replace(tzinfo=ISTANBUL).date()
        except ValueError:
            continue
    raise BadInput(fields={field: _l("Write the date like 21.11.2026.")})


def tr_lower(text: str) -> str:
    """Lower case as Turkish has it: İ→i, I→ı."""
    return text.translate(_LOWER).lower()


def tr_upper(text: str) -> str:
    """Upper case as Turkish has it: i→İ, ı→I."""
    return text.translate(_UPPER).upper()


def fold(text: str) -> str:
    """For searching: case and Turkish marks do not matter (isik finds Işık)."""
    return tr_lower(text).translate(_FOLD)


def sort_key(text: str) -> str:
    """For sorting by the Turkish alphabet: ç after c, ı before i, ş after s."""
    return "".join(_ALPHABET.get(letter, letter) for letter in tr_lower(text))


def named(names: dict[str, str]) -> Callable[[str], str]:
    """A filter that says a code word in the reader's language."""
    return lambda code: told(names.get(code) or code)


def account(name: str, kinds: dict[str, str]) -> str:
    """An account's name for people: its kind in their language, and whose it is."""
    kind, _, owner = name.partition(":")
    return f"{told(kinds.get(kind, kind))} {owner}".strip()


_HIDDEN_NAMES = (
    r"pass(?:word|wd|phrase)?|parola|şifre|sifre|secret(?:[_-]?key)?|api[_-]?key|private[_-]?key|(?:access|refresh)?[_-]?token"
    r"|authorization|cookie|x-cron-secret|x-iyz-signature\S*|signature|cvc|cvv|card[_-]?number|pwd"
)
_MASKS = [
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "***"),
    (re.compile(r"(://)[^\s:/@]*:[^\s/@]+@"), r"\1***:***@"),
    (re.compile(r"(?i)(bearer\s+|basic\s+)[\w.~+/-]+=*"), r"\1***"),
    (
        re.compile(
            rf"(?i)((?:\b|_)(?:{_HIDDEN_NAMES})[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|(?:bearer|basic)\s+\S+|[^\s,;&}}\])]+)"
        ),
        r"\1***",
    ),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "***@***"),
    (re.compile(r"(?i)\bTR\d{2}[\d ]{20,30}\b"), "TR** ****"),
    (re.compile(r"\b(?:\d[ -]?){13,19}\b"), "****"),
    (re.compile(r"\b[1-9]\d{10}\b"), "***********"),
    (re.compile(r"\+90[ ]?\d{3}[ ]?\d{3}[ ]?\d{2}[ ]?\d{2}\b"), "+90**********"),
    (re.compile(r"\b0?5\d{2}[ ]?\d{3}[ ]?\d{2}[ ]?\d{2}\b"), "05*********"),
]


def masked(text: Any) -> str:
    """Without what could identify or rob somebody: e-mails, IBANs, tokens, card numbers, TCKNs, phones."""
    result = str(text)
    for pattern, instead in _MASKS:
        result = pattern.sub(instead, result)
    return result
