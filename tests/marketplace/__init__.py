"""A storefront's street for tests: what customers, carriers and the storefront do, and what we make of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.marketplace import queries
from portal.marketplace.models import SOURCE_KIND, StorefrontPackage
from portal.sandbox.trendyol import API_KEY, API_SECRET, SELLER_ID
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.stock.services import Pick, Source
from portal.workflows import marketplace_gaps, marketplace_jobs, marketplace_orders, marketplace_pull
from portal.workflows.marketplace_pull import Pulled
from tests.stock import CEM, TAPE
from tests.world import SandboxControl

TRENDYOL = "trendyol"


class Street:
    """Trendyol by its levers, and our own readers."""

    def __init__(self, sandbox: SandboxControl, storefront: str = TRENDYOL) -> None:
        self.sandbox, self.storefront = sandbox, storefront

    def lever(self, path: str, **asked: Any) -> Any:
        """Something happens over there."""
        answer = self.sandbox.http.post(f"/_sandbox/{self.storefront}/{path}", json=asked)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def look(self, path: str) -> Any:
        """Something a test may see."""
        return self.sandbox.http.get(f"/_sandbox/{self.storefront}/{path}").json()

    def order(self, *lines: tuple[str, int], **more: Any) -> list[str]:
        """Somebody buys; the keys of the packages."""
        wanted = [{"barcode": barcode, "quantity": quantity} for barcode, quantity in lines or [(TAPE, 2)]]
        return [key_of(row) for row in self.lever("orders", lines=wanted, **more)]

    def becomes(self, key: str, status: str) -> None:
        """They, or the carrier, move it."""
        self.lever(f"packages/{key}/status", status=status)

    def cancels(self, key: str, *lines: tuple[str, int]) -> str:
        """The customer cancels all of it, or so many pieces; the key of the package that is left."""
        wanted = [{"barcode": barcode, "quantity": quantity} for barcode, quantity in lines]
        return key_of(self.lever(f"packages/{key}/cancel", lines=wanted))

    def splits(self, key: str) -> None:
        """A person splits it in their panel, first line against the rest; or it cannot be split."""
        row = next(row for row in self.look("packages") if str(row["shipmentPackageId"]) == key)
        if not row["lines"]:
            return
        first = row["lines"][0]
        wish = {"orderLineId": first["lineId"], "quantities": [1, first["quantity"] - 1]}
        self.sandbox.http.post(
            f"/trendyol/integration/order/sellers/{SELLER_ID}/shipment-packages/{key}/quantity-split",
            json={"quantitySplit": [wish]},
            auth=(API_KEY, API_SECRET),
            headers={"User-Agent": f"{SELLER_ID} - Panel"},
        )

    def keys(self) -> set[str]:
        """Every package they know."""
        return {key_of(row) for row in self.look("packages")}

    def status(self, key: str) -> str:
        """How far they say it is."""
        row = next(row for row in self.look("packages") if key_of(row) == key)
        return str(row.get("shipmentPackageStatus") or row["status"])

    def pull(self) -> Pulled:
        """As a job does it, without waiting."""
        return marketplace_pull.pull(self.storefront, pause=no_pause)

    def compare(self) -> str:
        """The gap check; how it ended."""
        return str(marketplace_gaps.check(self.storefront, pause=no_pause))

    def work(self) -> None:
        """Everything that is due."""
        while marketplace_jobs.next_step(pause=no_pause):
            pass

    def ours(self, key: str) -> StorefrontPackage:
        """The package as we keep it."""
        db.session.rollback()
        found = queries.package_by_key(self.storefront, key)
        assert found is not None, f"we do not know {key}"
        db.session.rollback()
        return found

    def ours_inside(self, key: str) -> StorefrontPackage:
        """As above, inside somebody's transaction."""
        found = queries.package_by_key(self.storefront, key)
        assert found is not None, f"we do not know {key}"
        return found

    def states(self) -> dict[str, str]:
        """How far everything is in our books."""
        rows = db.session.execute(
            text("SELECT package_key, state FROM storefront_package WHERE storefront = :s"), {"s": self.storefront}
        )
        found = {row.package_key: row.state for row in rows}
        db.session.rollback()
        return found

    def source(self, key: str) -> Source:
        """Its name in the stock."""
        return Source(SOURCE_KIND, f"{self.storefront}:{key}")

    def reserved(self, key: str) -> int:
        """Pieces set aside for a package."""
        found = sum(reservation.left for reservation in stock_queries.reservations_of(self.source(key)))
        db.session.rollback()
        return found

    def pack(self, key: str, item: int, shelf: int, pieces: int) -> None:
        """Cem packs it and confirms."""
        package_id = self.ours(key).id
        with atomic():
            marketplace_orders.hold_for_packing(package_id)
            stock.take([Pick(item, shelf, pieces)], source=self.source(key), key=f"pack-{key}", by=CEM)
            marketplace_orders.packing_confirmed(package_id, by=CEM)


def key_of(row: dict[str, Any]) -> str:
    """A package's name over there."""
    return str(row.get("shipmentPackageId") or row["id"])


def no_pause(_seconds: float) -> None:
    """Tests do not wait."""


def returns() -> list[tuple[str, int, int, str]]:
    """What must come back: for whom it was taken, pieces, received, state."""
    rows = db.session.execute(text("SELECT taken_for, pieces, received, state FROM storefront_return ORDER BY id"))
    found = [(row.taken_for, row.pieces, row.received, row.state) for row in rows]
    db.session.rollback()
    return found
