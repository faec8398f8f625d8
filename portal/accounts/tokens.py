"""Bearer tokens: JWT, one algorithm, every claim required."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
from flask import current_app

ALGORITHM = "HS256"
CLAIMS = ["exp", "iat", "iss", "aud", "jti", "sub"]


def encode(person_id: int, jti: str) -> tuple[str, datetime, int]:
    """The token, when it ends, and in how many seconds. Real time, never the demo clock's."""
    config = current_app.config
    seconds = 60 * int(config["TOKEN_MINUTES"])
    now = datetime.now(UTC)
    ends = now + timedelta(seconds=seconds)
    claims = {
        "sub": str(person_id),
        "jti": jti,
        "iat": now,
        "exp": ends,
        "iss": config["JWT_ISSUER"],
        "aud": config["JWT_AUDIENCE"],
    }
    return jwt.encode(claims, config["JWT_SECRET"], algorithm=ALGORITHM), ends, seconds


def decode(token: str) -> tuple[int, str] | None:
    """Person and token id of a good token; None for every other."""
    config = current_app.config
    if len(token) > 4096:
        return None
    try:
        claims = jwt.decode(
            token,
            config["JWT_SECRET"],
            algorithms=[ALGORITHM],
            issuer=config["JWT_ISSUER"],
            audience=config["JWT_AUDIENCE"],
            options={"require": CLAIMS},
        )
        return int(claims["sub"]), str(claims["jti"])
    except (jwt.InvalidTokenError, ValueError):
        return None
