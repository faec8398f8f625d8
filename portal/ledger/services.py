"""The only writer of postings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.money import Money
from portal.ledger import accounts
from portal.ledger.models import Account, JournalEntry, Posting


class Pair(NamedTuple):
    """So much from the debit account to the credit account; nothing at all is simply not written."""

    debit: str
    credit: str
    amount: Money
    order_id: int | None = None
    hold_id: int | None = None


class AlreadyReversed(Refusal):
    """An entry can be taken back once."""

    code = "already_reversed"


class SameKeyOtherEntry(AssertionError):
    """Two different things were posted under one key: our own mistake."""


def post(
    kind: str,
    pairs: Sequence[Pair],
    *,
    key: str,
    subject: tuple[str, object],
    by: Actor,
    because: str,
    effective_on: date,
    reversal_of: int | None = None,
    **details: Any,
) -> int:
    """Write an entry down, once per key: asked again with the same key and the same pairs, it answers the same entry.

    Returns the entry's id. The database refuses what would take a limited account below zero.
    """
    real = sorted((pair for pair in pairs if pair.amount.kurus), key=lambda pair: (pair.debit, pair.credit))
    assert real, "an entry without any money"
    entry_id = db.session.execute(
        insert(JournalEntry)
        .values(
            idempotency_key=key,
            kind=kind,
            reversal_of=reversal_of,
            subject_kind=subject[0],
            subject_id=str(subject[1]),
            effective_on=effective_on,
            actor=by.name,
            actor_person_id=by.person_id,
            because=because,
            details=details,
        )
        .on_conflict_do_nothing(index_elements=[JournalEntry.idempotency_key])
        .returning(JournalEntry.id)
    ).scalar()
    if entry_id is None:
        return _the_same_entry(key, kind, sum(pair.amount.kurus for pair in real))
    _write(entry_id, real)
    return entry_id


class Draft(NamedTuple):
    """An entry to be written with many others; `key` is new by construction (a state moved just before)."""

    kind: str
    pairs: Sequence[Pair]
    key: str
    subject: tuple[str, object]
    because: str
    effective_on: date


def post_many(drafts: Sequence[Draft], *, by: Actor) -> list[int]:
    """Write many entries down in a few statements; their ids, in the same order. A key used before is our own
    mistake and crashes."""
    if not drafts:
        return []
    asked: list[dict[str, object]] = [
        {
            "idempotency_key": draft.key,
            "kind": draft.kind,
            "subject_kind": draft.subject[0],
            "subject_id": str(draft.subject[1]),
            "effective_on": draft.effective_on,
            "actor": by.name,
            "actor_person_id": by.person_id,
            "because": draft.because,
            "details": {},
        }
        for draft in drafts
    ]
    written = insert(JournalEntry).returning(JournalEntry.id, JournalEntry.idempotency_key)
    ids = {key: entry_id for entry_id, key in db.session.execute(written, asked)}
    codes = accounts.ids_of({code for draft in drafts for pair in draft.pairs for code in (pair.debit, pair.credit)})
    postings = [_posting(ids[draft.key], pair, codes) for draft in drafts for pair in draft.pairs if pair.amount.kurus]
    assert postings, "entries without any money"
    db.session.execute(insert(Posting), postings)
    return [ids[draft.key] for draft in drafts]


def reverse(entry_id: int, *, key: str, by: Actor, because: str, effective_on: date) -> int:
    """Books are not erased: post the opposite of an entry, once."""
    entry = db.session.get_one(JournalEntry, entry_id)
    if db.session.scalar(select(JournalEntry.id).where(JournalEntry.reversal_of == entry_id)):
        raise AlreadyReversed(_l("This entry has already been reversed."), entry_id=entry_id)
    codes = dict(db.session.execute(select(Account.id, Account.code)).tuples().all())
    pairs = [
        Pair(
            codes[row.credit_account_id],
            codes[row.debit_account_id],
            Money(row.amount_kurus),
            row.order_id,
            row.hold_id,
        )
        for row in db.session.scalars(select(Posting).where(Posting.entry_id == entry_id).order_by(Posting.id))
    ]
    return post(
        f"{entry.kind}_REVERSAL",
        pairs,
        key=key,
        subject=(entry.subject_kind, entry.subject_id),
        by=by,
        because=because,
        effective_on=effective_on,
        reversal_of=entry_id,
    )


def _write(entry_id: int, pairs: list[Pair]) -> None:
    ids = accounts.ids_of({code for pair in pairs for code in (pair.debit, pair.credit)})
    db.session.execute(insert(Posting), [_posting(entry_id, pair, ids) for pair in pairs])


def _posting(entry_id: int, pair: Pair, ids: dict[str, int]) -> dict[str, object]:
    return {
        "entry_id": entry_id,
        "debit_account_id": ids[pair.debit],
        "credit_account_id": ids[pair.credit],
        "amount_kurus": pair.amount.kurus,
        "order_id": pair.order_id,
        "hold_id": pair.hold_id,
    }


def _the_same_entry(key: str, kind: str, kurus: int) -> int:
    entry = db.session.execute(select(JournalEntry).where(JournalEntry.idempotency_key == key)).scalar_one()
    written = sum(db.session.scalars(select(Posting.amount_kurus).where(Posting.entry_id == entry.id)))
    if entry.kind != kind or written != kurus:
        raise SameKeyOtherEntry(f"{key}: {entry.kind} of {written} kuruş is not {kind} of {kurus}")
    return entry.id
