"""The same request twice is one request: `Idempotency-Key` for the API, a nonce for forms."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Json, Model, PrimaryKey, db, recorded_now
from portal.core.errors import BadInput, Refusal

MAX_KEY = 200


class IdempotencyKey(Model):
    """The first answer to a keyed request, kept so that a repeat hears the same."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("person_id", "action", "key", name="one_answer_per_key"),)

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    action: Mapped[str]
    key: Mapped[str]
    request_digest: Mapped[str]
    answer: Mapped[Json | None]
    recorded_at: Mapped[datetime] = recorded_now()


class KeyUsedForSomethingElse(Refusal):
    """The key is known, but the request differs: one of the two is a mistake."""

    status = 422
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(_l("This key was already used for another request."))


def digest_of(content: Any) -> str:
    """A fingerprint of what was asked, independent of the order of fields."""
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def first_answer(*, person_id: int, action: str, key: str, content: Any) -> Json | None:
    """The answer given before, or None for the one request that may do the work.

    Runs inside the unit of work: a twin in flight waits on the unique key until this one has committed,
    and then hears its answer; if this one rolls back, the twin does the work. Refuses a key that was used
    for another content (422).
    """
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise BadInput(fields={"Idempotency-Key": _l("A key of 1 to 200 printable characters is needed.")})
    digest = digest_of(content)
    claimed = db.session.execute(
        insert(IdempotencyKey)
        .values(person_id=person_id, action=action, key=key, request_digest=digest)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.id)
    ).scalar()
    if claimed is not None:
        return None
    known: IdempotencyKey = db.session.execute(_known(person_id, action, key)).scalar_one()
    if known.request_digest != digest:
        raise KeyUsedForSomethingElse
    assert known.answer is not None, "a committed key without an answer"
    return known.answer


def remember_answer(*, person_id: int, action: str, key: str, answer: Json) -> None:
    """Keep the first answer, in the transaction that did the work."""
    db.session.execute(_known(person_id, action, key)).scalar_one().answer = answer


def _known(person_id: int, action: str, key: str) -> Any:
    return select(IdempotencyKey).where(
        IdempotencyKey.person_id == person_id, IdempotencyKey.action == action, IdempotencyKey.key == key
    )
