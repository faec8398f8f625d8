"""SCRAMSHA256, the server's side: the password itself never travels."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from portal.sandbox.hana.wire import fields

METHOD = b"SCRAMSHA256"


class WrongPassword(Exception):
    """The proof does not fit."""


class SignIn:
    """One sign-in: a challenge, and the proof that answers it."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user.upper(), password.encode()
        self.salt, self.challenge = secrets.token_bytes(16), secrets.token_bytes(48)
        self.said = b""  # the client's own challenge
        self.name = ""

    def begin(self, said: list[bytes]) -> list[bytes]:
        """The client names itself and the methods it knows; we pick ours."""
        self.name = said[0].decode("utf-8", "replace")
        methods = dict(zip(said[1::2], said[2::2], strict=False))
        self.said = methods.get(METHOD, b"")
        return [METHOD, fields([self.salt, self.challenge])]

    def finish(self, said: list[bytes]) -> list[bytes]:
        """Refuses a proof that was not made with the password."""
        proof = said[2][-32:] if len(said) > 2 else b""
        if self.name.upper() != self.user or not hmac.compare_digest(proof, self._expected()):
            raise WrongPassword
        return [METHOD, b""]

    def _expected(self) -> bytes:
        key = _sha(_mac(self.password, self.salt))
        signature = _mac(_sha(key), self.salt + self.challenge + self.said)
        return bytes(a ^ b for a, b in zip(key, signature, strict=True))


def _sha(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
