"""What lies in the warehouse, what is promised, and what marketplaces may sell."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l

from portal.reports.definition import Asked, Column, Kind, Parameter, Report, Row
from portal.stock import queries

WHICH = {"all": _l("all"), "oversold": _l("only oversold ones"), "empty": _l("only sold out ones")}

COLUMNS = (
    Column("barcode", _l("Barcode"), in_letter=True),
    Column("name", _l("Product"), in_letter=True),
    Column("qty", _l("On hand"), Kind.COUNT, summed=True, in_letter=True),
    Column("reserved", _l("Promised"), Kind.COUNT, summed=True),
    Column("safety", _l("Held back"), Kind.COUNT, summed=True),
    Column("available", _l("May be sold"), Kind.COUNT, summed=True, in_letter=True),
    Column("oversold", _l("Oversold"), Kind.COUNT, summed=True),
    Column("updated_at", _l("Last change"), Kind.INSTANT),
)


def rows(asked: Asked) -> Iterable[Row]:
    """Items by name, with the figures the stock pages show."""
    which = asked.values.get("which", "all")
    for item in queries.item_rows(queries.items(only_oversold=which == "oversold")):
        if which != "empty" or item.available == 0:
            yield (
                item.barcode, item.name, item.qty, item.reserved, item.safety, item.available, item.oversold,
                item.updated_at,
            )  # fmt: skip


REPORT = Report(
    code="stock",
    name=_l("Stock"),
    about=_l("Pieces on hand, promised and for sale, by product."),
    columns=COLUMNS,
    rows=rows,
    parameters=(Parameter("which", _l("Which"), "all", WHICH),),
)
