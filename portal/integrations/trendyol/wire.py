"""Trendyol's words and ours: the only file that spells their fields (facts: Trendyol, 21.11.2026).

Marked "unsure": not said clearly enough in their own documentation, or not seen on their stage yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import quote

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

PACKAGE = "/order/sellers/{seller}/shipment-packages/{package}"
PATHS = {
    "orders": "/order/sellers/{seller}{version}/orders",
    "stream": "/order/sellers/{seller}/orders/stream",
    "update": PACKAGE,
    "unsupplied": PACKAGE + "/items/unsupplied",
    "split": PACKAGE + "/quantity-split",
    "stock": "/inventory/sellers/{seller}/products/price-and-inventory",
    "batch": "/product/sellers/{seller}/products/batch-requests/{batch}",
    "read": "/product/sellers/{seller}/products/approved/inventory-and-price",
    "webhooks": "/webhook/sellers/{seller}/webhooks",
    "webhook on": "/webhook/sellers/{seller}/webhooks/{webhook}/activate",
}
PICKING, INVOICED = "Picking", "Invoiced"
MISREAD = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STATES = {
    "awaiting": PackageState.AWAITING,
    # Unsure what it means. If the payment was verified: reserve, and "Created" follows. If it comes later,
    # it is a step back, and steps back move nothing.
    "verified": PackageState.AWAITING,
    "created": PackageState.CREATED,
    "picking": PackageState.PICKING,
    "invoiced": PackageState.INVOICED,
    "shipped": PackageState.SHIPPED,
    "atcollectionpoint": PackageState.AT_COLLECTION_POINT,
    "delivered": PackageState.DELIVERED,
    "undelivered": PackageState.UNDELIVERED,
    "returned": PackageState.RETURNED,
    "cancelled": PackageState.CANCELLED,
    "unsupplied": PackageState.UNSUPPLIED,
    "unpacked": PackageState.UNPACKED,
}  # "Repack" is in old documents only, with no meaning we could trust: UNKNOWN


def path(endpoint: str, seller_id: str, version: str, **names: str) -> str:
    """Where an endpoint is. Orders moved once (15.10.2026), so their version is a setting."""
    quoted = {name: quote(value, safe="") for name, value in names.items()}
    return PATHS[endpoint].format(seller=quote(seller_id, safe=""), version=f"/{version}" if version else "", **quoted)


def words_of_refusal(body: Any) -> str:
    """Why they say no, whichever of their shapes it comes in."""
    if not isinstance(body, dict):
        return str(body or "")[:500]
    rows = [row.get("message") or row.get("key") if isinstance(row, dict) else row for row in _rows(body, "errors")]
    told = "; ".join(str(words) for words in rows if words)
    return (told or str(body.get("message") or body.get("error") or body.get("exception") or ""))[:500]


def code_of_refusal(body: Any) -> str:
    """Their key for the refusal."""
    if not isinstance(body, dict):
        return ""
    keys = [row.get("key") or row.get("errorCode") for row in _rows(body, "errors") if isinstance(row, dict)]
    return str(next(filter(None, keys), "") or body.get("exception") or "")[:100]


def _rows(body: dict[str, Any], field: str) -> list[Any]:
    rows = body.get(field)
    return rows if isinstance(rows, list) else []


def state(word: str) -> PackageState:
    """Ours for theirs, however it is written: AtCollectionPoint, AT_COLLECTION_POINT."""
    return STATES.get(re.sub(r"[^a-z]", "", word.lower()), PackageState.UNKNOWN)


def to_ms(instant: datetime, ahead: timedelta) -> int:
    """An instant as they write it."""
    return (instant + ahead - EPOCH) // timedelta(milliseconds=1)


def from_ms(value: Any, ahead: timedelta) -> datetime:
    """An instant of theirs in ours."""
    return EPOCH + timedelta(milliseconds=int(value)) - ahead


def text(value: Any) -> str:
    """Numbers of theirs may be wider than 64 bits: they are names, not numbers."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None or isinstance(value, bool) else str(value).strip()


def _new_or_old(row: dict[str, Any], new: str, old: str) -> Any:
    """Fields were renamed on 08.12.2025."""
    return row[new] if row.get(new) is not None else row.get(old)


def package_key(row: Any) -> str:
    """The package's name; empty when there is none."""
    return text(_new_or_old(row, "shipmentPackageId", "id")) if isinstance(row, dict) else ""


def package_words(row: dict[str, Any]) -> str:
    """Their own word for how far it is."""
    return text(row.get("status") or row.get("shipmentPackageStatus"))


