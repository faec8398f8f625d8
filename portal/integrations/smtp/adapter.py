"""SMTP (RFC 5321): what an answer means depends on how far we had come when it was given."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from threading import Timer
from typing import Literal

from loguru import logger

from portal.core.ports import CallAnswer, Outcome
from portal.integrations.smtp.envelope import NotAnAddress, address, dressed, named, on_the_wire
from portal.integrations.tls import mail_servers
from portal.mail.ports import Letter

Security = Literal["none", "starttls", "ssl"]
END = b".\r\n"
TOO_BIG = 552
ANSWER = re.compile(rb"[2-5][0-9]{2}(?:[ -][^\r\n]*)?\r?\n")
LONGEST_LINE = 8192


class Stage(StrEnum):
    """How far the conversation had come. Until DOT nothing can have been taken; from DOT on it may have been."""

    CONNECT = "connecting"
    SIGN_IN = "signing in"
    SENDER = "naming the sender"
    RECIPIENT = "naming the recipient"
    BODY = "handing over the letter"
    DOT = "the final dot"


class SmtpPostOffice:
    """One account at one mail server; plays the PostOffice. `timeout_seconds` is for the whole conversation."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        security: Security,
        sender: str,
        timeout_seconds: Decimal,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.user, self.password = user, password
        self.security = security
        self.sender = named(sender)  # a portal that cannot name itself must not start
        self.timeout_seconds = float(timeout_seconds)  # seconds, not money
        self.tls = tls or mail_servers()
        if not (user + password).isascii():
            raise ValueError("SMTP user names and passwords are ASCII")

    def send(self, letter: Letter) -> CallAnswer:
        """Hand one letter over, on a line of its own."""
        try:
            to, content = address(letter.to), on_the_wire(dressed(letter, self.sender))
        except NotAnAddress as why:
            return _heard(CallAnswer(Outcome.REFUSED, why=str(why)))
        return _heard(_Conversation(self).hold(to, content))


class _Conversation:
    """One connection, from hello to goodbye, that remembers its stage."""

    def __init__(self, office: SmtpPostOffice) -> None:
        self.office = office
        self.stage = Stage.CONNECT

    def hold(self, to: str, content: bytes) -> CallAnswer:
        """Everything that can break, breaks here, and the stage says what it means."""
        try:
            with self._line() as line:
                self._sign_in(line)
                return self._hand_over(line, to, content)
        except smtplib.SMTPAuthenticationError as no:
            return CallAnswer(Outcome.NOT_SENT, why="the mail server refused our user name or password", code=_code(no))
        except smtplib.SMTPResponseException as no:
            return self._said(no.smtp_code, no.smtp_error)
        except (smtplib.SMTPException, OSError) as broken:
            return self._broke(broken)

    @contextlib.contextmanager
    def _line(self) -> Iterator[smtplib.SMTP]:
        """A connection that ends in time: who drips a byte at a time is as good as silent."""
        ends = time.monotonic() + self.office.timeout_seconds
        line = self._connected()
        alarm = Timer(max(0.0, ends - time.monotonic()), _hang_up, [line])
        alarm.daemon = True
        alarm.start()
        try:
            yield line
            # It is over: what happens to our goodbye changes nothing any more.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                line.quit()
        finally:
            alarm.cancel()
            line.close()

    def _connected(self) -> smtplib.SMTP:
        office, seconds = self.office, self.office.timeout_seconds
        # Our name in the greeting; without one smtplib asks the name server, which may take as long as it likes.
        us = office.sender.domain
        if office.security == "ssl":
            return smtplib.SMTP_SSL(office.host, office.port, us, timeout=seconds, context=office.tls)
        return smtplib.SMTP(office.host, office.port, us, timeout=seconds)

    def _sign_in(self, line: smtplib.SMTP) -> None:
        line.ehlo_or_helo_if_needed()
        if self.office.security == "starttls":
            line.starttls(context=self.office.tls)
            line.ehlo_or_helo_if_needed()
        if self.office.user:
            self.stage = Stage.SIGN_IN
            line.login(self.office.user, self.office.password)

    def _hand_over(self, line: smtplib.SMTP, to: str, content: bytes) -> CallAnswer:
        size = [f"size={len(content)}"] if line.has_extn("size") else []
        self.stage = Stage.SENDER
        _expect(250, line.mail(self.office.sender.addr_spec, size))
        self.stage = Stage.RECIPIENT
        # 251 and 252: taken and passed on, or taken without a promise.
        _expect(25, line.rcpt(to))
        self.stage = Stage.BODY
        _expect(354, line.docmd("DATA"))
        # smtplib sends text and dot in one breath; apart, a line that breaks in the text is surely not a delivery.
        line.send(content)
        self.stage = Stage.DOT
        line.send(END)
        code, words = _last_word(line)
        if code // 100 == 2:
            return CallAnswer(Outcome.DONE, reference=_readable(words), code=str(code))
        return self._said(code, words)

    def _said(self, code: int, words: bytes | str) -> CallAnswer:
        """5xx about the recipient or the letter is final. 5xx about ourselves is for our operators to mend meanwhile."""
        why = f"{self.stage.value}: {code} {_readable(words)}"
        if self.stage is Stage.DOT and code // 100 not in (4, 5):
            return CallAnswer(Outcome.UNKNOWN, why=why, code=str(code))
        about_us = self.stage in (Stage.CONNECT, Stage.SIGN_IN, Stage.SENDER) and code != TOO_BIG
        final = code // 100 == 5 and not about_us
        return CallAnswer(Outcome.REFUSED if final else Outcome.NOT_SENT, why=why, code=str(code))

    def _broke(self, broken: Exception) -> CallAnswer:
        outcome = Outcome.UNKNOWN if self.stage is Stage.DOT else Outcome.NOT_SENT
        # smtplib's own words ("STARTTLS extension not supported by server.") help; an OSError's name is enough.
        words = f": {broken}" if isinstance(broken, smtplib.SMTPNotSupportedError) else ""
        return CallAnswer(outcome, why=f"{self.stage.value}: {type(broken).__name__}{words}")


def _last_word(line: smtplib.SMTP) -> tuple[int, bytes]:
    """What they say about the letter. smtplib would take half a line for an answer, and a broken "250" for a yes."""
    assert line.file is not None
    words = []
    while True:
        heard: bytes = line.file.readline(LONGEST_LINE)
        if not ANSWER.fullmatch(heard):
            raise smtplib.SMTPServerDisconnected("no whole answer")
        words.append(heard[4:].strip())
        if heard[3:4] != b"-":
            return int(heard[:3]), b" ".join(words)


def _expect(wanted: int, heard: tuple[int, bytes]) -> None:
    """`wanted` are the first digits of the answer that lets us go on."""
    if not str(heard[0]).startswith(str(wanted)):
        raise smtplib.SMTPResponseException(heard[0], heard[1])


def _hang_up(line: smtplib.SMTP) -> None:
    """Wake whoever waits on the line; he hears that it is dead."""
    if line.sock is not None:
        with contextlib.suppress(OSError):
            # Not SSLSocket's own: it drops the encryption first, and what is being sent meanwhile would go out in clear.
            socket.socket.shutdown(line.sock, socket.SHUT_RDWR)


def _code(no: smtplib.SMTPResponseException) -> str:
    return str(no.smtp_code)


def _readable(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(text.split())[:300]


def _heard(answer: CallAnswer) -> CallAnswer:
    # Neither the letter nor its recipient: what was said about them is in the outbox, not in the log.
    logger.info("smtp: {} {}", answer.outcome.value, answer.code)
    return answer
