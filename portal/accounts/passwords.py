"""Passwords: argon2id, and never more than two at a time (each takes 19 MiB)."""

from __future__ import annotations

from functools import cache
from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_TWO_AT_A_TIME = Semaphore(2)


def hashed(password: str) -> str:
    """What we keep of a password."""
    with _TWO_AT_A_TIME:
        return _HASHER.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password. A stranger's takes as long as a member's, so the time says nothing."""
    with _TWO_AT_A_TIME:
        try:
            return _HASHER.verify(kept or _nobodys(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    return _HASHER.hash("a password that is nobody's")
