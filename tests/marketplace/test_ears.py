"""A storefront that was not answered for too long stops telling; it is asked to go on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text

from jobs import drain
from portal.core.database import db
from portal.core.ports import cast_role, known
from portal.integrations.trendyol.adapter import TrendyolWebhooks
from portal.marketplace.ports import Ear, Storefronts
from portal.sandbox.app import create_sandbox
from portal.sandbox.trendyol import webhooks
from portal.sandbox.world import SandboxSettings
from portal.settings import Settings
from portal.workflows import marketplace_ears, marketplace_jobs
from tests.cast import Cast, sign_in
from tests.marketplace import Street

SYNC = "SELECT ear, ear_note, ear_mended_at IS NOT NULL FROM storefront_sync WHERE storefront = 'trendyol'"
PAGE = "/warehouse/marketplace/listening"


def kept() -> tuple[str, str, bool]:
    """What we wrote down of it."""
    db.session.rollback()
    ear, why, mended = db.session.execute(text(SYNC)).one()
    return ear, why, mended


def ears(street: Street) -> list[str]:
    """Their webhooks, as they stand over there."""
    return [row["status"] for row in street.look("subscriptions")]


def test_what_they_switched_off_is_switched_on_with_the_hourly_comparison(
    app: Flask, cast: Cast, street: Street, settings: Settings
) -> None:
    assert marketplace_ears.keep_listening("trendyol") is Ear.SUBSCRIBED  # the sandbox knows another portal's address
    assert marketplace_ears.keep_listening("trendyol") is Ear.ON
    for row in street.look("subscriptions"):
        street.lever(f"subscriptions/{row['id']}", status="PASSIVE")
    street.order()
    assert street.look("webhooks") == []  # nobody is told
    marketplace_jobs.compare_everybody()
    drain.drain("storefront_orders")
    assert kept() == ("SWITCHED_ON", "", True)
    assert sorted(ears(street)) == ["ACTIVE", "PASSIVE"]
    street.order()
    assert len(street.look("webhooks")) == 1
    page = sign_in(app, cast.cem).get(PAGE)[1]
    assert "Kapatılmıştı, yeniden açıldı" in page
    assert settings.trendyol_webhook_password not in page


def test_a_storefront_that_sends_nothing_is_not_asked(app: Flask) -> None:
    assert marketplace_ears.keep_listening("n11") is None


@pytest.mark.parametrize("mode", ["refuse", "timeout_before_effect", "error_500", "malformed"])
def test_their_mishap_is_written_down_and_the_next_look_mends_it(app: Flask, street: Street, mode: str) -> None:
    street.sandbox.fault("webhooks", mode, provider="trendyol")
    assert marketplace_ears.keep_listening("trendyol") is Ear.TROUBLE
    ear, why, _mended = kept()
    assert ear == "TROUBLE" and why
    assert marketplace_ears.keep_listening("trendyol") in (Ear.ON, Ear.SUBSCRIBED)


def test_an_answer_lost_on_the_way_is_not_a_second_webhook(app: Flask, street: Street) -> None:
    """Their list decides, not what we heard or remember."""
    before = len(street.look("subscriptions"))
    street.sandbox.fault("webhook change", "timeout_after_effect", provider="trendyol")
    assert marketplace_ears.keep_listening("trendyol") is Ear.SUBSCRIBED
    for _again in range(2):
        assert marketplace_ears.keep_listening("trendyol") is Ear.ON
    urls = [row["url"] for row in street.look("subscriptions")]
    assert len(urls) == len(set(urls)) == before + 1


def test_who_agrees_and_does_nothing_is_trouble(app: Flask, street: Street) -> None:
    street.sandbox.fault("webhook change", "timeout_before_effect", provider="trendyol")
    assert marketplace_ears.keep_listening("trendyol") is Ear.TROUBLE
    assert kept()[0] == "TROUBLE"


def test_the_sandbox_gives_up_after_thirteen_tries_and_tells_nobody_any_more() -> None:
    settings = SandboxSettings("key", "secret", "http://127.0.0.1:1", portal_url="http://127.0.0.1:1")
    world = create_sandbox(settings).extensions["world"]
    webhooks._write_down(world, "{}", 3600)  # later than the courier of this world would look
    for number in range(1, webhooks.TRIES + 1):
        assert webhooks.subscriptions(world)[0]["status"] == webhooks.ACTIVE
        row = webhooks.send(world, world.store.all(webhooks.KIND)[0])
        assert (row["tries"], row["done"]) == (number, number == webhooks.TRIES)
    assert webhooks.subscriptions(world)[0]["status"] == webhooks.PASSIVE


def test_without_a_password_nobody_is_asked_to_send_any(app: Flask, street: Street) -> None:
    found = known(Storefronts)
    nameless = replace(found, webhooks={"trendyol": TrendyolWebhooks()})
    cast_role(app, Storefronts, nameless)
    assert marketplace_ears.keep_listening("trendyol") is Ear.TROUBLE
    cast_role(app, Storefronts, found)
