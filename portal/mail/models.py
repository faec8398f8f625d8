"""What we have to say to people, written down before it is sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.core.database import DB_NOW, Model, PrimaryKey, recorded_now
from portal.mail.ports import Enclosure, Letter
from portal.mail.states import MAIL


class MailEnclosure(Model):
    """A file that goes with letters: kept once, however many people get it, and theirs to download again."""

    __tablename__ = "mail_enclosure"
    __table_args__ = (
        CheckConstraint("name <> '' AND name !~ '[[:cntrl:]/\\\\]'", name="name_is_a_plain_file_name"),
        CheckConstraint("size_bytes >= 0", name="size_is_counted"),
        CheckConstraint("(content IS NULL) = (forgotten_at IS NOT NULL)", name="what_is_gone_is_dated"),
    )

    id: Mapped[PrimaryKey]
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    digest: Mapped[str]
    # Nulled after the retention period.
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    forgotten_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = recorded_now()


class MailMessage(Model):
    """One letter to one person, once per key. The business transaction writes it; the post sends it afterwards."""

    __tablename__ = "mail_message"
    __table_args__ = (
        CheckConstraint(f"state IN ({MAIL.check})", name="state_known"),
        CheckConstraint("language IN ('tr', 'en')", name="language_known"),
        CheckConstraint("recipient !~ '[[:cntrl:]]' AND subject !~ '[[:cntrl:]]'", name="headers_are_one_line"),
        CheckConstraint("message_id ~ '^<[^<>@[:space:]]+@[^<>@[:space:]]+>$'", name="message_id_is_well_formed"),
        CheckConstraint("(state = 'SENDING') = (lease_until IS NOT NULL)", name="leased_while_sending"),
        CheckConstraint("state <> 'SENT' OR sent_at IS NOT NULL", name="what_was_sent_is_dated"),
        CheckConstraint("(state = 'BOUNCED') = (bounced_at IS NOT NULL)", name="what_came_back_is_dated"),
        CheckConstraint(
            "state NOT IN ('WRITTEN', 'SENDING') OR next_attempt_at IS NOT NULL", name="what_waits_has_a_time"
        ),
        CheckConstraint("silences BETWEEN 0 AND 2", name="sent_again_at_most_once_after_silence"),
        CheckConstraint("state <> 'UNKNOWN' OR silences > 0", name="unknown_comes_from_silence"),
        Index("ix_mail_message_due", "next_attempt_at", postgresql_where=text("next_attempt_at IS NOT NULL")),
        Index(None, "state", "id"),
        Index(None, "about_kind", "about_id"),
        Index(None, "recipient_person_id", "id"),
    )

    id: Mapped[PrimaryKey]
    # What the letter is for ("order-17-shipped"): writing it twice is one letter.
    key: Mapped[str] = mapped_column(unique=True)
    # What the receiver's mailbox knows it by, the same at every try: of two copies it may drop one.
    message_id: Mapped[str] = mapped_column(unique=True)
    recipient: Mapped[str]
    recipient_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    language: Mapped[str]
    subject: Mapped[str]
    text_body: Mapped[str]
    html_body: Mapped[str]
    about_kind: Mapped[str]
    about_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="WRITTEN")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    # How often the line went dead after everything was handed over: each of these may have been a delivery.
    silences: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None]
    # Empty once no machine will try again.
    next_attempt_at: Mapped[datetime | None] = mapped_column(server_default=DB_NOW)
    last_note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = recorded_now()
    sent_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    enclosure_id: Mapped[int | None] = mapped_column(ForeignKey("mail_enclosure.id"))
    # Where a reader who asked for such letters may say that it is enough; empty for what he must hear.
    unsubscribe_url: Mapped[str] = mapped_column(server_default="")

    @property
    def may_have_come_twice(self) -> bool:
        """Whether the reader may find two copies, with one Message-ID: sent after a silence, or silent twice."""
        return self.silences + (self.sent_at is not None) > 1

    def letter(self, enclosure: Enclosure | None = None) -> Letter:
        """As it is handed to the post office."""
        return Letter(
            message_id=self.message_id,
            to=self.recipient,
            language=self.language,
            subject=self.subject,
            text=self.text_body,
            html=self.html_body,
            written_at=self.created_at,
            enclosure=enclosure,
            unsubscribe_url=self.unsubscribe_url,
        )
