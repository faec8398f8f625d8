"""create_app(): reads as a table of contents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, g, get_flashed_messages, request
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import cli, navigation, wiring
from portal.accounts import api as accounts_api
from portal.accounts import guard
from portal.accounts import views as accounts_views
from portal.accounts.guard import open_to_the_world
from portal.accounts.roles import ROLE_NAMES, Permission
from portal.accounts.sessions import RowSessions
from portal.commission.states import (
    ACT_NAMES,
    BATCH,
    COMMISSION_DISPUTE,
    CORRECTION,
    DEAL,
    ENTRY_WORDS,
    LOCK,
    POLICY,
    RELEASE,
    RESOLUTION_WORDS,
    ROLE_WORDS,
    ROUNDING_WORDS,
    SNAPSHOT,
    SOURCE_WORDS,
    SUBJECT_NAMES,
)
from portal.core import api, formats, i18n, limits, logs, queue, refusals, web
from portal.core.database import bound_transactions, db
from portal.despatch.states import NOTE, VERDICT_NAMES
from portal.disputes.states import DISPUTE, PROBLEM_NAMES, RESOLUTION_NAMES
from portal.escrow.states import HOLD, PAYMENT, REFUND
from portal.inbox.states import MESSAGE
from portal.ledger.models import ACCOUNT_NAMES, ENTRY_NAMES
from portal.mail.states import MAIL
from portal.marketplace.states import CHECKED_MEANINGS, EAR_MEANINGS, PACKAGE, RETURN
from portal.orders.states import ORDER, PAYOUT
from portal.outbox.states import INTENT
from portal.passport import views as passport
from portal.portals import (
    admin,
    aging,
    aging_api,
    buyer,
    commission,
    commission_deals,
    commission_desk,
    commission_hands,
    commission_money,
    commission_periods,
    commission_snapshots,
    cron,
    disputes,
    doorstep,
    finance,
    goods,
    health,
    labels,
    marketplace,
    media,
    my_commission,
    network,
    packing,
    packing_scans,
    packing_tools,
    post,
    privacy,
    push,
    reports,
    schedules,
    seller,
    stockroom,
    warehouse,
    webhooks,
)
from portal.schedules.words import timing_in_words
from portal.settings import Settings
from portal.shipping.states import PARCEL, TRACKED_MEANINGS
from portal.stock import commands as stock_commands
from portal.stock import models as stock_models
from portal.stock.states import MOVEMENT_NAMES
from portal.workflows.payouts import FINDING_NAMES
from portal.workflows.provider_calls import ABOUT_NAMES, OPERATION_NAMES

ROOT = Path(__file__).resolve().parent.parent
csrf = CSRFProtect()


def create_app(settings: Settings | None = None) -> Flask:
    """The portal, by its settings (from the environment unless given)."""
    settings = settings or Settings.from_env()
    app = Flask("portal", static_folder=str(ROOT / "static"), template_folder=str(ROOT / "templates"))
    configure(app, settings)
    logs.init(
        secrets=settings.secrets,
        folder=settings.log_folder,
        file_mb=settings.log_file_mb,
        files_kept=settings.log_files_kept,
        as_json=settings.log_json,
    )
    logs.keep_troubles(settings.database_url)
    db.init_app(app)
    with app.app_context():
        bound_transactions(db.engine)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    queue.connect(app, settings.redis_url)
    i18n.init(app)
    limits.init(app, settings.redis_url)
    Htmx(app)
    app.session_interface = RowSessions()
    guard.init(app)
    csrf.init_app(app)
    web.init(app)
    refusals.init(app)
    add_filters(app)
    wiring.cast(app, settings)
    warehouse_people = (warehouse, packing, packing_scans, packing_tools, marketplace, stockroom, goods, push, media)
    desk_people = (finance, aging, admin, schedules, reports, post, privacy, my_commission)
    people = (buyer, seller, *warehouse_people, *desk_people, disputes, doorstep, labels)
    for blueprint in (passport.bp, accounts_views.bp, *(part.bp for part in people)):
        app.register_blueprint(blueprint)
    # One blueprint in six files, for people and for machines: it asks for the form's token itself.
    assert commission and commission_deals and commission_snapshots and commission_money and commission_periods
    assert commission_hands
    csrf.exempt(commission_desk.bp)
    app.register_blueprint(commission_desk.bp)
    aging_machines = (aging_api.customers, aging_api.suppliers)
    for machine in (health.bp, accounts_api.bp, network.bp, webhooks.bp, cron.bp, *aging_machines):
        csrf.exempt(machine)
        app.register_blueprint(machine)
    own_routes(app)
    app.before_request(remember_language)
    app.context_processor(for_templates)
    cli.register(app)
    assert stock_models  # its tables are compared with the migrations before anything else asks for them
    stock_commands.register(app)
    guard.check_doors(app)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Settings as the extensions want to read them."""
    app.config.update(
        {name.upper(): getattr(settings, name) for name in settings.__dataclass_fields__ if name != "database_url"},
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_size": settings.database_pool,
            "max_overflow": settings.database_pool,
            "pool_timeout": 10,
            "hide_parameters": True,  # an error's text must not carry what people typed
            "connect_args": {
                "connect_timeout": 5,
                "options": "-c statement_timeout=15000 -c lock_timeout=8000"
                " -c idle_in_transaction_session_timeout=30000 -c timezone=UTC",
            },
        },
        PAYMENT_PROVIDER="iyzico",
        DESPATCH_PROVIDER="nilvera",
        IYZICO_PAGE_ORIGIN=settings.sandbox_url or "https://sandbox-cpp.iyzipay.com",
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        SESSION_COOKIE_NAME="__Host-emanet" if settings.https else "emanet",
        SESSION_COOKIE_SECURE=settings.https,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def own_routes(app: Flask) -> None:
    """What belongs to no domain: the pulse, the API's own description."""

    @app.get("/healthz")
    @open_to_the_world("a load balancer has no name")
    def healthz() -> Response:
        db.session.execute(text("SELECT 1"))
        return Response("ok", mimetype="text/plain")

    @app.get("/favicon.ico")
    @open_to_the_world("browsers ask for it whatever the page says")
    def favicon() -> Response:
        return app.send_static_file("icon.svg")

    @app.get("/api/openapi.json")
    @open_to_the_world("the description of the API holds no data")
    def openapi() -> Response:
        return api.reply(api.openapi(app))


