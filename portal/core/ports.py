"""Which adapter plays which role. Domains own the roles; `portal.wiring` casts them once at start."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, cast

from flask import Flask, current_app

from portal.core.unit_of_work import assert_nothing_open

P = TypeVar("P")


class Outcome(StrEnum):
    """What the other side made of it. Silence is its own answer: it may have been done."""

    DONE = "DONE"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    NOT_SENT = "NOT_SENT"  # it certainly never arrived (name, connection, throttled): asking again is safe


@dataclass(frozen=True)
class CallAnswer:
    """The answer to a call that changes something at a provider."""

    outcome: Outcome
    reference: str = ""
    why: str = ""
    code: str = ""


def cast_role(app: Flask, role: type, adapter: object) -> None:
    """Let this adapter play the role, in this app."""
    app.extensions.setdefault("ports", {})[role] = adapter


def port(role: type[P]) -> P:
    """The adapter that plays the role. Refuses inside a transaction: nobody is called while rows are locked."""
    assert_nothing_open()
    return cast("P", current_app.extensions["ports"][role])


def known(role: type[P]) -> P:
    """The adapter for its name and other facts that nobody has to be called for; allowed inside a transaction."""
    return cast("P", current_app.extensions["ports"][role])
