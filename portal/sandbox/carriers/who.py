"""Whom the sandbox's carriers let in."""

from __future__ import annotations

YURTICI_USER = YURTICI_PASSWORD = "sandbox"  # noqa: S105 (no secret)
ARAS_USER = ARAS_PASSWORD = "sandbox"  # noqa: S105 (no secret)
ARAS_CUSTOMER_CODE = "1"
MOCK_TOKEN = "sandbox-mock-token"  # noqa: S105 (no secret)
MOCK_WEBHOOK_SECRET = "sandbox-mock-secret"  # noqa: S105 (no secret)
