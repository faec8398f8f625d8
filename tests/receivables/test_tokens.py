"""Who may ask: our own tokens where no issuer is set, and only the issuer's where one is."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask

from portal.accounts import issuer
from portal.settings import Settings, WrongSettings
from tests.cast import Cast, api
from tests.receivables import CUSTOMERS, SUPPLIERS

ISSUER, AUDIENCE, SECRET = "https://erp.example/giris", "cari-portali", "erp-ile-paylasilan-gizli-anahtar-32+"
ROUTES = [
    f"{side}/{name}/"
    for side in (CUSTOMERS, SUPPLIERS)
    for name in ("summary", "export-xlsx", "fetch-hana-data", "last-updated")
]


def status(app: Flask, token: str, route: str = f"{CUSTOMERS}/last-updated/") -> int:
    """What a caller with this token gets."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = app.test_client().get(route, headers=headers)
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.get_json()["status"] == "error"
    return answer.status_code


def claims(**changes: Any) -> dict[str, Any]:
    """Good ones, with some changed or (None) left out."""
    all_of_them = {"sub": "erp-servis", "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 300, **changes}
    return {name: value for name, value in all_of_them.items() if value is not None}


def unsigned(content: dict[str, Any]) -> str:
    """A token of algorithm none."""
    parts = [{"alg": "none", "typ": "JWT"}, content]
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."


@pytest.fixture
def shared(app: Flask) -> Flask:
    """An issuer that shares a secret with us."""
    app.config.update(
        AGING_JWT_ISSUER=ISSUER, AGING_JWT_AUDIENCE=AUDIENCE, AGING_JWT_ALGORITHM="HS256", AGING_JWT_SECRET=SECRET
    )
    return app


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_token_nothing(app: Flask, route: str) -> None:
    assert status(app, "", route) == 401
    assert status(app, "nonsense", route) == 401


def test_the_part_decides_with_our_own_tokens(app: Flask, cast: Cast) -> None:
    # 409: they may, but no ERP is set up here.
    for person, see, fetch in (
        (cast.ayse, 200, 409),
        (cast.gul, 200, 409),
        (cast.burak, 200, 403),
        (cast.fatma, 403, 403),
        (cast.cem, 403, 403),
    ):
        token = api(app, person).token
        assert status(app, token) == see, person.email
        assert status(app, token, f"{CUSTOMERS}/fetch-hana-data/") == fetch, person.email


def test_the_issuers_token_is_good_and_ours_no_longer(shared: Flask, cast: Cast) -> None:
    assert status(shared, jwt.encode(claims(), SECRET)) == 200
    assert status(shared, jwt.encode(claims(aud=["x", AUDIENCE]), SECRET)) == 200
    assert status(shared, api(shared, cast.ayse).token) == 401


BAD: dict[str, Callable[[], str]] = {
    "expired": lambda: jwt.encode(claims(exp=int(time.time()) - 5), SECRET),
    "for ever": lambda: jwt.encode(claims(exp=None), SECRET),
    "of another issuer": lambda: jwt.encode(claims(iss="https://baska.example"), SECRET),
    "of no issuer": lambda: jwt.encode(claims(iss=None), SECRET),
    "for another audience": lambda: jwt.encode(claims(aud="baska"), SECRET),
    "for no audience": lambda: jwt.encode(claims(aud=None), SECRET),
    "not yet": lambda: jwt.encode(claims(nbf=int(time.time()) + 100), SECRET),
    "with another secret": lambda: jwt.encode(claims(), "x" * 40),
    "with another algorithm": lambda: jwt.encode(claims(), SECRET * 2, algorithm="HS512"),
    "unsigned": lambda: unsigned(claims()),
    "unsigned, None": lambda: unsigned(claims()).replace("none", "None"),
    "changed": lambda: jwt.encode(claims(), SECRET)[:-4] + "AAAA",
    "too long": lambda: jwt.encode(claims(x="y" * 9000), SECRET),
    "not a token": lambda: "a.b.c",
}


@pytest.mark.parametrize("name", BAD)
def test_every_other_token_is_refused(shared: Flask, name: str) -> None:
    assert status(shared, BAD[name]()) == 401


class Published(BaseHTTPRequestHandler):
    """Where the issuer publishes its keys."""

    keys: ClassVar[list[dict[str, Any]]] = []
    asked = 0
    broken = False

    def do_GET(self) -> None:
        type(self).asked += 1
        body = b"oops" if self.broken else json.dumps({"keys": self.keys}).encode()
        self.send_response(500 if self.broken else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def key(name: str) -> tuple[rsa.RSAPrivateKey, dict[str, Any]]:
    """A private key, and how it is published."""
    private = rsa.generate_private_key(65537, 2048)
    public: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return private, {**public, "kid": name, "alg": "RS256", "use": "sig"}


@pytest.fixture
def published(app: Flask) -> Iterator[type[Published]]:
    """An issuer that publishes its keys."""
    server = HTTPServer(("127.0.0.1", 0), Published)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Published.keys, Published.asked, Published.broken = [], 0, False
    app.config.update(
        AGING_JWT_ISSUER=ISSUER,
        AGING_JWT_AUDIENCE=AUDIENCE,
        AGING_JWT_ALGORITHM="RS256",
        AGING_JWT_JWKS_URL=f"http://127.0.0.1:{server.server_port}/jwks.json",
    )
    yield Published
    server.shutdown()


def test_published_keys_are_asked_for_once_and_changed_keys_are_found(
    app: Flask, published: type[Published], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer, "ASK_AGAIN_SECONDS", 0)
    (old, old_public), (new, new_public) = key("2025"), key("2026")
    published.keys = [old_public]
    for _ in range(3):
        assert status(app, jwt.encode(claims(), old, "RS256", {"kid": "2025"})) == 200
    assert published.asked == 1
    published.keys = [new_public]
    assert status(app, jwt.encode(claims(), new, "RS256", {"kid": "2026"})) == 200
    assert status(app, jwt.encode(claims(), old, "RS256", {"kid": "2025"})) == 401


def test_a_made_up_key_name_does_not_make_us_ask_every_time(app: Flask, published: type[Published]) -> None:
    private, public = key("2025")
    published.keys = [public]
    assert status(app, jwt.encode(claims(), private, "RS256", {"kid": "2025"})) == 200
    for n in range(5):
        assert status(app, jwt.encode(claims(), private, "RS256", {"kid": f"x{n}"})) == 401
    assert published.asked == 1


def test_the_public_key_is_no_secret_to_sign_with(app: Flask, published: type[Published]) -> None:
    """The oldest trick: sign with HS256 and the published key."""
    _private, public = key("2025")
    published.keys = [
        public,
        {"kty": "oct", "kid": "sym", "k": base64.urlsafe_b64encode(b"s" * 32).decode(), "alg": "HS256"},
    ]
    forged = jwt.encode(claims(), base64.urlsafe_b64decode(public["n"] + "=="), "HS256", {"kid": "2025"})
    assert status(app, forged) == 401
    assert status(app, jwt.encode(claims(), b"s" * 32, "HS256", {"kid": "sym"})) == 401
    assert status(app, unsigned(claims())) == 401


def test_an_issuer_that_is_away_is_a_503_and_known_keys_go_on(
    app: Flask, published: type[Published], monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = key("2025")
    token = jwt.encode(claims(), private, "RS256", {"kid": "2025"})
    published.broken = True
    assert status(app, token) == 503
    published.broken, published.keys = False, [public]
    assert status(app, token) == 200
    published.broken = True
    monkeypatch.setattr(issuer, "KEYS_LAST_SECONDS", 0)
    assert status(app, token) == 200


def test_half_an_issuer_does_not_start(settings: Settings) -> None:
    env = {
        "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "SECRET_KEY": "s" * 32,
        "JWT_SECRET": "j" * 32, "CRON_SECRET": "c" * 16, "PORTAL_URL": "http://localhost",
        "IYZICO_BASE_URL": "http://localhost", "IYZICO_API_KEY": "k", "IYZICO_SECRET_KEY": "s",
    }  # fmt: skip
    good = {"AGING_JWT_ISSUER": ISSUER, "AGING_JWT_AUDIENCE": AUDIENCE, "AGING_JWT_SECRET": SECRET}
    assert Settings.from_env(env).aging_jwt_issuer == ""
    assert Settings.from_env({**env, **good}).aging_jwt_algorithm == "HS256"
    for wrong in (
        {**good, "AGING_JWT_AUDIENCE": ""}, {**good, "AGING_JWT_SECRET": "short"}, {**good, "AGING_JWT_ALGORITHM": "none"},
        {**good, "AGING_JWT_ALGORITHM": "RS256"}, {"AGING_JWT_SECRET": SECRET},
        {**good, "AGING_JWT_ALGORITHM": "RS256", "AGING_JWT_JWKS_URL": "http://erp.example/keys"},
        {"AGING_WHEN_SUSPICIOUS": "perhaps"},
    ):  # fmt: skip
        with pytest.raises(WrongSettings):
            Settings.from_env({**env, **wrong})
