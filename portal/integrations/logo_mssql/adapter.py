"""Logo on SQL Server: Logo's questions over ODBC's line."""

from __future__ import annotations

from pathlib import Path

from portal.integrations.logo.adapter import LogoLedger
from portal.integrations.logo.periods import Period
from portal.integrations.logo_mssql.client import MssqlAddress, MssqlLine
from portal.receivables.ports import DateBasis


def logo_on_mssql(
    address: MssqlAddress, periods: tuple[Period, ...], basis: DateBasis = DateBasis.POSTED
) -> LogoLedger:
    """A LedgerSource. The driver is loaded when it is first read, not here."""
    return LogoLedger(
        name="Logo (SQL Server)", connect=lambda: MssqlLine(address), schema=address.schema,
        columns_sql=Path(__file__).with_name("columns.sql"), periods=periods, basis=basis,
    )  # fmt: skip
