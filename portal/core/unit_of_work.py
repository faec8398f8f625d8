"""One story, one transaction: all of it happened or none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from loguru import logger
from sqlalchemy.orm import Session

from portal.core.database import db


@dataclass
class Unit:
    """What is waiting to be said once the work is durable."""

    afterwards: list[Callable[[], None]] = field(default_factory=list)


_current: ContextVar[Unit | None] = ContextVar("unit_of_work", default=None)


class NestedUnit(AssertionError):
    """Only views, API routes and jobs open a unit of work; a service that opens one would commit half a story."""


@contextmanager
def atomic() -> Iterator[Session]:
    """Open the unit of work. Commits at the end, then runs what was to be said afterwards."""
    if _current.get() is not None:
        raise NestedUnit("atomic() inside atomic()")
    unit = Unit()
    token = _current.set(unit)
    try:
        yield db.session()
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        _current.reset(token)
    for say in unit.afterwards:
        _say(say)


def _say(say: Callable[[], None]) -> None:
    try:
        say()
    except Exception:
        # The work is durable and the sweeper will find it; a deaf Redis must not turn success into an error page.
        logger.opt(exception=True).warning("could not say it afterwards")


def after_commit(say: Callable[[], None]) -> None:
    """Run `say` once the work is durable, and never if it is not."""
    unit = _current.get()
    assert unit is not None, "after_commit() belongs inside atomic()"
    unit.afterwards.append(say)


def in_atomic() -> bool:
    """Whether a unit of work is open here."""
    return _current.get() is not None


def assert_nothing_open() -> None:
    """Nobody outside is called while rows are locked: they may think for a minute, and we would all wait."""
    assert not in_atomic(), "a provider was called inside atomic()"
    if db.session.registry.has() and db.session().in_transaction():
        db.session.rollback()  # only reads can be pending here; give the connection back before waiting
