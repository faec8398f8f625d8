"""Which adapter plays which role, by settings."""

from __future__ import annotations

from flask import Flask

from portal.core.ports import cast_role
from portal.escrow.ports import PaymentGateway, WebhookVerifier
from portal.integrations.iyzico.adapter import IyzicoGateway, IyzicoWebhooks
from portal.integrations.iyzico.client import IyzicoClient
from portal.settings import Settings


def cast(app: Flask, settings: Settings) -> None:
    """The payment provider is iyzico; only its base URL differs between the sandbox and the world."""
    client = IyzicoClient(
        base_url=settings.iyzico_base_url,
        api_key=settings.iyzico_api_key,
        secret_key=settings.iyzico_secret_key,
        timeout_seconds=settings.iyzico_timeout_seconds,
    )
    cast_role(app, PaymentGateway, IyzicoGateway(client))
    cast_role(app, WebhookVerifier, IyzicoWebhooks(settings.iyzico_secret_key))
