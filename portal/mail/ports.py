"""The post office, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from portal.core.ports import CallAnswer


@dataclass(frozen=True)
class Enclosure:
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """One letter to one person, ready to go. `message_id` and `written_at` are the same at every try."""

    message_id: str
    to: str
    language: str
    subject: str
    text: str
    html: str
    written_at: datetime
    enclosure: Enclosure | None = None
    unsubscribe_url: str = ""


class PostOffice(Protocol):
    """Who takes letters. Answers, and never raises for silence.

    DONE: taken. REFUSED: this letter will never be taken. NOT_SENT: surely not taken, another try may help.
    UNKNOWN: all of it was handed over, and the line went dead before they said whether they had it.
    """

    def send(self, letter: Letter) -> CallAnswer:
        """Hand the letter over."""
