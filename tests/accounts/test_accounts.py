"""Signing in, staying in, and being put out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.accounts import queries as accounts_queries
from portal.accounts import services
from portal.accounts.models import Person, SignInAttempt, WebSession
from portal.accounts.sessions import digest
from portal.core.database import DB_NOW, db
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.demo import PASSWORD
from tests.cast import Cast, actor, api, csrf, sign_in


def cookie(client: Any) -> str:
    """The session's secret."""
    found = client.get_cookie("emanet")
    return found.value if found else ""


def test_signing_in_leads_to_ones_own_home_with_a_new_session(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    token = csrf(client.get("/sign-in").text)
    before = cookie(client)
    form = {"email": " FINANCE@demo.tr ", "password": PASSWORD, "csrf_token": token}
    answer = client.post("/sign-in", data=form)
    assert answer.headers["Location"] == "/finance/"
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert cookie(client) not in ("", before)
    hashes = set(db.session.scalars(select(WebSession.token_hash)))
    assert hashes == {digest(cookie(client))}  # the stranger's row is gone, and only hashes are kept


def test_a_planted_session_is_worth_nothing(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    client.set_cookie("emanet", "planted-by-somebody")
    token = csrf(client.get("/sign-in").text)
    client.post("/sign-in", data={"email": cast.fatma.email, "password": PASSWORD, "csrf_token": token})
    other = app.test_client()
    other.set_cookie("emanet", "planted-by-somebody")
    assert other.get("/buyer/").status_code == 303


def test_after_signing_out_the_old_cookie_opens_nothing(app: Flask, cast: Cast) -> None:
    browser = sign_in(app, cast.fatma)
    secret = cookie(browser.client)
    assert browser.post("/sign-out")[0] == 303
    thief = app.test_client()
    thief.set_cookie("emanet", secret)
    assert thief.get("/buyer/").status_code == 303


@pytest.mark.parametrize("column", ["last_seen_at", "expires_at"])
def test_sessions_end_by_themselves(app: Flask, cast: Cast, column: str) -> None:
    browser = sign_in(app, cast.fatma)
    with atomic() as session:
        session.execute(update(WebSession).values({column: DB_NOW - timedelta(hours=9)}))
    assert browser.get("/buyer/")[0] == 303


def test_who_is_disabled_is_out_everywhere_at_once(app: Flask, cast: Cast) -> None:
    browser, machine = sign_in(app, cast.deniz), api(app, cast.deniz)
    with atomic():
        services.disable(db.session.get_one(Person, cast.deniz.id), by=actor(cast.gul), because="ayrıldı")
    assert browser.get("/seller/")[0] == 303
    assert machine.client.get("/api/v2/me", headers=machine.headers()).status_code == 401
    answer = app.test_client().post("/api/v2/token/", json={"email": cast.deniz.email, "password": PASSWORD})
    assert answer.status_code == 401


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(app: Flask, cast: Cast) -> None:
    answers = []
    for email in (cast.fatma.email, "nobody@demo.tr"):
        answer = app.test_client().post("/api/v2/token/", json={"email": email, "password": "wrong"}).get_json()
        answers.append((answer["error"], answer["message"]))
    assert answers[0] == answers[1]


def test_guessing_is_stopped_even_without_redis(app: Flask, cast: Cast) -> None:
    statuses = [
        app.test_client().post("/api/v2/token/", json={"email": cast.fatma.email, "password": str(n)}).status_code
        for n in range(services.TRIES_PER_ACCOUNT + 2)
    ]
    assert statuses == [401] * services.TRIES_PER_ACCOUNT + [429, 429]
    right = app.test_client().post("/api/v2/token/", json={"email": cast.fatma.email, "password": PASSWORD})
    assert right.status_code == 429
    assert api(app, cast.deniz).token
    assert db.session.scalar(select(func.count(SignInAttempt.id))) == services.TRIES_PER_ACCOUNT


def test_the_token_route_speaks_as_agreed(app: Flask, cast: Cast) -> None:
    answer = app.test_client().post("/api/v2/token/", json={"email": cast.fatma.email, "password": PASSWORD}).get_json()
    assert answer.keys() == {"access_token", "token_type", "expires_in"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)


def forged(app: Flask, person_id: int, **changes: Any) -> str:
    """A token that somebody made himself."""
    now = datetime.now(UTC)
    claims = {
        "sub": str(person_id), "jti": "x", "iat": now, "exp": now + timedelta(hours=1), "iss": "emanet", "aud": "emanet-api",
    }  # fmt: skip
    secret, algorithm = changes.pop("secret", app.config["JWT_SECRET"]), changes.pop("algorithm", "HS256")
    claims = {k: v for k, v in {**claims, **changes}.items() if v is not None}
    return jwt.encode(claims, secret, algorithm=algorithm)


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"secret": "k" * 40}, {"algorithm": "none", "secret": None}, {"exp": None}, {"aud": "other"}, {"iss": "other"},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)}, {"sub": "1; DROP"}, {"jti": None}, {"algorithm": "HS512", "secret": "j" * 80},
    ],
)  # fmt: skip
def test_a_forged_token_opens_nothing(app: Flask, cast: Cast, changes: dict[str, Any]) -> None:
    """Even one with the right signature: its row was never written."""
    token = forged(app, cast.fatma.id, **changes)
    for value in (token, token + "x" * 10_000, "\u00e7"):
        headers = {"Authorization": f"Bearer {value}".encode().decode("latin-1")}
        assert app.test_client().get("/api/v2/me", headers=headers).status_code == 401


