"""Reading what mail servers write when a letter did not arrive after all (RFC 3464)."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

LONGEST = 2 * 1024 * 1024
NAME = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")


def read(raw: bytes) -> tuple[list[str], str]:
    """The Message-IDs a bounce speaks of, and why; nothing for what is no bounce of a letter that failed for good."""
    message = message_from_bytes(raw[:LONGEST], _class=EmailMessage, policy=default)
    if message.get_content_type() != "multipart/report":
        return [], ""
    status, names = [], []
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            status += [block for block in part.get_payload() if isinstance(block, EmailMessage)]
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            names += NAME.findall(_head(part))
    failed = [block for block in status if str(block.get("Action", "")).strip().lower() == "failed"]
    if not failed:
        return [], ""
    why = str(failed[0].get("Diagnostic-Code") or failed[0].get("Status") or "bounced")
    return list(dict.fromkeys(names)), " ".join(why.split())[:500]


def _head(part: EmailMessage) -> str:
    """The Message-ID line of the letter that came back; its text may quote other letters' names."""
    inner = part.get_payload()
    if isinstance(inner, list) and inner and isinstance(inner[0], EmailMessage):
        return str(inner[0].get("Message-ID", ""))
    text = str(part.get_content()) if part.get_content_type() == "text/rfc822-headers" else str(inner)
    found = re.search(r"(?im)^message-id:\s*(\S+)", text)
    return found[1] if found else ""
