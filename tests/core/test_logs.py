"""Planted secrets pass through every failing path: none comes out in a log, a row or a letter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from loguru import logger
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from jobs import schedule as jobs
from portal.app import create_app
from portal.core import logs, timetable
from portal.core.database import db
from portal.core.formats import masked
from portal.core.ports import cast_role
from portal.core.troubles import Trouble
from portal.core.unit_of_work import atomic
from portal.embedded.home import ROOT
from portal.integrations.iyzico.client import IyzicoClient
from portal.mail.models import MailMessage
from portal.mail.ports import PostOffice
from portal.settings import Settings
from portal.workflows import notices
from tests import story
from tests.cast import Cast, sign_in
from tests.mail.twin import an_office

IBAN, TCKN, PHONE, CARD = "TR330006100519786457841326", "10000000146", "+905321112233", "5528790000000008"
MAIL, PASSWORD, KEY = "ayse.gizli@ornek.com.tr", "hunter2-parola", "sk-live-abcdef123456"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
CANARIES = [IBAN, TCKN, PHONE, CARD, MAIL, PASSWORD, KEY, JWT]
SENTENCE = (
    f'iban {IBAN} tckn {TCKN} tel {PHONE} kart {CARD} posta {MAIL} {{"password": "{PASSWORD}"}} api_key={KEY}'
    f" Authorization: Bearer {JWT} postgresql://portal:{PASSWORD}@db/portal"
)


@pytest.fixture
def logged(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """Everything that is logged, in a folder."""
    own = replace(settings, iyzico_secret_key="kendi-sirrimiz-uzun")
    logs.init(secrets=own.secrets, folder=str(tmp_path), file_mb=1)
    logs.keep_troubles(settings.database_url)
    yield tmp_path
    logs.init()


def words(folder: Path) -> str:
    """All of it."""
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.log*")))


def nothing_leaks(text: str) -> None:
    """No canary sings."""
    assert [canary for canary in CANARIES if canary in text] == []


@pytest.mark.parametrize("canary", CANARIES)
def test_each_secret_is_masked(canary: str) -> None:
    assert canary in SENTENCE
    assert canary not in masked(SENTENCE)


@pytest.mark.parametrize(
    "harmless",
    [
        "sipariş 17 ödendi",
        "stok 8690000000 adet",
        "GET /api/network/orders/42",
        "iyzico /payment/auth: DONE",
        "250 2.0.0 Alindi",
    ],
)
def test_what_is_harmless_stays_readable(harmless: str) -> None:
    assert masked(harmless) == harmless


def fail_in_a_view(app: Flask, cast: Cast) -> None:
    """Our own mistake, with somebody's data in its words."""

    def broken() -> str:
        raise RuntimeError(SENTENCE)

    broken.door = vars(app.view_functions["healthz"])["door"]  # type: ignore[attr-defined]
    app.view_functions["healthz"] = broken
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get("/healthz")
    assert answer.status_code == 500
    nothing_leaks(answer.text)


def fail_in_a_job(app: Flask, cast: Cast) -> None:
    """A periodic job crashes."""

    def broken() -> None:
        raise ValueError(SENTENCE)

    from datetime import timedelta

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jobs, "TIMETABLE", [timetable.Periodic("broken", broken, timedelta(minutes=5))])
        assert jobs.tick(app) == ["broken"]


def fail_in_the_database(app: Flask, cast: Cast) -> None:
    """A constraint says no, and PostgreSQL repeats what was written."""
    try:
        with atomic():
            db.session.execute(
                text("INSERT INTO organisation (kind, name) VALUES ('BUYER', :words)"), {"words": SENTENCE}
            )
    except IntegrityError:
        logger.exception("the books refused a row")


def fail_in_a_library(app: Flask, cast: Cast) -> None:
    """Somebody else's code speaks through the standard library."""
    import logging

    try:
        raise OSError(SENTENCE)
    except OSError:
        logging.getLogger("somebody.else").exception("could not read %s", SENTENCE)


def fail_at_a_provider(app: Flask, cast: Cast) -> None:
    """The provider cannot be reached, and its address holds a password."""
    from decimal import Decimal

    client = IyzicoClient(
        base_url=f"http://user:{PASSWORD}@127.0.0.1:1", api_key=KEY, secret_key=PASSWORD, timeout_seconds=Decimal(1)
    )
    try:
        client.post("/payment/auth", {"iban": IBAN, "identityNumber": TCKN, "cardNumber": CARD, "email": MAIL})
    except Exception:
        logger.exception("provider failed for {}", SENTENCE)


