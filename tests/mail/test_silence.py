"""Honest about what nobody knows: a letter that may have arrived is sent once more, with the same name, and says so."""

from __future__ import annotations

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.mail import services as mails
from portal.mail.states import Mail
from tests.mail.letters import drain, due_now, the_mail, wait_seconds, write
from tests.mail.twin import Twin


def test_silence_is_followed_by_one_more_try_with_the_same_name(twin: Twin) -> None:
    twin.fails("timeout_after_effect")
    write()
    assert drain() == 1
    assert (the_mail().state, the_mail().silences) == (Mail.UNKNOWN, 1)
    assert 14 * 60 < wait_seconds(the_mail()) <= 15 * 60
    due_now()
    assert drain() == 1
    first, second = twin.letters()
    assert first["message_id"] == second["message_id"] == the_mail().message_id
    assert first["date"] == second["date"]
    assert (the_mail().state, the_mail().may_have_come_twice) == (Mail.SENT, True)


def test_silent_twice_is_never_sent_a_third_time(twin: Twin) -> None:
    twin.fails("timeout_after_effect", times=5)
    write()
    for _ in range(4):
        drain()
        due_now()
    assert len(twin.letters()) == 2
    mail = the_mail()
    assert (mail.state, mail.next_attempt_at, mail.may_have_come_twice) == (Mail.UNKNOWN, None, True)


def test_a_doubt_is_not_forgotten_while_the_server_is_away(twin: Twin) -> None:
    twin.fails("timeout_after_effect")
    twin.fails("error_500")
    write()
    drain()
    due_now()
    drain()
    assert (the_mail().state, the_mail().silences, the_mail().attempts) == (Mail.UNKNOWN, 1, 2)
    due_now()
    drain()
    assert (the_mail().state, the_mail().may_have_come_twice) == (Mail.SENT, True)


def test_a_sender_that_died_may_have_sent_it(twin: Twin) -> None:
    write()
    with atomic():
        assert mails.claim() is not None
    assert drain() == 0  # it is in somebody's hands
    due_now()
    assert drain() == 0  # nobody rushes after a death
    assert (the_mail().state, the_mail().silences, the_mail().lease_until) == (Mail.UNKNOWN, 1, None)
    due_now()
    assert drain() == 1
    assert the_mail().state == Mail.SENT


def test_an_answer_after_the_lease_changes_nothing(twin: Twin) -> None:
    write()
    with atomic():
        slow = mails.claim()
        assert slow is not None
        db.session.expunge(slow)
    assert slow.state == Mail.SENDING
    due_now()
    drain()  # the lease ran out: UNKNOWN
    with atomic():
        assert not mails.still_mine(slow)
    due_now()
    with atomic():
        second = mails.claim()
        assert second is not None
        assert mails.still_mine(second)
        assert not mails.still_mine(slow)
