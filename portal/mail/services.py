"""Write a letter down with the business it tells of; send it afterwards. (The sending is workflows/post's.)"""

from __future__ import annotations

import hashlib
import random
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, db
from portal.core.i18n import noted
from portal.core.queue import wake
from portal.mail.models import MailEnclosure, MailMessage
from portal.mail.ports import Enclosure
from portal.mail.states import MAIL, Mail

TOPIC = "mail"
# A letter that surely did not arrive is tried again after these minutes, then every hour: two days in all.
PATIENCE_MINUTES = (1, 5, 15, 60)
MOST_TRIES = 50
# After silence the letter is sent once more, when a mail server that was only slow has long finished.
QUIET = timedelta(minutes=15)
MOST_SILENCES = 2


def write(
    key: str,
    *,
    to: str,
    person_id: int | None,
    language: str,
    subject: str,
    text: str,
    html: str,
    about: tuple[str, object],
    enclosure_id: int | None = None,
    unsubscribe_url: str = "",
) -> None:
    """Write a letter down, once per key; it is sent after the commit, and never if there is none."""
    db.session.execute(
        insert(MailMessage)
        .values(
            key=key,
            message_id=_new_message_id(),
            recipient=_one_line(to),
            recipient_person_id=person_id,
            language=language,
            subject=_one_line(subject),
            text_body=text,
            html_body=html,
            about_kind=about[0],
            about_id=str(about[1]),
            enclosure_id=enclosure_id,
            unsubscribe_url=unsubscribe_url,
        )
        .on_conflict_do_nothing(index_elements=[MailMessage.key])
    )
    wake(TOPIC)


def enclose(name: str, media_type: str, content: bytes) -> MailEnclosure:
    """Keep a file that letters, or a page, will hand out."""
    digest = hashlib.sha256(content).hexdigest()
    kept = MailEnclosure(name=name, media_type=media_type, size_bytes=len(content), digest=digest, content=content)
    db.session.add(kept)
    db.session.flush()
    return kept


def enclosure_of(mail: MailMessage) -> Enclosure | None:
    """The file that goes with a letter, if there is one and it was not forgotten."""
    kept = db.session.get(MailEnclosure, mail.enclosure_id) if mail.enclosure_id else None
    return Enclosure(kept.name, kept.media_type, kept.content) if kept and kept.content is not None else None


def lease() -> timedelta:
    """How long a letter in somebody's hands is left alone: several times the post office's own time-out."""
    return timedelta(seconds=current_app.config["OUTBOX_LEASE_SECONDS"])


def claim() -> MailMessage | None:
    """Take the next due letter; others skip it while we hold it.

    One whose lease ran out is not sent at once: its sender died in the middle and may have handed it over.
    """
    while (mail := _next_due()) is not None:
        if mail.state != Mail.SENDING:
            _leased(mail)
            return mail
        lost(mail)
    return None


def still_mine(mail: MailMessage) -> bool:
    """The fence: whether the try we made is still the latest one of this letter."""
    now = db.session.execute(
        select(MailMessage.state, MailMessage.attempts).where(MailMessage.id == mail.id).with_for_update()
    ).one()
    return (now.state, now.attempts) == (mail.state, mail.attempts)


def sent(mail: MailMessage, *, note: str) -> None:
    """The mail server took it."""
    _put_down(mail, Mail.SENT, note, next_attempt_at=None, sent_at=clock.now())


def refused(mail: MailMessage, *, note: str) -> None:
    """The mail server said no for good: there is no such mailbox, or it will not have this letter."""
    _put_down(mail, Mail.REFUSED, note, next_attempt_at=None)


def not_reached(mail: MailMessage, *, note: str) -> None:
    """It certainly was not taken: tried again a little later, for about two days.

    A letter that once met silence stays UNKNOWN meanwhile: that earlier try may have been a delivery.
    """
    wait = patience(mail.attempts)
    doubtful = mail.silences > 0
    if wait is None:
        _put_down(mail, Mail.UNKNOWN if doubtful else Mail.GIVEN_UP, note, next_attempt_at=None)
        return
    again = DB_NOW + wait * random.uniform(0.8, 1.2)  # noqa: S311 (jitter, not a secret)
    _put_down(mail, Mail.UNKNOWN if doubtful else Mail.WRITTEN, note, next_attempt_at=again)


def unknown(mail: MailMessage, *, note: str) -> None:
    """Silence after the last dot: it may have been taken. Sent once more, with the same name; then people decide."""
    silences = mail.silences + 1
    again = DB_NOW + QUIET if silences < MOST_SILENCES else None
    _put_down(mail, Mail.UNKNOWN, note, next_attempt_at=again, silences=silences)


def lost(mail: MailMessage) -> None:
    """The sender died between claiming and noting the answer."""
    unknown(mail, note=noted("the sender died before it could note the answer"))


def send_again(mail: MailMessage, *, by: Actor, because: str) -> None:
    """A person says that another try is right (the address or the server was mended). The same name, so copies show."""
    MAIL.move(mail, Mail.WRITTEN, actor=by, reason=because, next_attempt_at=DB_NOW, bounced_at=None, attempts=0)
    wake(TOPIC)


def came_back(message_id: str, *, note: str) -> bool:
    """A mail server far away says that the letter did not arrive after all. False when it is none of ours."""
    found = db.session.execute(
        select(MailMessage).where(MailMessage.message_id == message_id).with_for_update()
    ).scalar_one_or_none()
    if found is None or not MAIL.allows(found.state, Mail.BOUNCED):
        return False
    note = note[:2000]
    MAIL.move(
        found, Mail.BOUNCED, actor=SYSTEM, reason=note, last_note=note, bounced_at=clock.now(), next_attempt_at=None
    )
    return True


def by_message_id(message_id: str) -> MailMessage:
    """The letter with this name."""
    wanted = select(MailMessage).where(MailMessage.message_id == message_id)
    return db.session.execute(wanted.execution_options(populate_existing=True)).scalar_one()


def patience(tries: int) -> timedelta | None:
    """How long to wait after so many tries; None when it was tried for two days."""
    assert tries > 0
    if tries >= MOST_TRIES:
        return None
    return timedelta(minutes=PATIENCE_MINUTES[min(tries, len(PATIENCE_MINUTES)) - 1])


def _next_due() -> MailMessage | None:
    return db.session.execute(
        select(MailMessage)
        .where(MailMessage.next_attempt_at <= DB_NOW)
        .order_by(MailMessage.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def _leased(mail: MailMessage) -> None:
    until = DB_NOW + lease()
    MAIL.move(
        mail,
        Mail.SENDING,
        actor=SYSTEM,
        reason=noted("being sent"),
        attempts=mail.attempts + 1,
        lease_until=until,
        next_attempt_at=until,
    )


def _put_down(mail: MailMessage, state: Mail, note: str, **also: Any) -> None:
    MAIL.move(mail, state, actor=SYSTEM, reason=note[:2000], lease_until=None, last_note=note[:2000], **also)


def _new_message_id() -> str:
    """A name no other letter in the world has (RFC 5322 3.6.4)."""
    host = urlsplit(str(current_app.config["PORTAL_URL"])).hostname or "localhost"
    return f"<{uuid.uuid4()}@{host}>"


def _one_line(words: str) -> str:
    """Line breaks in a subject or address could smuggle in headers of their own: they become spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())
