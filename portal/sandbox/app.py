"""The sandbox's web app: one process, many threads."""

from __future__ import annotations

from flask import Flask

from portal.sandbox import carriers, erp, nilvera, smtp, trendyol
from portal.sandbox.control import control
from portal.sandbox.iyzico.api import endpoints
from portal.sandbox.iyzico.books import Books
from portal.sandbox.iyzico.webhooks import start_courier
from portal.sandbox.pages import pages
from portal.sandbox.store import Store
from portal.sandbox.world import SandboxSettings, World


def create_sandbox(settings: SandboxSettings) -> Flask:
    """A world of its own. Without a webhook address its notifications are only collected."""
    app = Flask("portal.sandbox")
    world = World(settings, Store(settings.folder))
    books = Books(world)
    app.extensions["world"] = world
    app.register_blueprint(endpoints(world, books))
    app.register_blueprint(control(world, books))
    app.register_blueprint(pages(world, books))
    for blueprint in (
        *carriers.blueprints(world),
        *nilvera.blueprints(world),
        *smtp.blueprints(world),
        *trendyol.blueprints(world),
    ):
        app.register_blueprint(blueprint)
    app.jinja_env.filters["lira"] = lambda kurus: f"{kurus // 100:,}".replace(",", ".") + f",{kurus % 100:02d} ₺"
    if settings.webhook_url:
        start_courier(world)
        carriers.start_carrier_courier(world)
    if settings.smtp_port is not None:
        app.extensions["post_office"] = smtp.start_post_office(world, "127.0.0.1", settings.smtp_port)
    if settings.hana_port is not None:
        app.extensions["erp"] = erp.start(world)
    return app
