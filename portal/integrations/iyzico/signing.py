"""How iyzico signs: requests (IYZWSv2), answers, and webhooks (V3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from decimal import Decimal


def _hex(secret_key: str, message: bytes) -> str:
    return hmac.new(secret_key.encode(), message, hashlib.sha256).hexdigest()


def request_signature(secret_key: str, random_key: str, path: str, body: bytes) -> str:
    """Over the very bytes that are sent; the path goes without its query string."""
    return _hex(secret_key, random_key.encode() + path.encode() + body)


def authorization(api_key: str, secret_key: str, random_key: str, path: str, body: bytes) -> str:
    """The Authorization header of a request."""
    signature = request_signature(secret_key, random_key, path, body)
    plain = f"apiKey:{api_key}&randomKey:{random_key}&signature:{signature}"
    return "IYZWSv2 " + base64.b64encode(plain.encode()).decode()


def plain_number(value: object) -> str:
    """Amounts lose their trailing zeros before they are signed: 10.50 is 10.5, and 10.00 is 10."""
    if not isinstance(value, Decimal | int):
        return str(value)
    written = format(Decimal(value), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def answer_signature(secret_key: str, values: list[object]) -> str:
    """Over an answer's values in the order the documentation gives for its endpoint."""
    return _hex(secret_key, ":".join(plain_number(value) for value in values).encode())


def webhook_signature(secret_key: str, *parts: str) -> str:
    """V3: the secret is both the key and the first part of the message; no separators."""
    return _hex(secret_key, (secret_key + "".join(parts)).encode())
