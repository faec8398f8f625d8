"""What a clock outside may start: guarded by a secret, and harmless when started twice."""

from __future__ import annotations

import hmac

import msgspec
from flask import Blueprint, Response, abort, current_app, request

from portal.accounts.guard import open_to_the_world
from portal.core import clock
from portal.core.actor import Actor
from portal.core.api import answers, reply
from portal.core.unit_of_work import atomic
from portal.workflows import marketplace_jobs, payouts, tracking

bp = Blueprint("cron", __name__)

CRON = Actor("cron")


class ReconciliationDone(msgspec.Struct):
    """What the run found; counts by what was found."""

    run: int
    findings: dict[str, int]


class SyncStarted(msgspec.Struct):
    """How many parcels will be asked about."""

    parcels: int


class StorefrontsAsked(msgspec.Struct):
    """How many storefronts will be read, and compared with what we keep."""

    storefronts: int


class ClockMoved(msgspec.Struct, forbid_unknown_fields=True):
    """How far the demo clock stands from the real one, in seconds; forward only, ten years at most."""

    shift_seconds: int


@bp.route("/api/cron/payout-reconciliation", methods=["GET", "POST"])
@open_to_the_world("guarded by the cron secret")
@answers(200, ReconciliationDone, summary="Reconcile payouts now (needs X-Cron-Secret)")
def payout_reconciliation() -> Response:
    """Ask the provider about every completed order whose money has not left, and repair; never twice."""
    _only_with_the_secret()
    run = payouts.reconcile(by=CRON)
    return reply(ReconciliationDone(run.pop("run"), run))


@bp.route("/api/cron/shipment-sync", methods=["GET", "POST"])
@open_to_the_world("guarded by the cron secret")
@answers(200, SyncStarted, summary="Ask the carriers about every parcel on its way (needs X-Cron-Secret)")
def shipment_sync() -> Response:
    """Every parcel on its way is due for asking now; the workers ask, with their usual patience."""
    _only_with_the_secret()
    return reply(SyncStarted(tracking.sync_now(by=CRON)))


@bp.route("/api/cron/marketplace-orders", methods=["GET", "POST"])
@open_to_the_world("guarded by the cron secret")
@answers(200, StorefrontsAsked, summary="Read every storefront's orders now (needs X-Cron-Secret)")
def marketplace_orders() -> Response:
    """Every storefront is due for reading now; the workers read, within its limits, and nothing twice."""
    _only_with_the_secret()
    return reply(StorefrontsAsked(marketplace_jobs.ask_everybody()))


@bp.post("/api/demo/clock")
@open_to_the_world("guarded by the cron secret; the demo company only")
@answers(200, ClockMoved, body=ClockMoved, summary="Move the demo company's clock (needs X-Cron-Secret)")
def demo_clock(body: ClockMoved) -> Response:
    """The sandbox moves its time, and ours with it. Exists only for the demo company."""
    if not current_app.config["DEMO"]:
        abort(404)
    _only_with_the_secret()
    if not 0 <= body.shift_seconds <= 10 * 366 * 86400:
        abort(422)
    with atomic():
        clock.move_to(body.shift_seconds)
    return reply(body)


def _only_with_the_secret() -> None:
    given = request.headers.get("X-Cron-Secret", "")
    if not hmac.compare_digest(given.encode(), current_app.config["CRON_SECRET"].encode()):
        abort(401)
