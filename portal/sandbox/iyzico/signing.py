"""iyzico's signatures, from their side: written apart from the portal's, so that one mistake can't hide in both."""

from __future__ import annotations

import hmac
from base64 import b64decode
from decimal import Decimal


class BadSignature(Exception):
    """Code and words of the refusal."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


def _sha256(secret: str, text: bytes) -> str:
    return hmac.digest(secret.encode(), text, "sha256").hex()


def verify(header: str, path: str, body: bytes, *, api_key: str, secret: str) -> None:
    """Refuse a request that our merchant did not sign: 1001 for an unknown key, 1000 for a wrong signature."""
    scheme, _, encoded = header.partition(" ")
    try:
        fields = dict(part.split(":", 1) for part in b64decode(encoded, validate=True).decode().split("&"))
    except (ValueError, UnicodeDecodeError):
        raise BadSignature("1000", "Geçersiz imza") from None
    if scheme != "IYZWSv2" or fields.get("apiKey") != api_key:
        raise BadSignature("1001", "api bilgileri bulunamadı")
    expected = _sha256(secret, fields.get("randomKey", "").encode() + path.encode() + body)
    if not hmac.compare_digest(expected, fields.get("signature", "")):
        raise BadSignature("1000", "Geçersiz imza")


def _trimmed(value: object) -> str:
    if isinstance(value, Decimal):
        value = value.normalize()
        return f"{value:f}"
    return str(value)


def of_answer(secret: str, *values: object) -> str:
    """The `signature` field of an answer."""
    return _sha256(secret, ":".join(map(_trimmed, values)).encode())


def of_webhook(secret: str, *parts: str) -> str:
    """X-IYZ-SIGNATURE-V3."""
    return _sha256(secret, "".join((secret, *parts)).encode())
