"""The ERP's current-account ledger, in our words: who owes what, month by month (facts: ERP data sources).

Amounts are whole kuruş. Sums are made in the ERP, per account and month, in decimal: months travel, lines do not.
A debit raises what a customer owes us, a credit lowers it; a line with a negative amount stands on the other side.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from flask_babel import lazy_gettext as _l

from portal.core.errors import Refusal


class Side(StrEnum):
    """Whose accounts: the value is how their codes begin."""

    CUSTOMERS = "120"
    SUPPLIERS = "320"


class Reason(StrEnum):
    """Why a ledger could not be read."""

    NOT_CONFIGURED = "NOT_CONFIGURED"
    DRIVER_MISSING = "DRIVER_MISSING"
    UNKNOWN_HOST = "UNKNOWN_HOST"
    UNREACHABLE = "UNREACHABLE"
    CONNECT_TIMEOUT = "CONNECT_TIMEOUT"
    NOT_A_DATABASE = "NOT_A_DATABASE"  # something answers there, but not in the ERP's language
    TLS = "TLS"
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 (a reason, not a password)
    PASSWORD_EXPIRED = "PASSWORD_EXPIRED"  # noqa: S105
    NOT_PERMITTED = "NOT_PERMITTED"
    WRONG_SCHEMA = "WRONG_SCHEMA"  # a table or a column is not there
    WRONG_PERIODS = "WRONG_PERIODS"  # our firm and period numbers do not fit the ERP's calendar
    TIMEOUT = "TIMEOUT"
    BUSY = "BUSY"  # locked out, deadlocked, out of memory: trying again later is right
    DROPPED = "DROPPED"
    HALF_AN_ANSWER = "HALF_AN_ANSWER"  # the line held, but fewer rows came than the ERP counted
    UNREADABLE = "UNREADABLE"  # a row that makes no sense: no code, no amount
    REFUSED = "REFUSED"  # any other error the ERP named


REASONS: dict[Reason, Any] = {
    Reason.NOT_CONFIGURED: _l("No ERP is set up as the source of the accounts."),
    Reason.DRIVER_MISSING: _l("The database driver for the ERP is not installed on this machine."),
    Reason.UNKNOWN_HOST: _l("The ERP's server name is not known to the network."),
    Reason.UNREACHABLE: _l("The ERP's server does not take connections. It may be down, or a firewall is in between."),
    Reason.CONNECT_TIMEOUT: _l("The ERP's server did not answer in time."),
    Reason.NOT_A_DATABASE: _l("What answers at the ERP's address is not the database it should be."),
    Reason.TLS: _l("No secure connection to the ERP: its certificate is not trusted, or encryption was refused."),
    Reason.WRONG_PASSWORD: _l("The ERP refused our user name or password."),
    Reason.PASSWORD_EXPIRED: _l("The ERP wants a new password for our user."),
    Reason.NOT_PERMITTED: _l("Our user may not read the ledger's tables in the ERP."),
    Reason.WRONG_SCHEMA: _l("The ERP has no such tables or columns. Check firm, period and schema in the settings."),
    Reason.WRONG_PERIODS: _l("Our firm and period numbers leave a gap or overlap in the ERP's calendar."),
    Reason.TIMEOUT: _l("The ERP took too long over the question and was given up on."),
    Reason.BUSY: _l("The ERP is busy with other work. Please try again in a few minutes."),
    Reason.DROPPED: _l("The connection to the ERP broke off."),
    Reason.HALF_AN_ANSWER: _l("The ERP's answer was incomplete."),
    Reason.UNREADABLE: _l("The ERP sent a row that makes no sense."),
    Reason.REFUSED: _l("The ERP could not answer the question."),
}


class LedgerUnreadable(Refusal):
    """The ERP gave no whole answer; what we have stays. `reason` says why, in `REASONS`' words for people.

    `clue` is the driver's code for our log ("-10709", "28000 (18456)"); `where` names a table, column or account.
    """

    status = 503
    code = "ledger_unreadable"

    def __init__(self, reason: Reason, *, clue: str = "", where: str = "") -> None:
        super().__init__(REASONS[reason], reason=reason.value, where=where)
        if reason is Reason.NOT_CONFIGURED:
            self.status = 409  # nothing that asking again could help
        self.reason, self.clue, self.where = reason, clue, where


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


@dataclass(frozen=True)
class MonthSum:
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


class Reading(Protocol):
    """One look at one side of the ledger: one connection, one snapshot where the ERP can give one.

    Ask in this order: accounts, months, then totals (which compares with the months that came).
    """

    def accounts(self) -> Iterator[list[Account]]:
        """Every account of this side, by code, some thousands at a time."""

    def months(self) -> Iterator[list[MonthSum]]:
        """Every month of every account, an account's months together, some thousands at a time."""

    def totals(self) -> Totals:
        """The control totals. Refuses with HALF_AN_ANSWER when the months were not read to their end."""

    def findings(self) -> list[Finding]:
        """What is odd about the lines."""

    def erp_balances(self) -> Iterator[list[ErpBalance]] | None:
        """The ERP's own balances, or None where it keeps none (or not for the periods we read)."""

    def erp_months(self) -> list[ErpMonth] | None:
        """The ERP's own sums per month, or None where it keeps none."""

    def open_items(self) -> Iterator[list[OpenItemSum]] | None:
        """Open items as of the day, or None where the ERP has none."""


class LedgerSource(Protocol):
    """An ERP's current accounts. Everything raises LedgerUnreadable, and nothing else."""

    name: str
    date_basis: DateBasis

    def probe(self) -> Condition:
        """Connect, look at tables, columns and periods, and say how it is."""

    def reading(self, side: Side, as_of: date) -> AbstractContextManager[Reading]:
        """Open the ledger as of the end of a day (Istanbul); it is closed again however it ends."""

    def documents(self, account: str, months: tuple[date | None, ...], as_of: date) -> list[Document]:
        """The lines behind an account's months (None: what was carried in), oldest first, dated up to the day."""


@dataclass(frozen=True)
class LedgerSources:
    """Where each side is read; a side may have none."""

    sides: dict[Side, tuple[LedgerSource, ...]]

    def of(self, side: Side) -> LedgerSource:
        """The first source of a side. Refuses when none is set up."""
        found = self.sides.get(side, ())
        if not found:
            raise LedgerUnreadable(Reason.NOT_CONFIGURED)
        return found[0]
