"""Messages from providers: checked, stored, answered. Nobody thinks here (spec §1, inbox)."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from loguru import logger
from werkzeug.wrappers import Response as Redirect

from portal.accounts.guard import open_to_the_world
from portal.core.errors import BadInput, NotFound
from portal.core.ports import known, port
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow.ports import WebhookVerifier
from portal.inbox import services as inbox
from portal.marketplace.ports import Storefronts
from portal.orders import queries as orders_queries
from portal.shipping.ports import Carriers

bp = Blueprint("webhooks", __name__)

KEPT_HEADERS = ("Content-Type", "User-Agent", "X-IYZ-SIGNATURE-V3")


@bp.post("/api/webhooks/payments/<provider>")
@open_to_the_world("the provider signs what it sends")
def payments(provider: str) -> Response:
    """Store a payment provider's message. 401 without a row when the signature does not fit; 200 only after the commit."""
    if provider != current_app.config["PAYMENT_PROVIDER"]:
        abort(404)
    body = _capped_body()
    hint = port(WebhookVerifier).open(dict(request.headers), body)
    if hint is None:
        logger.warning("a {} webhook with a wrong signature was turned away", provider)
        abort(401)
    with atomic():
        inbox.store(
            inbox.Arrival(
                provider=provider,
                topic="payments",
                event_type=hint.event_type,
                dedupe_key=hint.dedupe_key,
                aggregate_key=hint.aggregate_key,
                signed=True,
                headers={name: request.headers[name] for name in KEPT_HEADERS if name in request.headers},
                raw_body=body,
            )
        )
    return Response(status=200)


@bp.post("/api/webhooks/shipments/<carrier>")
@open_to_the_world("the carrier signs what it sends")
def shipments(carrier: str) -> Response:
    """Store a carrier's message, as above. Carriers that send none do not exist here."""
    verifier = known(Carriers).webhooks.get(carrier)
    if verifier is None:
        abort(404)
    body = _capped_body()
    hint = verifier.open(dict(request.headers), body)
    if hint is None:
        logger.warning("a {} webhook with a wrong signature was turned away", carrier)
        abort(401)
    with atomic():
        inbox.store(
            inbox.Arrival(
                provider=carrier,
                topic="shipments",
                event_type=hint.event_type,
                dedupe_key=hint.dedupe_key,
                aggregate_key=f"{carrier}:{hint.consignment_key}",
                signed=True,
                headers={name: request.headers[name] for name in KEPT_HEADERS if name in request.headers},
                raw_body=body,
            )
        )
    return Response(status=200)


@bp.post("/api/webhooks/storefronts/<storefront>")
@open_to_the_world("the storefront shows the password or key we gave it")
def storefronts(storefront: str) -> Response:
    """Store a storefront's message, as above. It is a hint without a signature: the package is read again."""
    verifier = known(Storefronts).webhooks.get(storefront)
    if verifier is None:
        abort(404)
    body = _capped_body()
    hint = verifier.open(dict(request.headers), body)
    if hint is None:
        logger.warning("a {} webhook without the right password was turned away", storefront)
        abort(401)
    with atomic():
        inbox.store(
            inbox.Arrival(
                provider=storefront,
                topic="orders",
                event_type=hint.event_type,
                dedupe_key=hint.dedupe_key,
                aggregate_key=f"{storefront}:{hint.package_key}",
                signed=True,
                headers={name: request.headers[name] for name in KEPT_HEADERS if name in request.headers},
                raw_body=body,
            )
        )
    return Response(status=200)


@bp.post("/payments/<provider>/callback")
@open_to_the_world("the buyer's browser comes back from the payment page; it proves nothing and is asked about")
def callback(provider: str) -> Redirect:
    """The buyer is back. A cross-site POST carries no session cookie: the token finds the basket."""
    token = request.form.get("token", "")
    payment = escrow_queries.payment_by_token(token) if 0 < len(token) <= 200 else None
    if payment is None or payment.provider != provider:
        raise NotFound
    with atomic():
        inbox.store(
            inbox.Arrival(
                provider=provider,
                topic="payments",
                event_type="callback",
                dedupe_key=hashlib.sha256(f"callback|{token}".encode()).hexdigest(),
                aggregate_key=f"token:{token}",
                signed=False,
                headers={},
                raw_body=b"",
            )
        )
    checkout = orders_queries.checkout(payment.checkout_id)
    return redirect(url_for("buyer.checkout", public_key=checkout.public_key, returned=1), code=303)


def _capped_body() -> bytes:
    cap: int = current_app.config["WEBHOOK_MAX_BYTES"]
    if request.content_length is None:
        abort(411)
    if request.content_length > cap:
        abort(413)
    if request.mimetype != "application/json":
        abort(415)
    body = request.get_data(cache=False)
    if len(body) > cap:
        raise BadInput
    return body
