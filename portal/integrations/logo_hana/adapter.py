"""Logo on HANA: Logo's questions over HANA's line."""

from __future__ import annotations

from pathlib import Path

from portal.integrations.hana import HanaAddress, HanaLine
from portal.integrations.logo.adapter import LogoLedger
from portal.integrations.logo.periods import Period
from portal.receivables.ports import DateBasis


def logo_on_hana(address: HanaAddress, periods: tuple[Period, ...], basis: DateBasis = DateBasis.POSTED) -> LogoLedger:
    """A LedgerSource. The driver is loaded when it is first read, not here."""
    return LogoLedger(
        name="Logo (HANA)", connect=lambda: HanaLine(address), schema=address.schema,
        columns_sql=Path(__file__).with_name("columns.sql"), periods=periods, basis=basis,
    )  # fmt: skip
