"""Calls to storefronts: Picking, Invoiced, split, cannot supply. After silence the package is read, and tells."""

from __future__ import annotations

from portal.core.ports import CallAnswer, Outcome, port
from portal.core.unit_of_work import atomic
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import services as marketplace
from portal.marketplace.ports import PackageState, Storefront, StorefrontLine, StorefrontPackage, Storefronts
from portal.marketplace.states import ON_THEIR_WAY
from portal.outbox import queries as outbox_queries
from portal.outbox.models import ProviderIntent
from portal.outbox.states import Intent
from portal.workflows.calls import Found, Operation

INVOICED = ON_THEIR_WAY - {PackageState.PICKING}
CUT = frozenset({PackageState.UNPACKED, PackageState.CANCELLED, PackageState.UNSUPPLIED})
OPEN = (Intent.READY, Intent.SENDING, Intent.UNKNOWN)


def _storefront(intent: ProviderIntent) -> Storefront:
    return port(Storefronts).by_code[intent.provider]


def _package(intent: ProviderIntent) -> StorefrontPackage:
    """The package as the adapter wants it, from our books."""
    with atomic():
        kept = marketplace_queries.package(int(intent.subject_id))
        lines = marketplace_queries.lines_of([kept.id])[kept.id]
        return StorefrontPackage(
            package_key=kept.package_key,
            order_number=kept.order_number,
            state=PackageState(kept.state),
            words=kept.words,
            ordered_at=kept.ordered_at,
            changed_at=kept.changed_at,
            lines=tuple(
                StorefrontLine(
                    line.line_key,
                    line.barcode,
                    line.name,
                    line.quantity,
                    line.unit_price_kurus,
                    PackageState(line.state),
                )
                for line in lines
                if line.quantity
            ),
        )


def _picking(intent: ProviderIntent) -> CallAnswer:
    package = _package(intent)
    return _storefront(intent).say_picking(package)


def _invoiced(intent: ProviderIntent) -> CallAnswer:
    """They take it only after Picking: an unanswered Picking goes first."""
    with atomic():
        others = outbox_queries.intents_about(intent.subject_kind, [intent.subject_id])
        first = any(other.operation == "storefront_picking" and other.state in OPEN for other in others)
    if first:
        return CallAnswer(Outcome.NOT_SENT, why="Picking has no answer yet")
    package = _package(intent)
    return _storefront(intent).say_invoiced(package, str(intent.request["invoice_number"]))


def _split(intent: ProviderIntent) -> CallAnswer:
    package = _package(intent)
    lines = {key: [int(n) for n in pieces] for key, pieces in dict(intent.request["lines"]).items()}
    return _storefront(intent).split(package, lines)


def _cannot_supply(intent: ProviderIntent) -> CallAnswer:
    package = _package(intent)
    lines = {key: int(pieces) for key, pieces in dict(intent.request["lines"]).items()}
    return _storefront(intent).cannot_supply(package, lines)


def _reached(intent: ProviderIntent, states: frozenset[PackageState]) -> Found:
    """What they say about the package now. A package that is nowhere any more was certainly not moved on by us."""
    page = _storefront(intent).package(str(intent.request["package_key"]))
    if page.outcome is not Outcome.DONE or not page.packages:
        return Found.NO_ANSWER
    return Found.DONE if page.packages[0].state in states else Found.NOT_DONE


def _done(intent: ProviderIntent, _reference: str) -> None:
    """What becomes of it is heard like everything else; a split, and a cut, soon."""
    if intent.operation in ("storefront_split", "storefront_cannot_supply"):
        marketplace.pull_soon(intent.provider)


def _refused(intent: ProviderIntent, why: str) -> None:
    """They say no: the package is probably not where we believe it is. It is read again, and a person sees why."""
    package = marketplace.hold_package(int(intent.subject_id))
    marketplace.look_at(package, why)
    marketplace.read_again(package)
    if intent.operation in ("storefront_split", "storefront_cannot_supply"):
        package.superseded = bool(marketplace_queries.successors_of(package))


OPERATIONS = {
    "storefront_picking": Operation(
        _picking, lambda intent: _reached(intent, ON_THEIR_WAY), _done, _refused, may_be_sent_again=True
    ),
    "storefront_invoiced": Operation(
        _invoiced, lambda intent: _reached(intent, INVOICED), _done, _refused, may_be_sent_again=True
    ),
    # Sent twice they refuse the second: the package has ended by then.
    "storefront_split": Operation(
        _split, lambda intent: _reached(intent, CUT), _done, _refused, may_be_sent_again=True
    ),
    "storefront_cannot_supply": Operation(
        _cannot_supply, lambda intent: _reached(intent, CUT), _done, _refused, may_be_sent_again=True
    ),
}