def package(row: dict[str, Any], ahead: timedelta) -> StorefrontPackage:
    """One package. What does not read raises; `unreadable` keeps it for a person."""
    words = package_words(row)
    address = row.get("shipmentAddress") or {}
    ordered_at = from_ms(row["orderDate"], ahead)
    ship_by = row.get("agreedDeliveryDate")
    names = (text(row.get("customerFirstName")), text(row.get("customerLastName")))
    return StorefrontPackage(
        package_key=package_key(row),
        order_number=text(row["orderNumber"]),
        state=state(words),
        words=words,
        ordered_at=ordered_at,
        changed_at=from_ms(row["lastModifiedDate"], ahead) if row.get("lastModifiedDate") else ordered_at,
        lines=tuple(_line(line, words) for line in row["lines"]),
        origin_keys=tuple(text(key) for key in row.get("originPackageIds") or ()),
        customer_name=" ".join(filter(None, names)) or text(address.get("fullName")),
        city=text(address.get("city")),
        address=_street(address),
        district=text(address.get("district")) or text(address.get("countyName")),
        postal_code=text(address.get("postalCode")),
        cargo_provider=text(row.get("cargoProviderName")),
        cargo_tracking_number=text(row.get("cargoTrackingNumber")),
        ship_by=from_ms(ship_by, ahead) if ship_by else None,
    )


def _street(address: dict[str, Any]) -> str:
    """Street and number; their `fullAddress` repeats district and city, which a label has elsewhere."""
    said = (text(address.get("neighborhood")), text(address.get("address1")), text(address.get("address2")))
    return " ".join(filter(None, said)) or text(address.get("fullAddress"))


def unreadable(row: dict[str, Any], trouble: Exception) -> StorefrontPackage:
    """A package with a name and nonsense: shown to a person, moves nothing, and does not hold up the others."""
    words = f"{package_words(row)} (unreadable: {trouble!r})"[:200]
    number = text(row.get("orderNumber"))
    return StorefrontPackage(package_key(row), number, PackageState.UNKNOWN, words, EPOCH, EPOCH, ())


def _line(row: dict[str, Any], package_word: str) -> StorefrontLine:
    quantity = Decimal(str(row["quantity"]))
    if quantity != quantity.to_integral_value() or quantity < 0:
        raise ValueError(f"quantity {quantity}")
    return StorefrontLine(
        line_key=text(_new_or_old(row, "lineId", "id")),
        barcode=plain(text(row["barcode"])),
        name=text(row.get("productName")),
        quantity=int(quantity),
        unit_price_kurus=_kurus(_new_or_old(row, "lineUnitPrice", "price")),
        state=state(text(row.get("orderLineItemStatusName")) or package_word),
    )


def _kurus(lira: Any) -> int:
    """A price to read, not to pay: theirs may carry more places than there are kuruş."""
    return int(Decimal(str(lira or 0)).scaleb(2).quantize(Decimal(1), ROUND_HALF_UP))


def is_last(body: dict[str, Any], page: int, size: int) -> bool:
    """Whether a page of the list is the last: by their count of pages, else by what is on it."""
    told, pages = len(body["content"]), body.get("totalPages")
    return told == 0 or (page + 1 >= pages if isinstance(pages, int) else told < size)


def plain(barcode: str) -> str:
    """A barcode as they keep it: without spaces."""
    return "".join(barcode.split())


def said(status: str, lines: Iterable[StorefrontLine], params: dict[str, str]) -> dict[str, Any]:
    """Picking or Invoiced."""
    pieces = {line.line_key: line.quantity for line in lines}
    return {"lines": _quantities(pieces), "params": params, "status": status}


def unsupplied(lines: dict[str, int], reason: int) -> dict[str, Any]:
    """Pieces that cannot be sent, and why."""
    return {"lines": _quantities(lines), "reasonId": reason}


def _quantities(lines: dict[str, int]) -> list[dict[str, Any]]:
    return [{"lineId": _number(key), "quantity": quantity} for key, quantity in lines.items()]


def split(lines: dict[str, list[int]]) -> dict[str, Any]:
    """Pieces of each line per new package."""
    return {"quantitySplit": [{"orderLineId": _number(key), "quantities": parts} for key, parts in lines.items()]}


def _number(key: str) -> int | str:
    return int(key) if key.isascii() and key.isdigit() else key


def stock(wishes: Iterable[StockWish]) -> dict[str, Any]:
    """Absolute quantities, without prices."""
    return {"items": [{"barcode": wish.barcode, "quantity": wish.quantity} for wish in wishes]}


def batch_result(body: dict[str, Any]) -> BatchResult:
    """Stock batches have no word for the whole: it is done when every item has an end."""
    rows = body.get("items") or []
    ended = [row for row in rows if str(row["status"]).upper() in ("SUCCESS", "FAILED")]
    expected = int(body.get("itemCount") or 0)
    whole = body.get("status")
    running = not rows or len(ended) < len(rows) or whole == "IN_PROGRESS" or (not whole and len(ended) < expected)
    items = tuple(_item(row) for row in ended)
    return BatchResult(Outcome.DONE, BatchState.RUNNING if running else BatchState.DONE, items)


def _item(row: dict[str, Any]) -> ItemResult:
    accepted = str(row["status"]).upper() == "SUCCESS"
    reasons = "; ".join(text(reason) for reason in row.get("failureReasons") or ())
    return ItemResult(plain(text(row["requestItem"]["barcode"])), accepted, "" if accepted else reasons or "FAILED")


def quantities(body: dict[str, Any]) -> dict[str, int]:
    """Pieces by plain barcode. Barcodes are variants of products (unsure: or rows of their own)."""
    found = {}
    for product in body["content"]:
        for row in product.get("variants") or [product]:
            found[plain(text(row["barcode"]))] = int(row["quantity"] or 0)
    return found