def test_a_browser_session_is_no_api_key_and_a_token_opens_no_page(app: Flask, cast: Cast) -> None:
    browser, machine = sign_in(app, cast.fatma), api(app, cast.fatma)
    assert browser.client.get("/api/v2/me").status_code == 401
    assert machine.client.get("/buyer/", headers=machine.headers()).status_code == 303


def test_the_language_and_the_theme_stay_with_the_person(app: Flask, cast: Cast) -> None:
    browser = sign_in(app, cast.fatma)
    assert "Bugün" in browser.get("/buyer/")[1]
    browser.post("/preferences/language", language="en", next="//evil")
    browser.post("/preferences/theme", theme="dark")
    page = sign_in(app, cast.fatma).get("/buyer/")[1]
    assert "Today" in page
    assert 'data-theme="dark"' in page


def test_pages_carry_their_walls(app: Flask, cast: Cast) -> None:
    answer = sign_in(app, cast.fatma).client.get("/buyer/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "HX-Request" in answer.headers["Vary"]


def test_htmx_is_sent_to_the_door_not_shown_it(app: Flask) -> None:
    answer = app.test_client().get("/admin/", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/sign-in")


def test_a_short_password_is_refused(app: Flask, cast: Cast) -> None:
    from portal.accounts.roles import Role

    with pytest.raises(BadInput), atomic():
        services.add_person(
            accounts_queries.organisation(cast.fatma.organisation_id),
            email="a@b.tr",
            full_name="A",
            role=Role.BUYER,
            password="short",
        )


def test_what_is_over_is_put_away_and_what_lives_stays(app: Flask, cast: Cast) -> None:
    sign_in(app, cast.fatma)
    gone = sign_in(app, cast.deniz)
    with atomic() as session:
        session.execute(
            update(WebSession)
            .where(WebSession.token_hash == digest(cookie(gone.client)))
            .values(last_seen_at=DB_NOW - timedelta(hours=9))
        )
        session.add(SignInAttempt(email="x", ip="1", at=datetime(2026, 1, 1, tzinfo=UTC)))
    with atomic():
        assert services.put_away_what_is_over() == 1
    assert db.session.scalar(select(func.count()).select_from(WebSession)) == 1
    assert db.session.scalar(select(func.count(SignInAttempt.id))) == 0
