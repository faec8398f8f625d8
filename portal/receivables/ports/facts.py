"""What an ERP's ledger says: whole kuruş, sums made in the ERP, per account and month, in decimal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Side(StrEnum):
    """Whose accounts: the value is how their codes begin."""

    CUSTOMERS = "120"
    SUPPLIERS = "320"


class DateBasis(StrEnum):
    """Which of a line's dates is meant by its month."""

    POSTED = "POSTED"  # Logo DATE_, SAP RefDate: the customer's practice
    DOCUMENT = "DOCUMENT"  # Logo DOCDATE, SAP TaxDate


@dataclass(frozen=True)
class Account:
    """One current account. `currency` is the card's own, ISO; amounts are in lira all the same."""

    code: str
    name: str
    currency: str = "TRY"
    passive: bool = False  # a card put out of use can still owe money
    email: str = ""
    tax_number: str = ""
    salesperson: str = ""
    group: str = ""


class MonthSum(NamedTuple):
    """What one month did to one account. `month` is its first day; None is a balance carried in from before all we read.

    `future` lines are dated after the day asked for: they are listed apart and belong to no bucket.
    """

    account: str
    month: date | None
    future: bool
    debit_kurus: int
    credit_kurus: int
    lines: int
    first_on: date | None
    last_on: date | None


class Fingerprint(NamedTuple):
    """What all lines of an account add up to, future ones included: while it stays, so do the account's months.

    Millionths of a lira. In the weights each amount counts as often as its month says (202505 · 2, one more for a line
    of the future, nothing for what was carried in), so that a line moved to another month is seen. A line moved within
    its month is not; and changes that make up for each other to the last digit are not.
    """

    account: str
    lines: int
    debit_micro: int
    credit_micro: int
    debit_weight: int
    credit_weight: int


@dataclass(frozen=True)
class Document:
    """One line of the ledger. The documents of a month add up to its sum to the kuruş."""

    on: date | None  # None: an opening whose true date is not known
    kind: str  # their code: "4/38" (Logo module and kind), "13" (SAP transaction type)
    number: str
    text: str
    debit_kurus: int
    credit_kurus: int
    opening: bool
    due_on: date | None = None
    currency: str = ""  # the document's own, when it is not lira
    reference: str = ""  # the line's key in the ERP


@dataclass(frozen=True)
class Totals:
    """Two independent sums over the same lines, in millionths of a lira, future lines included.

    `erp_…` is the ERP's ungrouped sum in the same transaction; `read_…` what came in as months. They must be equal.
    """

    erp_debit_micro: int
    erp_credit_micro: int
    erp_lines: int
    read_debit_micro: int
    read_credit_micro: int
    read_lines: int


@dataclass(frozen=True)
class ErpBalance:
    """What the ERP's own totals table says of an account, future lines included (Logo GNTOTCL, SAP OCRD.Balance)."""

    account: str
    debit_kurus: int
    credit_kurus: int


@dataclass(frozen=True)
class ErpMonth:
    """What the ERP's own totals table says of a month over all accounts (Logo CLTOTFIL)."""

    month: date
    debit_kurus: int
    credit_kurus: int


@dataclass(frozen=True)
class OpenItemSum:
    """What the ERP itself holds for open, per account and month of the due date (Logo PAYTRANS, SAP reconciliations)."""

    account: str
    month: date
    debit_kurus: int
    credit_kurus: int
    items: int


class Oddity(StrEnum):
    """Contradictions the ERP was asked about (facts: ERP §1.6; the number is the check's)."""

    PERIOD_GAP = "PERIOD_GAP"  # 2: configured periods against the ERP's calendar
    NO_CARD = "NO_CARD"  # 3: lines that belong to no account
    NO_DATE = "NO_DATE"  # 4
    BEFORE_2000 = "BEFORE_2000"  # 4
    MONTH_DIFFERS = "MONTH_DIFFERS"  # 5: the stored month is not the date's
    OUTSIDE_PERIOD = "OUTSIDE_PERIOD"  # 5: dated outside its firm's period
    TWO_CARDS = "TWO_CARDS"  # 6: one code, two cards or two names
    ODD_CODE = "ODD_CODE"  # 6: blanks in the code
    ODD_SIGN = "ODD_SIGN"  # 6: neither debit nor credit
    NO_AMOUNT = "NO_AMOUNT"  # 6
    OPENING_DIFFERS = "OPENING_DIFFERS"  # an opening is not what the period before closed with
    OPENING_UNDATED = "OPENING_UNDATED"  # no trouble, to be said: openings stand in Öncesi without their true months


@dataclass(frozen=True)
class Finding:
    """One oddity: how many lines or cards, worth how much (absolute), and the first accounts (20 at most)."""

    oddity: Oddity
    count: int
    amount_kurus: int = 0
    accounts: tuple[str, ...] = ()
    words: str = ""  # periods, dates: for people


@dataclass(frozen=True)
class Condition:
    """How the source is, looked at without reading the ledger."""

    source: str  # "Logo (HANA)"
    partitions: tuple[str, ...]  # "211/01 2021-01-01 … 2025-12-31"
    lines_estimate: int
    latest_on: date | None
    missing: tuple[str, ...]  # optional columns and tables this ERP does not have
