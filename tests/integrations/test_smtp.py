"""The adapter against a mail server's twin: what an answer means depends on when it is given."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP

import pytest
from flask import Flask

from portal.core.ports import CallAnswer, Outcome
from portal.integrations.smtp.adapter import Security
from portal.integrations.smtp.envelope import NotAnAddress, address, dressed, named, on_the_wire
from portal.mail.ports import Enclosure, Letter
from portal.sandbox.faults import Fault
from portal.sandbox.smtp import blueprints
from tests.mail.scripted import GO, HELLO, OK, TO_THE_DOT, scripted
from tests.mail.twin import SENDER, Twin, an_office, open_counter

DONE, REFUSED, UNKNOWN, NOT_SENT = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NOT_SENT
LETTER = Letter(
    message_id="<0b5c9c0e-6d1c-4b7e-8c55-1f0f3c9f0a01@emanet.tr>",
    to="fatma@demo.tr",
    language="tr",
    subject="Şığ İÇÖÜ: 17 numaralı siparişiniz kargoya verildi, teslimat yaklaşık iki iş günü içinde ☂",
    text="Merhaba Fatma,\n.\n..nokta\nŞişli'ye çıktı: http://localhost/orders/17?a=1&b=2\n" + "ğ" * 1200,
    html='<p>Şişli\'ye <a href="http://localhost/orders/17?a=1&amp;b=2">çıktı</a> <a href="javascript:x()">x</a></p>',
    written_at=datetime(2026, 11, 3, 9, 30, tzinfo=UTC),
)


@pytest.fixture
def twin() -> Iterator[Twin]:
    """An open counter."""
    with open_counter() as twin:
        yield twin


@pytest.fixture
def strict_twin() -> Iterator[Twin]:
    """A counter that wants a password."""
    with open_counter(user="emanet", password="gizli") as twin:
        yield twin


def test_a_letter_is_taken_whole(twin: Twin) -> None:
    answer = twin.office().send(LETTER)
    [kept] = twin.letters()
    assert (answer.outcome, answer.code) == (DONE, "250")
    assert (kept["from"], kept["to"]) == ("posta@emanet.tr", ["fatma@demo.tr"])
    assert (kept["subject"], kept["message_id"]) == (LETTER.subject, LETTER.message_id)
    assert kept["text"].rstrip("\n") == LETTER.text
    assert kept["html"].rstrip("\n") == LETTER.html
    headers = dict(kept["headers"])
    assert (headers["From"], headers["Content-Language"]) == (SENDER, "tr")


@pytest.mark.parametrize(
    ("mode", "outcome", "copies"),
    [
        ("refuse", REFUSED, 0),
        ("error_500", NOT_SENT, 0),
        ("error_500_after_effect", NOT_SENT, 1),  # a server that lies: the second copy carries the same Message-ID
        ("timeout_before_effect", UNKNOWN, 0),
        ("timeout_after_effect", UNKNOWN, 1),
        ("malformed", UNKNOWN, 0),
    ],
)
def test_every_mishap_has_its_meaning(twin: Twin, mode: str, outcome: Outcome, copies: int) -> None:
    twin.fails(mode)
    answer = twin.office().send(LETTER)
    assert (answer.outcome, len(twin.letters())) == (outcome, copies)
    assert answer.why


def test_a_server_that_is_only_slow_still_takes_it(twin: Twin) -> None:
    twin.world.faults.add(Fault("smtp", "mail", "slow", seconds=0.1))
    assert twin.office().send(LETTER).outcome is DONE


def test_the_second_copy_has_the_name_of_the_first(twin: Twin) -> None:
    twin.fails("timeout_after_effect")
    assert [twin.office().send(LETTER).outcome for _ in range(2)] == [UNKNOWN, DONE]
    first, second = twin.letters()
    assert first["message_id"] == second["message_id"] == LETTER.message_id
    assert first["date"] == second["date"]
    [effect] = [row for row in twin.world.store.all("effect") if row["operation"] == "mail"]
    assert (effect["key"], effect["count"]) == (LETTER.message_id, 2)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_the_right_password_opens(strict_twin: Twin) -> None:
    assert strict_twin.office(user="emanet", password="gizli").send(LETTER).outcome is DONE


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_wrong_password_is_ours_to_mend(strict_twin: Twin) -> None:
    answer = strict_twin.office(user="emanet", password="yanlis").send(LETTER)
    assert (answer.outcome, answer.code) == (NOT_SENT, "535")
    assert "password" in answer.why
    assert strict_twin.letters() == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_no_password_at_all_is_ours_to_mend_too(strict_twin: Twin) -> None:
    assert strict_twin.office().send(LETTER).outcome is NOT_SENT


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_without_encryption_nothing_is_said(twin: Twin, security: Security) -> None:
    assert twin.office(security=security).send(LETTER).outcome is NOT_SENT
    assert twin.letters() == []


def test_nobody_at_home(twin: Twin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert an_office(port).send(LETTER).outcome is NOT_SENT


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        ([b"554 go away\r\n"], NOT_SENT),
        ([*HELLO, b"530 who are you\r\n"], NOT_SENT),
        ([*HELLO, b"552 too big\r\n"], REFUSED),
        ([*HELLO, OK, b"452 mailbox full\r\n"], NOT_SENT),
        ([*HELLO, OK, b"550 unknown\r\n"], REFUSED),
        ([*HELLO, OK, b"251 will forward\r\n", GO, OK], DONE),
        ([*HELLO, OK, OK, b"554 no\r\n"], REFUSED),
        ([*HELLO, OK, OK], NOT_SENT),  # hangs up before DATA is answered
        ([*TO_THE_DOT, b"554 spam\r\n"], REFUSED),
        ([*TO_THE_DOT, b"421 closing\r\n"], NOT_SENT),
        (TO_THE_DOT, UNKNOWN),  # hangs up after the dot
        ([*TO_THE_DOT, b"what?\r\n"], UNKNOWN),
        ([*TO_THE_DOT, b"x" * 9000 + b"\r\n"], UNKNOWN),
        ([*TO_THE_DOT, b"25"], UNKNOWN),
        ([*TO_THE_DOT, b"250"], UNKNOWN),  # not a whole line
        ([*TO_THE_DOT, b"354 more?\r\n"], UNKNOWN),
        ([*TO_THE_DOT, b"250-first\r\n250 last\r\n"], DONE),
    ],
)
def test_every_stage_of_the_conversation(says: list[bytes], outcome: Outcome) -> None:
    with scripted(says) as port:
        assert an_office(port).send(LETTER).outcome is outcome


def test_who_drips_a_byte_at_a_time_is_as_good_as_silent() -> None:
    with scripted([*TO_THE_DOT, *[b"2"] * 100], pause=0.1) as port:
        assert an_office(port).send(LETTER).outcome is UNKNOWN


def test_a_subject_cannot_bring_headers_of_its_own(twin: Twin) -> None:
    evil = replace(LETTER, subject="Selam\r\nBcc: herkes@demo.tr\r\n\r\nyeni gövde")
    assert twin.office().send(evil).outcome is DONE
    [kept] = twin.letters()
    assert kept["subject"] == "Selam Bcc: herkes@demo.tr yeni gövde"
    assert kept["to"] == ["fatma@demo.tr"]
    assert "Bcc" not in dict(kept["headers"])


@pytest.mark.parametrize(
    "to",
    [
        "fatma@demo.tr\r\nBcc: herkes@demo.tr",
        "fatma@demo.tr, deniz@demo.tr",
        "fatma@demo.tr> SIZE=1 <x@y",
        "fatma",
        "",
        "a..b@demo.tr",
        "fatma@demo..tr",
        "şule@demo.tr",
        f"{'a' * 250}@demo.tr",
    ],
)
def test_what_is_not_one_address_is_refused_before_anybody_is_called(twin: Twin, to: str) -> None:
    assert twin.office().send(replace(LETTER, to=to)) == CallAnswer(REFUSED, why="not a mail address")
    assert twin.letters() == []


def test_a_turkish_domain_travels_in_ascii() -> None:
    assert address("ali@çiçek.com.tr") == "ali@xn--iek-1lab.com.tr"


def test_a_sender_without_an_address_does_not_start() -> None:
    with pytest.raises(NotAnAddress):
        named("Emanet")


def test_no_line_of_a_letter_can_end_it() -> None:
    """SMTP smuggling needs a dot between line ends that two servers read differently."""
    evil = replace(LETTER, text="a\r.\rb\n.\nc\r\n.\r\nMAIL FROM:<x@y>\r\n", html="<p>\n.\n</p>\x0b.\x0c.")
    wire = on_the_wire(dressed(evil, named(SENDER)))
    assert wire.isascii()
    assert wire.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in wire
    assert wire.replace(b"\r\n", b"").count(b"\n") == wire.replace(b"\r\n", b"").count(b"\r") == 0
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert message_from_bytes(wire, policy=SMTP)["Auto-Submitted"] == "auto-generated"


def test_the_mailbox_shows_letters_and_their_links(twin: Twin) -> None:
    app = Flask("portal.sandbox")
    for blueprint in blueprints(twin.world):
        app.register_blueprint(blueprint)
    twin.office().send(replace(LETTER, text=LETTER.text + "\n<script>x()</script>"))
    page_as_a_file = Enclosure("Ödeme <dökümü>.xlsx", "text/html", b"<script>x()</script>")
    twin.office().send(replace(LETTER, subject="İkinci", message_id="<2@emanet.tr>", enclosure=page_as_a_file))
    browser = app.test_client()
    page = browser.get("/mailbox").text
    assert page.index("İkinci") < page.index("17 numaralı")
    letter = browser.get("/mailbox/1").text
    assert letter.count('href="http://localhost/orders/17?a=1&amp;b=2"') == 2
    assert "<script>x" not in letter
    assert 'href="javascript' not in letter
    assert all(browser.get(f"/mailbox/{nothing}").status_code == 404 for nothing in ("9", "9/html", "1/files/1"))
    assert "Ödeme &lt;dökümü&gt;.xlsx" in page and "20 Bytes" in browser.get("/mailbox/2").text
    kept = browser.get("/mailbox/2/files/1")
    assert (kept.data, kept.headers["X-Content-Type-Options"]) == (b"<script>x()</script>", "nosniff")
    assert kept.headers["Content-Disposition"].startswith("attachment")  # never shown as the page it says it is
    assert browser.get("/mailbox/2/html").headers["Content-Security-Policy"].startswith("sandbox;")
    found = browser.get("/_sandbox/mail").get_json()
    assert [row["subject"] for row in found] == [LETTER.subject, "İkinci"]
