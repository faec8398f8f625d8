"""Disorder: while we read, people buy, cancel, split and ship. In the end we know what they know."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.marketplace.ports import StorefrontPackage
from tests.integrations.trendyol import Twin, a_twin, whole_span

BOTH_WAYS = pytest.mark.parametrize("use_stream", [True, False])
OVERLAP = timedelta(seconds=2)


class Town:
    """Customers and carriers who do not care that somebody is reading."""

    def __init__(self, twin: Twin, seed: int) -> None:
        self.twin, self.dice = twin, random.Random(seed)

    def something_happens(self) -> None:
        """One of the things that happen to orders."""
        deeds: list[Callable[[], object]] = [self.buy, self.cancel_some, self.cancel, self.ship, self.page_fails]
        for deed in self.dice.choices(deeds, k=self.dice.randint(0, 3)):
            deed()

    def buy(self) -> None:
        self.twin.order(("A1", 3), ("B2", 1), times=self.dice.randint(1, 4))

    def somebody(self) -> str:
        still = [row for row in self.twin.look("packages") if row["status"] == "Created"]
        return str(self.dice.choice(still)["shipmentPackageId"])

    def cancel(self) -> None:
        self.twin.lever(f"packages/{self.somebody()}/cancel")

    def cancel_some(self) -> None:
        self.twin.lever(f"packages/{self.somebody()}/cancel", lines=[{"barcode": "A1", "quantity": 1}])

    def ship(self) -> None:
        self.twin.lever(f"packages/{self.somebody()}/status", status="Shipped")

    def page_fails(self) -> None:
        self.twin.fails("orders", self.dice.choice(["error_500", "malformed", "refuse", "error_500_after_effect"]))


def theirs(twin: Twin) -> dict[str, tuple[str, list[tuple[str, int]]]]:
    """What they know: by package, how far it is and what is in it."""
    return {
        str(row["shipmentPackageId"]): (
            row["status"],
            [(line["barcode"], line["quantity"]) for line in row["lines"]],
        )
        for row in twin.look("packages")
    }


def ours(found: dict[str, StorefrontPackage]) -> dict[str, tuple[str, list[tuple[str, int]]]]:
    """What we know, in the same shape."""
    return {key: (row.words, [(line.barcode, line.quantity) for line in row.lines]) for key, row in found.items()}


@BOTH_WAYS
@pytest.mark.parametrize("seed", range(4))
def test_in_the_end_we_know_what_they_know(use_stream: bool, seed: int) -> None:
    twin = a_twin()
    town, store = Town(twin, seed), twin.storefront(use_stream=use_stream)
    twin.order(("A1", 3), ("B2", 1), times=410)
    twin.lever("rules", repeat_pages=seed * 3, move_packages=seed)
    known: dict[str, StorefrontPackage] = {}
    since = twin.world.now() - timedelta(hours=1)
    for poll in range(4):
        busy = town.something_happens if poll < 3 else None
        until = twin.world.now() + timedelta(seconds=0 if busy else 1)  # nothing happens during the last one
        for key, row in whole_span(store, since, until, busy).items():
            if key not in known or known[key].changed_at < row.changed_at:
                known[key] = row
        since = until - OVERLAP
    assert ours(known) == theirs(twin)


def test_whoever_counts_pages_loses_packages() -> None:
    """Why the list is read from change to change, and that these tests can fail."""
    twin = a_twin()
    for ago in range(450):
        twin.order(ago_seconds=10 + ago)
    twin.lever("rules", move_packages=20)
    now = twin.world.now()
    counting = twin.storefront(use_stream=False, list_filters_by_change=False)
    found = whole_span(counting, now - timedelta(hours=1), now)
    later = whole_span(counting, now - OVERLAP, twin.world.now() + timedelta(seconds=1))
    assert len(twin.keys() - {**found, **later}.keys()) == 2
