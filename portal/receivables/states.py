"""The life of a reading of the ERP, and how grave a suspicion is."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import lazy_gettext as _l

from portal.core.state_machine import Meaning, StateMachine


class FetchState(StrEnum):
    """From being asked for to being shown, doubted or given up."""

    ASKED = "ASKED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    SUSPICIOUS = "SUSPICIOUS"
    FAILED = "FAILED"


FETCH = StateMachine(
    "aging_fetch",
    {
        FetchState.ASKED: {FetchState.RUNNING, FetchState.FAILED},
        FetchState.RUNNING: {FetchState.DONE, FetchState.SUSPICIOUS, FetchState.FAILED},
        FetchState.DONE: set(),
        FetchState.SUSPICIOUS: set(),
        FetchState.FAILED: set(),
    },
    {
        FetchState.ASKED: Meaning("◷", _l("Asked for"), "wait"),
        FetchState.RUNNING: Meaning("◐", _l("Being read"), "info"),
        FetchState.DONE: Meaning("✓", _l("Read and reconciled"), "ok"),
        FetchState.SUSPICIOUS: Meaning("!", _l("Does not reconcile"), "bad"),
        FetchState.FAILED: Meaning("×", _l("Could not be read"), "bad"),
    },
)
UNFINISHED = (FetchState.ASKED, FetchState.RUNNING)


class Step(StrEnum):
    """How far a reading has come."""

    CONNECTING = "CONNECTING"
    ACCOUNTS = "ACCOUNTS"
    MONTHS = "MONTHS"
    CHECKING = "CHECKING"


STEP_NAMES = {
    Step.CONNECTING: _l("Connecting to the ERP"),
    Step.ACCOUNTS: _l("Reading the accounts"),
    Step.MONTHS: _l("Reading the months"),
    Step.CHECKING: _l("Reconciling"),
}


class Severity(StrEnum):
    """What a reason for suspicion leads to."""

    STOP = "STOP"  # the figures are not shown
    VIEW = "VIEW"  # only the view by open items is refused
    NOTE = "NOTE"  # said beside the figures


class Check(StrEnum):
    """What was asked of a reading (facts: ERP §1.6, by its numbers)."""

    EMPTY = "EMPTY"  # 1
    PERIOD_GAP = "PERIOD_GAP"  # 2
    NO_CARD = "NO_CARD"  # 3
    NO_DATE = "NO_DATE"  # 4
    BEFORE_2000 = "BEFORE_2000"  # 4
    FUTURE = "FUTURE"  # 4
    MONTH_DIFFERS = "MONTH_DIFFERS"  # 5
    OUTSIDE_PERIOD = "OUTSIDE_PERIOD"  # 5
    TWO_CARDS = "TWO_CARDS"  # 6
    ODD_CODE = "ODD_CODE"  # 6
    ODD_SIGN = "ODD_SIGN"  # 6
    NO_AMOUNT = "NO_AMOUNT"  # 6
    TOTALS_DIFFER = "TOTALS_DIFFER"  # 7
    BALANCES_DIFFER = "BALANCES_DIFFER"  # 8
    MONTHS_DIFFER = "MONTHS_DIFFER"  # 8
    OPEN_ITEMS_DIFFER = "OPEN_ITEMS_DIFFER"  # 9
    NOT_THE_BALANCE = "NOT_THE_BALANCE"  # 10
    OPENING_DIFFERS = "OPENING_DIFFERS"
    OPENING_UNDATED = "OPENING_UNDATED"


NUMBERS = {
    Check.EMPTY: 1, Check.PERIOD_GAP: 2, Check.NO_CARD: 3, Check.NO_DATE: 4, Check.BEFORE_2000: 4, Check.FUTURE: 4,
    Check.MONTH_DIFFERS: 5, Check.OUTSIDE_PERIOD: 5, Check.TWO_CARDS: 6, Check.ODD_CODE: 6, Check.ODD_SIGN: 6,
    Check.NO_AMOUNT: 6, Check.TOTALS_DIFFER: 7, Check.BALANCES_DIFFER: 8, Check.MONTHS_DIFFER: 8,
    Check.OPEN_ITEMS_DIFFER: 9, Check.NOT_THE_BALANCE: 10, Check.OPENING_DIFFERS: 11, Check.OPENING_UNDATED: 12,
}  # fmt: skip

CHECK_NAMES = {
    Check.EMPTY: _l("The ERP sent no accounts or no lines."),
    Check.PERIOD_GAP: _l("The configured firms and periods leave a gap or overlap."),
    Check.NO_CARD: _l("There are lines that belong to no account."),
    Check.NO_DATE: _l("There are lines without a date."),
    Check.BEFORE_2000: _l("There are lines dated before the year 2000."),
    Check.FUTURE: _l("There are lines dated after the day shown. They are listed apart and stand in no month."),
    Check.MONTH_DIFFERS: _l("The month kept with a line is not the month of its date."),
    Check.OUTSIDE_PERIOD: _l("There are lines dated outside their accounting period."),
    Check.TWO_CARDS: _l("One account code has two cards or two names."),
    Check.ODD_CODE: _l("There are account codes with blanks, or of another group."),
    Check.ODD_SIGN: _l("There are lines that are neither debit nor credit."),
    Check.NO_AMOUNT: _l("There are lines without an amount."),
    Check.TOTALS_DIFFER: _l("The months do not add up to the ERP's own total."),
    Check.BALANCES_DIFFER: _l("Balances differ from the ERP's own totals of the accounts."),
    Check.MONTHS_DIFFER: _l("Months differ from the ERP's own monthly totals."),
    Check.OPEN_ITEMS_DIFFER: _l("The open items do not add up to the balances; the view by due date is not offered."),
    Check.NOT_THE_BALANCE: _l("Earlier and the months do not add up to the balance."),
    Check.OPENING_DIFFERS: _l("Opening entries differ from the closing balances of the period before."),
    Check.OPENING_UNDATED: _l("Opening entries without their original date stand under Earlier."),
}
