"""A letter, and the time it waits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update

from portal.core.database import DB_NOW, db
from portal.core.unit_of_work import atomic
from portal.mail import services as mails
from portal.mail.models import MailMessage
from portal.workflows.post import send_next


def write(key: str = "order-17-shipped", **other: Any) -> None:
    """A letter to Fatma, in a story of its own."""
    words: dict[str, Any] = {
        "to": "buyer@demo.tr",
        "person_id": None,
        "language": "tr",
        "subject": "Siparişiniz yola çıktı",
        "text": "Şişli'ye çıktı.",
        "html": "<p>Şişli'ye çıktı.</p>",
        "about": ("order", 17),
    }
    with atomic():
        mails.write(key, **{**words, **other})


def the_mail() -> MailMessage:
    """The only letter, as the database has it."""
    return db.session.scalars(select(MailMessage).execution_options(populate_existing=True)).one()


def due_now() -> None:
    """Time passes."""
    with atomic():
        db.session.execute(
            update(MailMessage).values(next_attempt_at=DB_NOW).where(MailMessage.next_attempt_at > DB_NOW)
        )


def wait_seconds(mail: MailMessage) -> int:
    """How long until the next try."""
    left = func.extract("epoch", MailMessage.next_attempt_at - DB_NOW)
    return round(db.session.execute(select(left).where(MailMessage.id == mail.id)).scalar_one())


def drain() -> int:
    """Send until nothing is due; how many tries that took."""
    tries = 0
    while send_next():
        tries += 1
    return tries