def fail_at_the_post_office(app: Flask, cast: Cast) -> None:
    """Nobody listens where letters are handed over."""
    cast_role(app, PostOffice, an_office(1, user="posta", password=PASSWORD))
    with atomic():
        from portal.mail import services as mails

        mails.write(
            "canary", to=MAIL, person_id=None, language="tr", subject=f"IBAN {IBAN}", text=SENTENCE, html=SENTENCE,
            about=("order", 1),
        )  # fmt: skip
    story.drain("mail")


PATHS = [
    fail_in_a_view, fail_in_a_job, fail_in_the_database, fail_in_a_library, fail_at_a_provider, fail_at_the_post_office,
]  # fmt: skip


def test_no_failing_path_lets_a_secret_out(
    app: Flask, cast: Cast, logged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in PATHS:
        before = len(words(logged))
        path(app, cast)
        assert len(words(logged)) > before, f"{path.__name__} wrote nothing: the test is blind"
    nothing_leaks(words(logged))
    nothing_leaks(capsys.readouterr().err)
    troubles = db.session.scalars(select(Trouble)).all()
    assert len(troubles) >= 4
    nothing_leaks("".join(t.message + t.trace for t in troubles))
    with atomic():
        assert notices.tell_of_troubles() == len(troubles)
    with atomic():
        assert notices.tell_of_troubles() == 0
    letter = db.session.scalars(select(MailMessage).where(MailMessage.about_kind == "troubles")).one()
    nothing_leaks(letter.text_body + letter.html_body + letter.subject)
    assert letter.recipient == cast.gul.email
    status, page = sign_in(app, cast.gul).get("/admin/troubles")
    assert status == 200 and "ValueError" in page
    nothing_leaks(page)


def test_this_installations_own_secrets_are_hidden_whatever_they_look_like(app: Flask, logged: Path) -> None:
    logger.info("we sent kendi-sirrimiz-uzun to them")
    assert "kendi-sirrimiz-uzun" not in words(logged)
    assert "we sent *** to them" in words(logged)


def test_a_line_that_is_not_masked_would_be_seen(tmp_path: Path) -> None:
    """The check can fail."""
    (tmp_path / "naive.log").write_text(SENTENCE)
    with pytest.raises(AssertionError):
        nothing_leaks(words(tmp_path))


def test_a_line_names_its_request_and_its_job(app: Flask, logged: Path) -> None:
    answer = app.test_client().get("/healthz")
    with logger.contextualize(job="mail-1234"):
        logger.info("in a job")
    assert "mail-1234" in words(logged)
    with app.test_request_context("/"):
        app.preprocess_request()
        logger.info("in a request")
    assert len(answer.headers["X-Request-Id"]) == 16
    assert "in a request" in words(logged)


def test_json_lines_are_for_machines(app: Flask, tmp_path: Path) -> None:
    logs.init(folder=str(tmp_path), as_json=True)
    try:
        raise RuntimeError(SENTENCE)
    except RuntimeError:
        logger.exception("broken")
    logs.init()
    line = json.loads((tmp_path / "other.log").read_text())
    assert (line["level"], line["message"], line["module"]) == ("ERROR", "broken", "other")
    assert "RuntimeError" in line["exception"]
    nothing_leaks(json.dumps(line))


@pytest.mark.parametrize(
    ("name", "module"),
    [("portal.escrow.services.refunds", "escrow"), ("portal.integrations.iyzico.client", "iyzico"), ("jobs.drain", "jobs"),
     ("portal.app", "portal"), ("sqlalchemy.pool", "other"), (None, "other")],
)  # fmt: skip
def test_whose_line_it_is(name: str | None, module: str) -> None:
    assert logs.module_of(name) == module


def test_a_full_file_makes_room_and_no_process_tears_anothers_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.core.log_writer", str(tmp_path), "200"]
    writers = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    files = sorted(path.name for path in tmp_path.glob("mail.log*"))
    assert files == ["mail.log", "mail.log.1", "mail.log.2", "mail.log.3"]
    assert all(path.stat().st_size <= 4096 for path in tmp_path.glob("mail.log*"))
    lines = words(tmp_path).strip().splitlines()
    assert len(lines) > 100
    assert all(line.startswith("satır ") and line.endswith("x" * 80) for line in lines if line)


def test_the_app_says_where_its_lines_go(settings: Settings, tmp_path: Path) -> None:
    create_app(replace(settings, log_folder=str(tmp_path / "log")))
    logger.warning("başladı")
    assert "başladı" in words(tmp_path / "log")
    logs.init()
