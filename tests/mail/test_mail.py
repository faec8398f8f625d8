"""Letters: written with the business, sent once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from portal.core.database import db
from portal.core.errors import NotFound
from portal.core.ports import cast_role
from portal.core.state_machine import Transition
from portal.core.unit_of_work import atomic
from portal.mail import queries
from portal.mail import services as mails
from portal.mail.models import MailMessage
from portal.mail.ports import PostOffice
from portal.mail.services import patience
from portal.mail.states import Mail
from tests.cast import Cast
from tests.mail.letters import drain, due_now, the_mail, wait_seconds, write
from tests.mail.twin import Twin, an_office


def test_a_letter_leaves_after_the_story(twin: Twin, cast: Cast) -> None:
    write(person_id=cast.fatma.id, to=cast.fatma.email)
    assert twin.letters() == []
    assert drain() == 1
    [kept] = twin.letters()
    mail = the_mail()
    assert (kept["to"], kept["subject"], kept["message_id"]) == ([cast.fatma.email], mail.subject, mail.message_id)
    assert (mail.state, mail.attempts, mail.next_attempt_at, mail.may_have_come_twice) == (Mail.SENT, 1, None, False)
    assert mail.sent_at is not None
    assert drain() == 0


def test_the_same_key_is_one_letter(twin: Twin) -> None:
    write(subject="ilk")
    write(subject="ikinci")
    drain()
    assert [kept["subject"] for kept in twin.letters()] == ["ilk"]


def test_a_story_that_did_not_happen_is_not_told(twin: Twin) -> None:
    with suppress(ZeroDivisionError), atomic():
        mails.write(
            "k", to="a@b.tr", person_id=None, language="tr", subject="s", text="t", html="h", about=("order", 1)
        )
        raise ZeroDivisionError
    assert drain() == 0
    assert twin.letters() == []


def test_a_subject_stays_one_line(twin: Twin) -> None:
    write(subject="Selam\r\nBcc: herkes@demo.tr", to="buyer@demo.tr\n")
    assert (the_mail().subject, the_mail().recipient) == ("Selam Bcc: herkes@demo.tr", "buyer@demo.tr")
    drain()
    assert [kept["to"] for kept in twin.letters()] == [["buyer@demo.tr"]]


def test_the_table_refuses_two_lines_too(twin: Twin) -> None:
    write()
    with pytest.raises(IntegrityError, match="headers_are_one_line"), atomic():
        db.session.execute(update(MailMessage).values(subject="a\nBcc: b@c.tr"))


def test_a_definite_no_is_final(twin: Twin) -> None:
    twin.fails("refuse")
    write()
    assert drain() == 1
    mail = the_mail()
    assert (mail.state, mail.next_attempt_at) == (Mail.REFUSED, None)
    assert "550" in mail.last_note
    assert drain() == 0


def test_an_address_that_is_none_is_refused_not_crashed(twin: Twin) -> None:
    write(to="yok")
    drain()
    assert (the_mail().state, the_mail().last_note) == (Mail.REFUSED, "not a mail address")


def test_not_now_is_tried_again_a_little_later(twin: Twin) -> None:
    twin.fails("error_500")
    write()
    assert drain() == 1
    assert the_mail().state == Mail.WRITTEN
    assert 45 <= wait_seconds(the_mail()) <= 75
    due_now()
    drain()
    assert (the_mail().state, the_mail().attempts, len(twin.letters())) == (Mail.SENT, 2, 1)


def test_after_two_days_nobody_tries_any_more(twin: Twin, app: Flask) -> None:
    cast_role(app, PostOffice, an_office(1))  # nobody listens there
    write()
    with atomic():
        db.session.execute(update(MailMessage).values(attempts=mails.MOST_TRIES - 1))
    drain()
    assert (the_mail().state, the_mail().next_attempt_at) == (Mail.GIVEN_UP, None)


@pytest.mark.parametrize(
    ("tries", "minutes"), [(1, 1), (2, 5), (3, 15), (4, 60), (5, 60), (49, 60), (50, None), (51, None)]
)
def test_patience(tries: int, minutes: int | None) -> None:
    assert patience(tries) == (None if minutes is None else timedelta(minutes=minutes))


def test_patience_lasts_two_days() -> None:
    waits = [wait for tries in range(1, mails.MOST_TRIES) if (wait := patience(tries))]
    assert timedelta(days=1, hours=20) < sum(waits, timedelta()) < timedelta(days=2)


def test_many_senders_send_each_letter_once(twin: Twin, app: Flask) -> None:
    for number in range(12):
        write(f"letter-{number}")

    def lane() -> int:
        with app.app_context():
            return drain()

    with ThreadPoolExecutor(4) as pool:
        tries = sum(done.result() for done in [pool.submit(lane) for _ in range(4)])
    assert tries == len(twin.letters()) == len({kept["message_id"] for kept in twin.letters()}) == 12
    assert queries.counts() == {Mail.SENT: 12}


def test_what_operators_see(twin: Twin, cast: Cast) -> None:
    write("one", person_id=cast.fatma.id)
    write("two", to="seller@demo.tr", about=("order", "18"))
    assert queries.counts() == {Mail.WRITTEN: 2}
    found = db.session.scalars(queries.mails(state=Mail.WRITTEN, recipient="SELLER@")).all()
    assert [mail.key for mail in found] == ["two"]
    assert [mail.key for mail in queries.mails_about("order", ["17", "18"])] == ["one", "two"]
    assert queries.mail(found[0].id).key == "two"
    with pytest.raises(NotFound):
        queries.mail(10**9)
    assert queries.overdue(0)
    assert not queries.overdue(60)
    drain()
    assert not queries.overdue(0)


def test_every_try_is_in_the_history(twin: Twin) -> None:
    twin.fails("error_500")
    write()
    drain()
    due_now()
    drain()
    moves = db.session.scalars(
        select(Transition.to_state).where(Transition.subject_kind == "mail").order_by(Transition.id)
    )
    assert list(moves) == [Mail.SENDING, Mail.WRITTEN, Mail.SENDING, Mail.SENT]
    assert db.session.scalar(select(func.count()).select_from(MailMessage)) == 1
