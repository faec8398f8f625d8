"""A letter as RFC 5322 wants it: pure ASCII on the wire, and no header that we did not write ourselves."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from portal.mail.ports import Letter

# What mail servers accept without special agreements. Quoted and non-ASCII names before the @ are legal and never meant.
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
ADDRESS = re.compile(rf"{ATOM}(?:\.{ATOM})*@(?:[A-Za-z0-9-]{{1,63}}\.)*[A-Za-z0-9-]{{1,63}}")
LONGEST = 254


class NotAnAddress(ValueError):
    """Nobody can be written to there."""


def address(words: str) -> str:
    """One bare address, checked; ali@çiçek.tr travels as ali@xn--…"""
    name, _at, domain = words.strip().rpartition("@")
    try:
        bare = f"{name}@{domain.encode('idna').decode()}"
    except UnicodeError as no:
        raise NotAnAddress("not a mail address") from no
    if len(bare) > LONGEST or not ADDRESS.fullmatch(bare):
        raise NotAnAddress("not a mail address")
    return bare


def named(words: str) -> Address:
    """`Emanet <posta@emanet.tr>`, or an address alone."""
    name, bare = parseaddr(words)
    return Address(one_line(name), addr_spec=address(bare))


def one_line(words: str) -> str:
    """Whatever could begin a new header becomes a space."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def dressed(letter: Letter, sender: Address) -> EmailMessage:
    """Text for everybody, HTML for those who prefer it; the same bytes of meaning at every try."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=address(letter.to))
    message["Subject"] = one_line(letter.subject)
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = one_line(letter.message_id)
    # Holiday notices are not to be sent to a machine (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, charset="utf-8", cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", charset="utf-8", cte="quoted-printable")
    if letter.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{one_line(letter.unsubscribe_url)}>"
    if letter.enclosure is not None:
        kind, _slash, subtype = letter.enclosure.media_type.partition("/")
        name = one_line(letter.enclosure.name)
        message.add_attachment(letter.enclosure.content, maintype=kind, subtype=subtype, filename=name)
    message["Content-Language"] = letter.language  # last: what is set before moves into the first part
    return message


def on_the_wire(message: EmailMessage) -> bytes:
    """Lines that end in CRLF and never begin with a lone dot, without the final one (RFC 5321 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message.as_bytes())
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines)