def remember_language() -> None:
    """Somebody's own choice of language goes before the browser's."""
    if guard.is_api():
        return  # a machine's name is only asked for where it matters: health must answer without a database
    person = guard.somebody()
    if person is not None:
        g.language = person.language


def for_templates() -> dict[str, Any]:
    """What every page may use."""
    person = guard.somebody()
    return {
        "lang": i18n.language(),
        "theme": person.theme if person else request.cookies.get("theme", "system"),
        "me": person,
        "role_names": ROLE_NAMES,
        "navigation": navigation.items_for(person) if person else [],
        "may": guard.may,
        "Permission": Permission,
        "toasts": get_flashed_messages(with_categories=True),
    }


def add_filters(app: Flask) -> None:
    """How figures, dates and states are written on pages."""
    app.jinja_env.filters.update(
        money=formats.money,
        day=formats.day,
        instant=formats.instant,
        percent=formats.percent,
        pieces=formats.pieces,
        rate=formats.rate,
        iban=formats.iban,
        seconds=formats.seconds,
        told=i18n.told,
        timing=timing_in_words,
        account=lambda name: formats.account(name, ACCOUNT_NAMES),
        entry=formats.named(ENTRY_NAMES),
        finding=formats.named(FINDING_NAMES),
        operation=formats.named(OPERATION_NAMES),
        movement=formats.named({kind.value: name for kind, name in MOVEMENT_NAMES.items()}),
        act=formats.named(ACT_NAMES),
        subject=formats.named(SUBJECT_NAMES),
        about=formats.named(ABOUT_NAMES),
    )
    app.jinja_env.globals.update(
        ORDER=ORDER,
        PAYOUT=PAYOUT,
        PARCEL=PARCEL,
        HOLD=HOLD,
        PAYMENT=PAYMENT,
        REFUND=REFUND,
        MESSAGE=MESSAGE,
        INTENT=INTENT,
        MAIL=MAIL,
        DISPUTE=DISPUTE,
        NOTE=NOTE,
        PROBLEM_NAMES=PROBLEM_NAMES,
        RESOLUTION_NAMES=RESOLUTION_NAMES,
        VERDICT_NAMES=VERDICT_NAMES,
        TRACKED=TRACKED_MEANINGS,
        STOREFRONT_PACKAGE=PACKAGE,
        RETURN=RETURN,
        CHECKED=CHECKED_MEANINGS,
        EARS=EAR_MEANINGS,
        DEAL=DEAL,
        POLICY=POLICY,
        SNAPSHOT=SNAPSHOT,
        BATCH=BATCH,
        CORRECTION=CORRECTION,
        PERIOD_LOCK=LOCK,
        LOCK_RELEASE=RELEASE,
        COMMISSION_DISPUTE=COMMISSION_DISPUTE,
        ROLE_WORDS=ROLE_WORDS,
        SOURCE_WORDS=SOURCE_WORDS,
        ROUNDING_WORDS=ROUNDING_WORDS,
        ENTRY_WORDS=ENTRY_WORDS,
        RESOLUTION_WORDS=RESOLUTION_WORDS,
    )
