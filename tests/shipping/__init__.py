"""A label as it is usually printed, to be changed by the tests."""

from __future__ import annotations

from typing import Any

from portal.shipping.labels import Label


def a_label(**changes: Any) -> Label:
    """Bolts from İstanbul to Ankara, the second of three parcels."""
    usual: dict[str, Any] = {
        "key": "EM0000000123",
        "carrier": "Yurtiçi Kargo",
        "order_number": "EM-26-000123",
        "parcel": "2/3",
        "sender_name": "Karaköy Hırdavat Ltd. Şti.",
        "sender_city": "İstanbul",
        "receiver_name": "Çağrı İnşaat ve Yapı Malzemeleri A.Ş.",
        "receiver_address": "Atatürk Bulvarı Güneş Apartmanı No: 15/4, Kızılay Mahallesi",
        "receiver_district": "Çankaya",
        "receiver_city": "Ankara",
        "receiver_postal_code": "06420",
        "receiver_phone": "+905321234567",
        "content_lines": (("Cıvata M8", 300), ("Somun M8", 300)),
    }
    return Label(**{**usual, **changes})
