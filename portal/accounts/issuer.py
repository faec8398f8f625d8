"""Tokens somebody else signs: the ERP's own sign-in service opens the ERP's routes (spec §5).

One algorithm, chosen by us and never by the token; issuer, audience and expiry always required.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any, NamedTuple

import httpx
import jwt
from flask import current_app, request
from flask_babel import lazy_gettext as _l

from portal.core.actor import Actor
from portal.core.errors import NotSignedIn, Refusal
from portal.core.unit_of_work import assert_nothing_open

LONGEST_TOKEN = 8192
KEYS_LAST_SECONDS = 600
ASK_AGAIN_SECONDS = 30  # a made-up key id must not make us ask the issuer at every request
PATIENCE_SECONDS = 3


class BearerRefused(NotSignedIn):
    """No token, or one that is not good here; which of the two, and why, is nobody's business."""

    def __init__(self) -> None:
        super().__init__(_l("A valid token is needed."))
        self.details = {"status": "error"}


class IssuerAway(Refusal):
    """The issuer's keys cannot be had: nobody can be told from a stranger."""

    status = 503
    code = "issuer_away"

    def __init__(self) -> None:
        super().__init__(_l("The sign-in service does not answer. Please try again."), status="error", retry_after=5)


class Issuer(NamedTuple):
    """Who signs, for whom, and how it is checked."""

    name: str
    audience: str
    algorithm: str
    secret: str
    jwks_url: str


def configured() -> Issuer | None:
    """The issuer of the ERP's tokens; None where our own token route serves."""
    config = current_app.config
    if not config["AGING_JWT_ISSUER"]:
        return None
    return Issuer(
        config["AGING_JWT_ISSUER"],
        config["AGING_JWT_AUDIENCE"],
        config["AGING_JWT_ALGORITHM"],
        config["AGING_JWT_SECRET"],
        config["AGING_JWT_JWKS_URL"],
    )


def bearer(issuer: Issuer) -> Actor:
    """Who asks, by the token of this request. Refuses with `BearerRefused` and `IssuerAway`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN:
        raise BearerRefused
    try:
        claims = jwt.decode(
            token,
            _key(issuer, token),
            algorithms=[issuer.algorithm],
            issuer=issuer.name,
            audience=issuer.audience,
            options={"require": ["exp", "iss", "aud"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        raise BearerRefused from None
    return Actor(f"{str(claims.get('sub', '?'))[:80]} ({issuer.name[:80]})")


def _key(issuer: Issuer, token: str) -> Any:
    if issuer.algorithm == "HS256":
        return issuer.secret
    header = jwt.get_unverified_header(token)
    if header.get("alg") != issuer.algorithm:
        raise BearerRefused
    return _keys_of(issuer.jwks_url).named(str(header.get("kid", "")))


class _Keys:
    """An issuer's published keys, kept for ten minutes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: dict[str, Any] = {}
        self.good_until = self.ask_after = 0.0
        self.lock = threading.Lock()

    def named(self, kid: str) -> Any:
        """The key of that name. A name we do not know makes us look again, but not often."""
        with self.lock:
            now = monotonic()
            if now >= self.good_until or (kid not in self.keys and now >= self.ask_after):
                self._ask(now)
            if kid not in self.keys:
                raise BearerRefused
            return self.keys[kid]

    def _ask(self, now: float) -> None:
        assert_nothing_open()
        self.ask_after = now + ASK_AGAIN_SECONDS
        try:
            answer = httpx.get(self.url, timeout=PATIENCE_SECONDS, follow_redirects=False).raise_for_status()
            found = jwt.PyJWKSet.from_dict(answer.json())
        except (httpx.HTTPError, jwt.PyJWTError, ValueError, TypeError, AttributeError):
            # Keys we know stay good a while: the issuer's bad minute need not be ours.
            if not self.keys:
                raise IssuerAway from None
            self.good_until = now + ASK_AGAIN_SECONDS
            return
        self.keys = {str(key.key_id or ""): key.key for key in found.keys}
        self.good_until = now + KEYS_LAST_SECONDS


_known: dict[str, _Keys] = {}


def _keys_of(url: str) -> _Keys:
    return _known.setdefault(url, _Keys(url))
