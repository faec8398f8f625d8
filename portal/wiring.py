"""Which adapter plays which role, by settings."""

from __future__ import annotations

from flask import Flask

from portal.core.ports import cast_role
from portal.despatch.ports import DespatchOffice
from portal.escrow.ports import PaymentGateway, WebhookVerifier
from portal.integrations.aras.adapter import ArasCarrier
from portal.integrations.aras.client import ArasClient
from portal.integrations.iyzico.adapter import IyzicoGateway, IyzicoWebhooks
from portal.integrations.iyzico.client import IyzicoClient
from portal.integrations.ledgers import ledger_sources
from portal.integrations.manual.adapter import ManualCarrier
from portal.integrations.mock_carrier.adapter import MockCarrier, MockWebhooks
from portal.integrations.mock_carrier.client import MockClient
from portal.integrations.n11.adapter import N11Storefront
from portal.integrations.n11.client import N11Client
from portal.integrations.nilvera.adapter import NilveraOffice
from portal.integrations.nilvera.client import NilveraClient
from portal.integrations.smtp.adapter import SmtpPostOffice
from portal.integrations.trendyol.adapter import TrendyolStorefront, TrendyolWebhooks
from portal.integrations.trendyol.client import TrendyolClient
from portal.integrations.trendyol.limits import NO_LIMITS, Limits
from portal.integrations.yurtici.adapter import YurticiCarrier
from portal.integrations.yurtici.client import YurticiClient
from portal.mail.ports import PostOffice
from portal.marketplace.ports import Storefront, Storefronts, StorefrontWebhooks
from portal.receivables.ports import LedgerSources
from portal.settings import Settings
from portal.shipping.ports import Carrier, Carriers, CarrierWebhooks


def cast(app: Flask, settings: Settings) -> None:
    """Only base URLs differ between the sandbox and the world."""
    client = IyzicoClient(
        base_url=settings.iyzico_base_url,
        api_key=settings.iyzico_api_key,
        secret_key=settings.iyzico_secret_key,
        timeout_seconds=settings.iyzico_timeout_seconds,
    )
    cast_role(app, PaymentGateway, IyzicoGateway(client))
    cast_role(app, WebhookVerifier, IyzicoWebhooks(settings.iyzico_secret_key))
    cast_role(app, Carriers, Carriers({c.code: c for c in _carriers(settings)}, _carrier_webhooks(settings)))
    cast_role(
        app, Storefronts, Storefronts({s.code: s for s in _storefronts(settings)}, _storefront_webhooks(settings))
    )
    office = NilveraClient(
        base_url=settings.nilvera_base_url,
        api_key=settings.nilvera_api_key,
        timeout_seconds=settings.provider_timeout_seconds,
    )
    cast_role(app, DespatchOffice, NilveraOffice(office))
    post_office = SmtpPostOffice(
        host=settings.smtp_host,
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password,
        security=settings.smtp_security,
        sender=settings.smtp_sender,
        timeout_seconds=settings.smtp_timeout_seconds,
    )
    cast_role(app, PostOffice, post_office)
    cast_role(app, LedgerSources, ledger_sources(settings.erp))


def _carriers(settings: Settings) -> list[Carrier]:
    """Those that have an address, and one's own van."""
    patience = settings.provider_timeout_seconds
    found: list[Carrier] = [ManualCarrier()]
    if settings.yurtici_base_url:
        found.append(
            YurticiCarrier(
                YurticiClient(
                    base_url=settings.yurtici_base_url,
                    user=settings.yurtici_user,
                    password=settings.yurtici_password,
                    timeout_seconds=patience,
                )
            )
        )
    if settings.aras_order_url:
        found.append(
            ArasCarrier(
                ArasClient(
                    order_url=settings.aras_order_url,
                    query_url=settings.aras_query_url,
                    user=settings.aras_user,
                    password=settings.aras_password,
                    customer_code=settings.aras_customer_code,
                    timeout_seconds=patience,
                )
            )
        )
    if settings.mock_carrier_base_url:
        found.append(
            MockCarrier(
                MockClient(
                    base_url=settings.mock_carrier_base_url,
                    token=settings.mock_carrier_token,
                    timeout_seconds=patience,
                )
            )
        )
    return found


def _carrier_webhooks(settings: Settings) -> dict[str, CarrierWebhooks]:
    """Neither Yurtiçi nor Aras sends any (facts: carriers)."""
    secret = settings.mock_carrier_webhook_secret
    return {"mock": MockWebhooks(secret)} if settings.mock_carrier_base_url and secret else {}


def _storefronts(settings: Settings) -> list[Storefront]:
    """Those that have an address."""
    found: list[Storefront] = []
    if settings.trendyol_base_url:
        found.append(TrendyolStorefront(_trendyol(settings)))
    if settings.n11_base_url:
        n11 = N11Client(
            base_url=settings.n11_base_url,
            app_key=settings.n11_app_key,
            app_secret=settings.n11_app_secret,
            timeout_seconds=settings.provider_timeout_seconds,
        )
        found.append(N11Storefront(n11))
    return found


def _trendyol(settings: Settings) -> TrendyolClient:
    return TrendyolClient(
        base_url=settings.trendyol_base_url,
        seller_id=settings.trendyol_seller_id,
        api_key=settings.trendyol_api_key,
        api_secret=settings.trendyol_api_secret,
        integrator=settings.trendyol_integrator,
        timeout_seconds=settings.provider_timeout_seconds,
        limits=Limits() if settings.trendyol_limits else NO_LIMITS,
    )


def _storefront_webhooks(settings: Settings) -> dict[str, StorefrontWebhooks]:
    """Only Trendyol sends any (facts: next marketplaces)."""
    if not settings.trendyol_base_url:
        return {}
    trendyol = TrendyolWebhooks(
        user=settings.trendyol_webhook_user,
        password=settings.trendyol_webhook_password,
        api_key=settings.trendyol_webhook_api_key,
        client=_trendyol(settings),
    )
    return {"trendyol": trendyol}
