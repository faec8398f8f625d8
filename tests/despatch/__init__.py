"""A despatch note that is in order, to be broken by the tests."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from portal.despatch.ports import DespatchDocument, DespatchLine, Party

SELLER = Party(
    "3130557669", "Karaköy Hırdavat Ltd. Şti.", "Beyoğlu", "Bankalar Cad. 5", "Beyoğlu", "İstanbul", "34421",
    "+902120000000", "satis@karakoy.example",
)  # fmt: skip
COMPANY = Party("7870233582", "Çağrı İnşaat A.Ş.", "Çankaya", "Atatürk Blv. 1", "Çankaya", "Ankara", "06420")
PERSON = Party("10000000146", "Ayşe Gül Yılmaz", "", "Gül Sok. 3", "Osmangazi", "Bursa", "16010")
BOLTS = DespatchLine(1, "Cıvata M8", "8690000000017", 3, 1050)


def a_document(**changes: Any) -> DespatchDocument:
    """One parcel of bolts to a company, handed to a cargo company."""
    usual: dict[str, Any] = {
        "uuid": uuid.uuid4(),
        "series": "EMN",
        "number": "EMN2026000000001",
        "issued_at": datetime(2026, 1, 15, 10, 30),
        "despatched_at": datetime(2026, 1, 15, 17, 0),
        "supplier": SELLER,
        "customer": COMPANY,
        "carrier_tax_number": "6080712084",
        "carrier_title": "Sürat Kargo A.Ş.",
        "shipment_key": "SHP-1",
        "order_number": "S-2026-1",
        "order_on": date(2026, 1, 14),
        "lines": (BOLTS, DespatchLine(2, "Somun M8", "8690000000024", 4, 25)),
    }
    return DespatchDocument(**{**usual, **changes})
