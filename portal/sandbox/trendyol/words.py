"""A package as Trendyol writes it, with the new field names or with the old ones."""

from __future__ import annotations

from typing import Any

from portal.sandbox.store import Row

OLD_PACKAGE = {"shipmentPackageId": "id", "packageGrossAmount": "grossAmount", "packageTotalPrice": "totalPrice"}
OLD_LINE = {
    "lineId": "id", "stockCode": "merchantSku", "contentId": "productCode", "lineGrossAmount": "amount",
    "lineUnitPrice": "price", "sellerId": "merchantId", "vatRate": "vatBaseAmount",
}  # fmt: skip
HOUR_MS = 3_600_000


def package(row: Row, *, old_names: bool) -> dict[str, Any]:
    """The whole package, as far as the portal or a person may look."""
    names = OLD_PACKAGE if old_names else {}
    total = sum(_kurus(line) * line["quantity"] for line in row["lines"]) / 100
    told = {
        "shipmentPackageId": row["id"],
        "orderNumber": row["order_number"],
        "orderDate": row["ordered"],
        "lastModifiedDate": row["modified"],
        "agreedDeliveryDate": row["ordered"] + 48 * HOUR_MS,
        "status": row["status"],
        "shipmentPackageStatus": row["status"],
        "packageHistories": row["history"],
        "packageGrossAmount": total,
        "packageTotalPrice": total,
        "currencyCode": "TRY",
        "customerFirstName": "Ayşe",
        "customerLastName": "Yılmaz",
        "cargoTrackingNumber": row["tracking"],
        "cargoProviderName": "Trendyol Express Marketplace",
        "createdBy": row["created_by"],
        "originPackageIds": row["origins"] or None,
        "invoiceNumber": row["invoice"] or None,
        "shipmentAddress": {
            "fullName": "Ayşe Yılmaz",
            "neighborhood": "Alsancak Mah.",
            "address1": "Kıbrıs Şehitleri Cd. No: 12 D: 4",
            "district": "Konak",
            "city": "İzmir",
            "postalCode": "35220",
            "countryCode": "TR",
        },
        "lines": [_line(line, old_names=old_names) for line in row["lines"]],
    }
    return {names.get(name, name): value for name, value in told.items()}


def _line(line: Row, *, old_names: bool) -> dict[str, Any]:
    names = OLD_LINE if old_names else {}
    told = {
        "lineId": line["id"],
        "barcode": line["barcode"],
        "stockCode": line["barcode"],
        "quantity": line["quantity"],
        "productName": line["name"],
        "contentId": line["id"] % 100_000,
        "lineUnitPrice": _kurus(line) / 100,
        "lineGrossAmount": _kurus(line) / 100,
        "vatRate": 20,
        "currencyCode": "TRY",
        "orderLineItemStatusName": line["status"],
    }
    return {names.get(name, name): value for name, value in told.items()}


def _kurus(line: Row) -> int:
    return round(float(line["price"]) * 100)
