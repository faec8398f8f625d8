"""What operators see and do at the post: refusals, bounces, another try; and the form people write into."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.mail import bounces
from portal.mail import services as mails
from portal.mail.models import MailMessage
from portal.mail.states import Mail
from portal.workflows import post
from tests.cast import Cast, sign_in
from tests.mail.letters import drain, due_now, the_mail, write
from tests.mail.twin import Twin

MISHAPS = [
    "refuse",
    "error_500",
    "timeout_before_effect",
    "timeout_after_effect",
    "malformed",
    "error_500_after_effect",
]


def test_whatever_the_mail_server_does_no_letter_is_lost_and_none_doubled_unseen(twin: Twin, app: Flask) -> None:
    """It refuses, says later, hangs before and after taking, drops the line, takes and says later."""
    for mode in MISHAPS:
        twin.fails(mode)
    for number in range(12):
        write(f"letter-{number}")
    for _ in range(6):
        drain()
        due_now()
    copies: dict[str, int] = {}
    for kept in twin.letters():
        copies[kept["message_id"]] = copies.get(kept["message_id"], 0) + 1
    letters = db.session.scalars(select(MailMessage)).all()
    assert len(letters) == 12
    for letter in letters:
        came = copies.get(letter.message_id, 0)
        assert letter.state in (Mail.SENT, Mail.REFUSED), (letter.key, letter.state, letter.last_note)
        assert came >= 1 or letter.state == Mail.REFUSED  # none is lost
        # A server that takes a letter and then says "later" lies: nobody but its reader's mailbox can know.
        lied = "error_500_after_effect"
        assert came <= 1 or letter.may_have_come_twice or (lied in MISHAPS and letter.attempts > 1)
    assert sum(letter.state == Mail.REFUSED for letter in letters) == 1
    assert sum(letter.may_have_come_twice for letter in letters) >= 1


def bounce(message_id: str, *, action: str = "failed", code: str = "smtp; 550 5.1.1 Boyle bir kutu yok") -> bytes:
    """As another mail server writes it (RFC 3464)."""
    status = f"Reporting-MTA: dns; mx.ornek.tr\n\nFinal-Recipient: rfc822; x@ornek.tr\nAction: {action}\nStatus: 5.1.1\nDiagnostic-Code: {code}\n"
    return (
        "From: MAILER-DAEMON@mx.ornek.tr\nTo: posta@emanet.tr\nSubject: Undelivered\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nOlmadi.\n"
        f"--b\nContent-Type: message/delivery-status\n\n{status}\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {message_id}\nSubject: x\n\n--b--\n"
    ).encode()


def test_a_letter_that_comes_back_is_seen(twin: Twin, app: Flask, cast: Cast) -> None:
    write(about=("report run", 7))
    drain()
    name = the_mail().message_id
    assert post.came_back(bounce(name)) == name
    mail = db.session.scalars(select(MailMessage).where(MailMessage.about_kind == "report run")).one()
    assert (mail.state, mail.bounced_at is not None) == (Mail.BOUNCED, True)
    assert "550 5.1.1" in mail.last_note
    notice = db.session.scalars(select(MailMessage).where(MailMessage.about_kind == "letter")).one()
    assert notice.recipient == cast.ayse.email and "550 5.1.1" in notice.text_body
    assert post.came_back(bounce(mail.message_id)) == ""  # twice is once


@pytest.mark.parametrize(
    "raw",
    [b"", b"Subject: hi\n\nhello", bounce("<nobody@x.tr>"), bounce("<a@b>", action="delayed"), b"\xff\xfe\x00" * 100,
     bounce("garbage")],
)  # fmt: skip
def test_what_is_no_bounce_of_ours_changes_nothing(twin: Twin, app: Flask, raw: bytes) -> None:
    write()
    drain()
    assert post.came_back(raw) == ""
    assert the_mail().state == Mail.SENT


def test_a_bounce_is_of_the_letter_that_came_back_not_of_one_it_quotes() -> None:
    inner = EmailMessage()
    inner["Message-ID"] = "<real@emanet.tr>"
    inner.set_content("> Message-ID: <quoted@emanet.tr>")
    raw = bounce("<x@y>").replace(
        b"Content-Type: text/rfc822-headers\n\nMessage-ID: <x@y>\nSubject: x\n",
        b"Content-Type: message/rfc822\n\n" + inner.as_bytes(),
    )
    assert bounces.read(raw)[0] == ["<real@emanet.tr>"]


def test_a_refused_report_is_told_to_finance_and_sent_again_by_hand(twin: Twin, app: Flask, cast: Cast) -> None:
    twin.fails("refuse")
    write(about=("report run", 7), to="yanlis@demo.tr")
    drain()
    refused, notice = db.session.scalars(select(MailMessage).order_by(MailMessage.id)).all()
    assert (refused.state, notice.recipient) == (Mail.REFUSED, cast.ayse.email)
    assert "yanlis@demo.tr" in notice.text_body
    gul = sign_in(app, cast.gul)
    url = f"/admin/mail/{refused.id}"
    assert gul.post(f"{url}/again", because="")[0] == 422
    assert sign_in(app, cast.burak).post(f"{url}/again", because="x")[0] == 403
    assert gul.post(f"{url}/again", because="kutu açıldı")[0] == 303
    assert gul.post(f"{url}/again", because="kutu açıldı")[0] == 409
    drain()
    assert queries_state(refused.id) == Mail.SENT
    assert "kutu açıldı" in gul.get(url)[1]


def queries_state(mail_id: int) -> str:
    """As the database has it."""
    return db.session.scalars(select(MailMessage.state).where(MailMessage.id == mail_id)).one()


def test_the_text_is_masked_until_somebody_says_why(twin: Twin, app: Flask, cast: Cast) -> None:
    write(text="IBAN TR330006100519786457841326\nhttps://emanet.tr/delivery/sig.ned")
    gul = sign_in(app, cast.gul)
    page = gul.get("/admin/mail/1")[1]
    assert "TR330006100519786457841326" not in page and "sig.ned" not in page
    assert gul.post("/admin/mail/1/text", because="")[0] == 422
    page = gul.client.post("/admin/mail/1/text", data={"because": "şikâyet", "csrf_token": gul.token}).text
    assert "TR330006100519786457841326" in page and "sig.ned" not in page
    assert "letter text seen" in gul.get("/admin/audit")[1]


def test_lists_show_what_may_have_come_twice(twin: Twin, app: Flask, cast: Cast) -> None:
    twin.fails("timeout_after_effect")
    write()
    drain()
    due_now()
    drain()
    gul = sign_in(app, cast.gul)
    page = gul.get("/admin/mail?state=SENT&q=buyer")[1]
    assert "belki iki kez" in page
    again = unescape(re.search(r'id="letters" hx-get="([^"]+)" hx-trigger="every 10s"', page)[1])  # type: ignore[index]
    assert again.startswith("/admin/mail?") and "state=SENT" in again
    asks = {"HX-Request": "true", "HX-Request-Type": "partial"}
    assert gul.client.get(again, headers=asks).status_code == 204  # nothing has changed
    write("another")
    drain()
    news = gul.client.get(again, headers=asks)
    assert news.status_code == 200 and news.text.count("<tr>") == page.count("<tr>") + 1 and "<html" not in news.text


def test_what_is_written_into_the_form_arrives_once(twin: Twin, app: Flask, cast: Cast) -> None:
    fatma = sign_in(app, cast.fatma)
    assert 'name="key"' in fatma.get("/support")[1]
    form = {"subject": "Kolim\r\nBcc: x@y.tr", "text": "Nerede?\n=1+1", "key": "k1"}
    for _ in range(2):
        assert fatma.post("/support", **form)[0] == 303
    assert fatma.post("/support", subject="", text="")[0] == 422
    drain()
    [kept] = twin.letters()
    assert (kept["to"], kept["subject"]) == (["destek@emanet.example"], "[Emanet] Kolim Bcc: x@y.tr")
    assert cast.fatma.email in kept["text"] and "Nerede?" in kept["text"]


def test_a_file_travels_with_the_letter(twin: Twin, app: Flask) -> None:
    with atomic():
        kept = mails.enclose("rapor.xlsx", "application/vnd.ms-excel", b"PK\x03\x04\r\n.\r\n..x")
    write(enclosure_id=kept.id)
    drain()
    assert the_mail().state == Mail.SENT
    assert twin.letters()[0]["text"].strip() == "Şişli'ye çıktı."
