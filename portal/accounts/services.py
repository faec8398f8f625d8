"""People come, sign in, and go."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update

from portal.accounts import passwords, tokens
from portal.accounts.models import ApiToken, Organisation, Person, SignInAttempt, WebSession
from portal.accounts.roles import Role
from portal.accounts.sessions import IDLE
from portal.core import audit
from portal.core.actor import Actor
from portal.core.database import DB_NOW, db
from portal.core.errors import BadInput, Refusal

MIN_PASSWORD = 15
# Failed tries in the window before an account, or an address, has to wait.
WINDOW = timedelta(minutes=15)
TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 50


class WrongSignIn(Refusal):
    """Unknown e-mail or wrong password: one answer for both, so that nobody learns who is a member."""

    status = 401
    code = "wrong_sign_in"


class TooManyTries(Refusal):
    """Somebody is guessing."""

    status = 429
    code = "too_many_tries"


def open_organisation(**facts: Any) -> Organisation:
    """A new company in the portal."""
    organisation = Organisation(**facts)
    db.session.add(organisation)
    return organisation


def add_person(
    organisation: Organisation, *, email: str, full_name: str, role: Role, password: str, language: str = "tr"
) -> Person:
    """A new person. Refuses a password under 15 characters."""
    if len(password) < MIN_PASSWORD:
        raise BadInput(fields={"password": _l("At least 15 characters.")})
    db.session.flush()
    person = Person(
        organisation_id=organisation.id,
        organisation_kind=organisation.kind,
        email=email.strip().lower(),
        full_name=full_name,
        role=role.value,
        password_hash=passwords.hashed(password),
        language=language,
    )
    db.session.add(person)
    return person


def check_sign_in(email: str, password: str, *, ip: str) -> Person | None:
    """The person whose password this is; None (and one more failed try on the books) otherwise.

    Refuses with 429 while an account or an address has too many failed tries behind it.
    """
    email = email.strip().lower()[:254]
    _not_too_many(email, ip)
    person = db.session.execute(select(Person).where(Person.email == email)).scalar_one_or_none()
    right = passwords.fits(password[:1000], person.password_hash if person else None)
    if person is None or not right or not person.is_active:
        db.session.add(SignInAttempt(email=email, ip=ip))
        return None
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.email == email))
    audit.write_down("signed in", by=Actor(person.full_name, person.id), about=("person", person.id))
    return person


def issue_token(person: Person) -> tuple[str, int]:
    """A bearer token and how many seconds it is good for. It can be taken back: every use looks at its row."""
    jti = uuid.uuid4().hex
    encoded, expires_at, seconds = tokens.encode(person.id, jti)
    db.session.add(ApiToken(jti=jti, person_id=person.id, expires_at=expires_at))
    return encoded, seconds


def sign_out_everywhere(person_id: int) -> None:
    """Every browser and every token of a person ends now."""
    db.session.execute(delete(WebSession).where(WebSession.person_id == person_id))
    db.session.execute(
        update(ApiToken).where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None)).values(revoked_at=DB_NOW)
    )


def disable(person: Person, *, by: Actor, because: str) -> None:
    """Somebody leaves; everywhere at once."""
    person.is_active = False
    sign_out_everywhere(person.id)
    audit.write_down("disabled", by=by, about=("person", person.id), because=because)


def put_away_what_is_over() -> int:
    """Sessions that have ended and failed tries nobody counts any more. Returns how many sessions."""
    over = (WebSession.expires_at < DB_NOW) | (WebSession.last_seen_at < DB_NOW - IDLE)
    gone = list(db.session.scalars(delete(WebSession).where(over).returning(WebSession.token_hash)))
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.at < DB_NOW - WINDOW))
    return len(gone)


def prefer(person_id: int, **wishes: str) -> None:
    """Language and theme, as the person likes them."""
    db.session.execute(update(Person).where(Person.id == person_id).values(**wishes))


def _not_too_many(email: str, ip: str) -> None:
    recent = SignInAttempt.at > DB_NOW - WINDOW
    failed = select(
        func.count().filter(SignInAttempt.email == email), func.count().filter(SignInAttempt.ip == ip)
    ).where(recent, (SignInAttempt.email == email) | (SignInAttempt.ip == ip))
    by_account, by_address = db.session.execute(failed).one()
    if by_account >= TRIES_PER_ACCOUNT or by_address >= TRIES_PER_ADDRESS:
        raise TooManyTries(_l("Too many tries. Please wait a quarter of an hour."), retry_after=900)
