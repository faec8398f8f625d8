"""N11's words and ours: the only file that spells their fields (facts: next marketplaces, 21.11.2026).

Marked "unsure": not said clearly enough in what we have of their documentation; they have no sandbox to try it on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from portal.core.ports import Outcome
from portal.marketplace.ports import (
    BatchResult,
    BatchState,
    ItemResult,
    PackageState,
    StockWish,
    StorefrontLine,
    StorefrontPackage,
)

PACKAGES = "/rest/delivery/v1/shipmentPackages"
UPDATE = "/rest/order/v1/update"
STOCK = "/ms/product/tasks/price-stock-update"
TASK = "/ms/product/task-details/page-query"
PRODUCTS = "/ms/product-query"
MISREAD = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# With them a split ends the old package as "Cancelled"; "UnPacked" are the new ones.
PART_OF_A_SPLIT = "unpacked"
STATES = {
    "created": PackageState.CREATED,
    PART_OF_A_SPLIT: PackageState.CREATED,
    "picking": PackageState.PICKING,
    "shipped": PackageState.SHIPPED,
    "delivered": PackageState.DELIVERED,
    "undelivered": PackageState.UNDELIVERED,
    "returned": PackageState.RETURNED,
    "cancelled": PackageState.CANCELLED,
    "unsupplied": PackageState.UNSUPPLIED,
}


def state(word: str) -> PackageState:
    """Ours for theirs."""
    return STATES.get(word.strip().lower(), PackageState.UNKNOWN)


def to_ms(instant: datetime) -> int:
    """An instant as they write it."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def from_ms(value: Any) -> datetime:
    """An instant of theirs in ours."""
    return EPOCH + timedelta(milliseconds=int(value))


def text(value: Any) -> str:
    """Their numbers are names."""
    return "" if value is None or isinstance(value, bool) else str(value).strip()


def packages(rows: list[Any]) -> tuple[StorefrontPackage, ...]:
    """A page of packages. One without a number is delivered by N11 itself and none of our business."""
    found = [_package(row) for row in rows if isinstance(row, dict) and text(row.get("id"))]
    return tuple(_with_origins(found))


def _package(row: dict[str, Any]) -> StorefrontPackage:
    try:
        return _read(row)
    except MISREAD as trouble:
        words = f"{text(row.get('shipmentPackageStatus'))} (unreadable: {trouble!r})"[:200]
        number = text(row.get("orderNumber"))
        return StorefrontPackage(text(row["id"]), number, PackageState.UNKNOWN, words, EPOCH, EPOCH, ())


def _read(row: dict[str, Any]) -> StorefrontPackage:
    words = text(row.get("shipmentPackageStatus"))
    changed_at = from_ms(row["lastModifiedDate"])
    address = row.get("shippingAddress") or {}
    ship_by = row.get("agreedDeliveryDate")
    history = [from_ms(step["createdDate"]) for step in row.get("packageHistories") or () if step.get("createdDate")]
    return StorefrontPackage(
        package_key=text(row["id"]),
        order_number=text(row["orderNumber"]),
        state=state(words),
        words=words,
        ordered_at=min(history, default=changed_at),
        changed_at=changed_at,
        lines=tuple(_line(line, words) for line in row["lines"]),
        customer_name=text(row.get("customerfullName")) or text(address.get("fullName")),
        city=text(address.get("city")),
        address=text(address.get("address")),
        district=text(address.get("district")),
        postal_code=text(address.get("postalCode")),
        cargo_provider=text(row.get("shipmentCompanyName") or row.get("cargoProviderName")),
        cargo_tracking_number=text(row.get("cargoTrackingNumber")),
        ship_by=from_ms(ship_by) if ship_by else None,
    )


def _line(row: dict[str, Any], package_word: str) -> StorefrontLine:
    quantity = int(row["quantity"])
    if quantity < 0 or quantity != row["quantity"]:
        raise ValueError(f"quantity {row['quantity']}")
    price = Decimal(str(row.get("price") or 0)).scaleb(2).quantize(Decimal(1), ROUND_HALF_UP)
    return StorefrontLine(
        line_key=text(row["orderLineId"]),
        barcode="".join((text(row.get("barcode")) or text(row["stockCode"])).split()),
        name=text(row.get("productName")),
        quantity=quantity,
        unit_price_kurus=int(price),
        state=state(text(row.get("orderItemLineItemStatusName")) or package_word),
    )


def _with_origins(found: list[StorefrontPackage]) -> list[StorefrontPackage]:
    """They do not say what a part was split from: the cancelled package of the same order, told beside it."""
    told = []
    for package in found:
        ended = [
            other.package_key
            for other in found
            if other.order_number == package.order_number and other.state is PackageState.CANCELLED
        ]
        is_part = package.words.strip().lower() == PART_OF_A_SPLIT
        told.append(replace(package, origin_keys=tuple(ended)) if is_part and len(ended) == 1 else package)
    return told


def stock(wishes: list[StockWish], integrator: str) -> dict[str, Any]:
    """Absolute quantities under their stock code. Unsure: that prices may stay away (either both of them or none)."""
    skus = [{"stockCode": wish.barcode, "quantity": wish.quantity} for wish in wishes]
    return {"payload": {"integrator": integrator, "skus": skus}}


def batch_result(body: dict[str, Any]) -> BatchResult:
    """A task: in the queue, rejected as a whole, or with an end for each stock code."""
    status = text(body.get("status")).upper()
    if status == "IN_QUEUE":
        return BatchResult(Outcome.DONE, BatchState.RUNNING)
    rows = body["skus"]["content"]
    items = tuple(
        ItemResult(text(row["itemCode"]), text(row["status"]).upper() == "SUCCESS", "; ".join(row.get("reasons") or ()))
        for row in rows
    )
    return BatchResult(Outcome.DONE, BatchState.DONE, items, why=text(body.get("reason")) if status == "REJECT" else "")


def refusal_of(body: dict[str, Any]) -> str:
    """Why some of the lines were not moved on; empty: all were."""
    rows = body.get("content") or []
    failed = [row for row in rows if text(row.get("status")).upper() != "SUCCESS"]
    return "; ".join(text(row.get("reasons") or row.get("status")) for row in failed)[:500]
