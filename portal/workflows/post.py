"""Letters leave the house: claim and commit, hand over, note the answer under a fence.

No transaction is open while the mail server thinks.
"""

from __future__ import annotations

from loguru import logger

from portal.core.i18n import noted
from portal.core.ports import CallAnswer, Outcome, port
from portal.core.unit_of_work import atomic
from portal.mail import bounces
from portal.mail import services as mails
from portal.mail.models import MailMessage
from portal.mail.ports import PostOffice
from portal.workflows import notices


def send_next() -> bool:
    """Take one due letter to the post office; False when nothing is due."""
    with atomic():
        mail = mails.claim()
        letter = mail.letter(mails.enclosure_of(mail)) if mail else None
    if mail is None or letter is None:
        return False
    answer = port(PostOffice).send(letter)
    with atomic():
        if not mails.still_mine(mail):
            logger.warning("mail {}: an answer came after the lease had run out", mail.id)
            return True
        _note(mail, answer)
    return True


def _note(mail: MailMessage, answer: CallAnswer) -> None:
    match answer.outcome:
        case Outcome.DONE:
            mails.sent(mail, note=answer.why or noted("sent"))
        case Outcome.REFUSED:
            mails.refused(mail, note=answer.why)
            notices.undelivered(mail)
        case Outcome.NOT_SENT:
            mails.not_reached(mail, note=answer.why)
            if mail.next_attempt_at is None:
                notices.undelivered(mail)
        case Outcome.UNKNOWN:
            mails.unknown(mail, note=answer.why)


def came_back(raw: bytes) -> str:
    """A bounce, as another mail server wrote it (RFC 3464). Returns the letter's Message-ID; empty for none of ours.

    Our own mail server hands bounces to `flask mail bounce`; nobody else can reach this.
    """
    found, why = bounces.read(raw)
    for message_id in found:
        with atomic():
            if mails.came_back(message_id, note=why):
                letter = mails.by_message_id(message_id)
                notices.undelivered(letter)
                return message_id
    return ""
