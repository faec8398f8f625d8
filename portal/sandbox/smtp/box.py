"""Takes letters over SMTP, breaks on request, and shows what it took."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
from collections.abc import Coroutine
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any
from weakref import WeakKeyDictionary

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from flask import Blueprint, Response, abort, jsonify, render_template, send_file

from portal.sandbox.faults import Fault
from portal.sandbox.store import Row
from portal.sandbox.world import World

TAKEN = "250 2.0.0 Alindi"
NO_SUCH_MAILBOX = "550 5.1.1 Boyle bir posta kutusu yok"
LATER = "451 4.3.0 Sonra tekrar deneyin"
LONGEST_SECONDS = 120.0
# Shown in the browser; every other file is downloaded, whatever its sender calls it.
SHOWN = {"application/pdf", "image/jpeg", "image/png", "text/plain"}
# A letter's HTML is a stranger's: it may look as it likes, and do nothing.
FRAMED = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


class Clerk:
    """Behind the counter: decides at the recipient's name what will go wrong with this letter."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults: WeakKeyDictionary[Envelope, Fault] = WeakKeyDictionary()

    async def handle_RCPT(  # noqa: N802 (aiosmtpd calls it so)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Somebody is named. An unknown mailbox is refused here, as real servers do."""
        fault = self.world.faults.take("smtp", "mail")
        if fault is not None and fault.mode == "refuse":
            return NO_SUCH_MAILBOX
        if fault is not None:
            self.faults[envelope] = fault
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (as above)
        """The final dot has come."""
        fault = self.faults.pop(envelope, None)
        mode, seconds = (fault.mode, min(fault.seconds, LONGEST_SECONDS)) if fault else ("", 0.0)
        match mode:
            case "error_500":
                return LATER
            case "timeout_before_effect":
                await asyncio.sleep(seconds)
                return LATER
            case "malformed":
                if isinstance(server.transport, asyncio.WriteTransport):
                    server.transport.abort()
                return LATER
        keep(self.world, envelope)
        match mode:
            case "slow" | "timeout_after_effect":
                await asyncio.sleep(seconds)
            case "error_500_after_effect":
                return LATER
        return TAKEN


class Office(Controller):
    """The server, on a thread of its own. Port 0 takes any free one; `port` then says which."""

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        return self._listening()

    async def _listening(self) -> asyncio.AbstractServer:
        server = await self.loop.create_server(
            self._factory_invoker, host=self.hostname, port=self.port, ssl=self.ssl_context
        )
        self.port = server.sockets[0].getsockname()[1]
        return server


def start_post_office(world: World, host: str, port: int, *, user: str = "", password: str = "") -> Office:
    """Open the counter. With a user it wants to see a password first; `stop()` closes it."""
    auth: dict[str, Any] = {}
    if user:
        auth = {"authenticator": _doorman(user, password), "auth_required": True, "auth_require_tls": False}
    office = Office(Clerk(world), hostname=host, port=port, ident="Emanet sandbox", enable_SMTPUTF8=False, **auth)
    office.start()
    return office


def _doorman(user: str, password: str) -> Any:
    def look(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=known, handled=False)

    return look


def keep(world: World, envelope: Envelope) -> Row:
    """One letter for the mailbox, under a number of its own: two copies are two letters."""
    content = envelope.original_content or b""
    message = message_from_bytes(content, _class=EmailMessage, policy=default)
    key = str(world.store.serial("letter", 0))
    message_id = str(message.get("Message-ID", ""))
    row = {
        "key": key,
        "from": envelope.mail_from or "",
        "to": list(envelope.rcpt_tos),
        "subject": str(message.get("Subject", "")),
        "message_id": message_id,
        "date": str(message.get("Date", "")),
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "files": _put_aside(world, key, message),
        "headers": [[name, str(value)] for name, value in message.items()],
        "received_at": world.now().isoformat(),
    }
    with world.store.lock:
        world.store.put("mail", key, row)
        world.store.count("mail", message_id)
    return row


def _put_aside(world: World, letter: str, message: EmailMessage) -> list[Row]:
    """What is enclosed: the contents beside the letter, their names and sizes in it."""
    found = []
    for place, part in enumerate(message.iter_attachments(), start=1):
        content = part.get_payload(decode=True) or b""
        assert isinstance(content, bytes)
        facts = {"name": part.get_filename() or f"ek-{place}", "media_type": part.get_content_type()}
        kept = base64.b64encode(content).decode()
        world.store.put("mail_file", f"{letter}-{place}", {**facts, "content": kept})
        found.append({**facts, "place": place, "size": len(content)})
    return found


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if not isinstance(part, EmailMessage):
        return ""
    with contextlib.suppress(LookupError):  # a charset nobody knows
        return str(part.get_content()).replace("\r\n", "\n")
    return ""


class _Links(HTMLParser):
    """The addresses a letter leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.startswith(("http://", "https://")) and href not in self.found:
            self.found.append(href)


def links_of(html: str) -> list[str]:
    """Where the HTML part's links lead, each once."""
    parser = _Links()
    parser.feed(html)
    return parser.found


def blueprints(world: World) -> list[Blueprint]:
    """The mailbox, for people and for tests."""
    bp = Blueprint("mailbox", __name__)

    @bp.get("/mailbox")
    def _mailbox() -> str:
        return render_template("mailbox.html", letters=world.store.all("mail")[::-1])

    @bp.get("/mailbox/<key>")
    def _letter(key: str) -> str:
        letter = world.store.get("mail", key)
        if letter is None:
            abort(404)
        return render_template("letter.html", letter=letter, links=links_of(letter["html"]))

    @bp.get("/mailbox/<key>/html")
    def _html(key: str) -> Response:
        letter = world.store.get("mail", key)
        if letter is None or not letter["html"]:
            abort(404)
        return Response(letter["html"], headers={"Content-Security-Policy": FRAMED})

    @bp.get("/mailbox/<key>/files/<int:place>")
    def _file(key: str, place: int) -> Response:
        kept = world.store.get("mail_file", f"{key}-{place}")
        if kept is None:
            abort(404)
        media_type, content = kept["media_type"], io.BytesIO(base64.b64decode(kept["content"]))
        away = media_type not in SHOWN
        answer = send_file(content, mimetype=media_type, as_attachment=away, download_name=kept["name"])
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    @bp.get("/_sandbox/mail")
    def _mail() -> Response:
        return jsonify(world.store.all("mail"))

    return [bp]
