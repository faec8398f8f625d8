"""What is asked about people and companies."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import ApiToken, Organisation, Person
from portal.core.database import DB_NOW, db


def active_person(person_id: int) -> Person | None:
    """Somebody who may still come in, with the company."""
    wanted = select(Person).options(joinedload(Person.organisation)).where(Person.id == person_id, Person.is_active)
    return _by_itself(db.session.execute(wanted).scalar_one_or_none())


def person_of_token(person_id: int, jti: str) -> Person | None:
    """The bearer of a token that was given out and not taken back."""
    wanted = (
        select(Person)
        .options(joinedload(Person.organisation))
        .join(ApiToken, ApiToken.person_id == Person.id)
        .where(
            Person.id == person_id,
            Person.is_active,
            ApiToken.jti == jti,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > DB_NOW,
        )
    )
    return _by_itself(db.session.execute(wanted).scalar_one_or_none())


def people_of(organisation_id: int) -> list[Person]:
    """Everybody who works there and may come in."""
    wanted = select(Person).where(Person.organisation_id == organisation_id, Person.is_active).order_by(Person.id)
    return list(db.session.scalars(wanted))


def organisation(organisation_id: int) -> Organisation:
    """A company."""
    return db.session.get_one(Organisation, organisation_id)


def _by_itself(person: Person | None) -> Person | None:
    """Out of the session: a rollback must not make the visitor's own name unreadable on the error page."""
    if person is not None:
        db.session.expunge(person.organisation)
        db.session.expunge(person)
    return person
