"""Why a ledger could not be read, in words for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.core.errors import Refusal


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
