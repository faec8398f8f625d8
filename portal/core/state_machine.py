"""One table of moves, one way to move, and a history of every move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, text, update
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import Model, PrimaryKey, db, recorded_now
from portal.core.errors import Refusal

S = TypeVar("S", bound=StrEnum)


class Transition(Model):
    """A move somebody made: never edited, never deleted (a trigger agrees)."""

    __tablename__ = "transition"
    __table_args__ = (Index(None, "subject_kind", "subject_id", "id"),)

    id: Mapped[PrimaryKey]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    actor: Mapped[str]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = recorded_now()


# Many moves in one statement, in the order in which they were said.
NOTE = text(
    """INSERT INTO transition (subject_kind, subject_id, from_state, to_state, actor, actor_person_id, reason, at)
       SELECT :kind, id, :before, :after, :actor, :person, :reason, :at
       FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS said(id, n) ORDER BY n"""
)


class Meaning(NamedTuple):
    """What a state looks like on a screen: shape, word and tone (ok, wait, info, warn, bad, off)."""

    icon: str
    label: Any
    tone: str


class WrongMoment(Refusal):
    """The thing has moved on since the page was drawn."""

    code = "wrong_moment"


class StateMachine(Generic[S]):
    """The moves a stateful thing may make. The same table feeds the CHECK, the badge and the tests."""

    def __init__(
        self, subject: str, moves: Mapping[S, set[S]], meanings: Mapping[S, Meaning], *, column: str = "state"
    ) -> None:
        assert set(meanings) == set(moves), f"every state of {subject} needs its meaning"
        self.subject = subject
        self.column = column
        self.moves = moves
        self.meanings = meanings

    @property
    def check(self) -> str:
        """The states as SQL literals, for the CHECK constraint."""
        return ", ".join(f"'{state.value}'" for state in self.moves)

    def allows(self, from_: str, to: S) -> bool:
        """Whether the move is in the table."""
        return any(state == from_ and to in targets for state, targets in self.moves.items())

    def meaning(self, state: str) -> Meaning:
        """How a state is shown."""
        return next(meaning for known, meaning in self.meanings.items() if known == state)

    def begin(self, thing: Any, *, actor: Actor, reason: str) -> None:
        """Write down that the thing came to be, in the state it has."""
        db.session.flush()
        self._note([thing.id], None, str(getattr(thing, self.column)), actor, reason)

    def move(self, thing: Any, to: S, *, actor: Actor, reason: str, **also: Any) -> None:
        """Move it if it still is where we think it is; refuses when the table or another process says no.

        `also` are columns that change in the same UPDATE, values or SQL expressions.
        """
        db.session.flush()
        from_ = getattr(thing, self.column)
        if not self.allows(from_, to):
            raise WrongMoment(_l("This is no longer possible: the state has changed."), state=from_, wanted=to)
        table = type(thing)
        columns = [self.column, *also]
        moved = db.session.execute(
            update(table)
            .where(table.id == thing.id, getattr(table, self.column) == from_)
            .values({self.column: to.value, **also})
            .returning(*(getattr(table, name) for name in columns))
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if moved is None:
            raise WrongMoment(_l("Somebody else was faster. Please look again."), state=from_, wanted=to)
        for name, value in zip(columns, moved, strict=True):
            set_committed_value(thing, name, value)
        self._note([thing.id], from_, str(to), actor, reason)

    def moved_all(self, ids: Sequence[int], from_: S, to: S, *, actor: Actor, reason: str) -> None:
        """Write down the same move of many things at once. The caller has moved them, by one conditional UPDATE."""
        assert self.allows(from_, to)
        self._note(ids, from_, str(to), actor, reason)

    def begun_all(self, ids: Sequence[int], first: S, *, actor: Actor, reason: str) -> None:
        """Write down that many things came to be."""
        self._note(ids, None, str(first), actor, reason)

    def _note(self, ids: Sequence[object], from_: str | None, to: str, actor: Actor, reason: str) -> None:
        if ids:
            said = {"kind": self.subject, "ids": [str(one) for one in ids], "before": from_, "after": to}
            who = {"actor": actor.name, "person": actor.person_id, "reason": reason, "at": clock.now()}
            db.session.execute(NOTE, said | who)
