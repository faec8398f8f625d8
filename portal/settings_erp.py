"""The ERP's settings: where the accounts of customers and suppliers are read (facts: ERP data sources)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from portal.integrations.logo.periods import Period, periods_from
from portal.receivables.ports import DateBasis

LEDGERS = ("logo_hana", "logo_mssql", "sapb1_hana")
ISOLATIONS = ("auto", "snapshot", "read_committed", "nolock")


class Reader(Protocol):
    """As portal.settings reads the environment; what is wrong is collected, so that all of it is said at once."""

    wrong: list[str]

    def get(self, name: str) -> str: ...
    def needed(self, name: str) -> str: ...
    def one_of(self, name: str, allowed: tuple[str, ...]) -> str: ...
    def whole(self, name: str, default: int) -> int: ...
    def decimal(self, name: str, default: Decimal) -> Decimal: ...


@dataclass(frozen=True)
class ErpSettings:
    """A side without a ledger has no report. Suppliers may have two: the second is there to compare."""

    customer_ledgers: tuple[str, ...] = ()
    supplier_ledgers: tuple[str, ...] = ()
    connect_seconds: Decimal = Decimal(10)
    patience_seconds: Decimal = Decimal(120)  # for one question
    date_basis: DateBasis = DateBasis.POSTED
    logo_periods: tuple[Period, ...] = ()
    hana_host: str = ""
    hana_port: int = 30015
    hana_user: str = ""
    hana_password: str = field(default="", repr=False)
    hana_encrypt: bool = True
    hana_check_certificate: bool = True
    hana_trust: str = ""  # a certificate file; empty: what the system trusts
    hana_certificate_host: str = ""
    logo_hana_schema: str = "LOGO"
    sap_schema: str = ""
    sap_opening_codes: tuple[str, ...] = ("ACF",)  # transaction codes of the entries that brought the balances in
    mssql_host: str = ""
    mssql_port: int = 1433
    mssql_database: str = ""
    mssql_user: str = ""
    mssql_password: str = field(default="", repr=False)
    mssql_driver: str = "ODBC Driver 18 for SQL Server"  # a name, or the path of a library
    mssql_encrypt: bool = True
    mssql_check_certificate: bool = True
    mssql_schema: str = "dbo"
    mssql_isolation: str = "auto"  # snapshot if the database allows it, else read committed

    @property
    def ledgers(self) -> set[str]:
        """Every source in use."""
        return {*self.customer_ledgers, *self.supplier_ledgers}

    @classmethod
    def read(cls, reader: Reader) -> ErpSettings:
        """From the environment; only what the chosen sources need is asked for."""
        customers, suppliers = _ledgers(reader, "CUSTOMER_LEDGERS"), _ledgers(reader, "SUPPLIER_LEDGERS")
        used = {*customers, *suppliers}
        hana, mssql = bool(used & {"logo_hana", "sapb1_hana"}), "logo_mssql" in used
        return cls(
            customer_ledgers=customers, supplier_ledgers=suppliers,
            connect_seconds=reader.decimal("ERP_CONNECT_SECONDS", cls.connect_seconds),
            patience_seconds=reader.decimal("ERP_PATIENCE_SECONDS", cls.patience_seconds),
            date_basis=_basis(reader),
            logo_periods=_periods(reader, needed=bool(used & {"logo_hana", "logo_mssql"})),
            hana_host=_needed(reader, "HANA_HOST", hana), hana_port=reader.whole("HANA_PORT", cls.hana_port),
            hana_user=_needed(reader, "HANA_USER", hana), hana_password=_needed(reader, "HANA_PASSWORD", hana),
            hana_encrypt=_on(reader, "HANA_ENCRYPT"), hana_check_certificate=_on(reader, "HANA_CHECK_CERTIFICATE"),
            hana_trust=reader.get("HANA_TRUST"), hana_certificate_host=reader.get("HANA_CERTIFICATE_HOST"),
            logo_hana_schema=_name(reader, "LOGO_HANA_SCHEMA", cls.logo_hana_schema),
            sap_schema=_name(reader, "SAP_SCHEMA", _needed(reader, "SAP_SCHEMA", "sapb1_hana" in used)),
            sap_opening_codes=_codes(reader, cls.sap_opening_codes),
            mssql_host=_needed(reader, "MSSQL_HOST", mssql), mssql_port=reader.whole("MSSQL_PORT", cls.mssql_port),
            mssql_database=_needed(reader, "MSSQL_DATABASE", mssql), mssql_user=_needed(reader, "MSSQL_USER", mssql),
            mssql_password=_needed(reader, "MSSQL_PASSWORD", mssql), mssql_driver=reader.get("MSSQL_DRIVER") or cls.mssql_driver,
            mssql_encrypt=_on(reader, "MSSQL_ENCRYPT"), mssql_check_certificate=_on(reader, "MSSQL_CHECK_CERTIFICATE"),
            mssql_schema=_name(reader, "MSSQL_SCHEMA", cls.mssql_schema), mssql_isolation=reader.one_of("MSSQL_ISOLATION", ISOLATIONS),
        )  # fmt: skip


def _needed(reader: Reader, name: str, needed: bool) -> str:
    return reader.needed(name) if needed else reader.get(name)


def _on(reader: Reader, name: str) -> bool:
    """Protection is on unless somebody turns it off by name: the driver would take a slip of the pen for "off"."""
    return reader.one_of(name, ("on", "off", "1", "0", "true", "false")) in ("on", "1", "true")


def _basis(reader: Reader) -> DateBasis:
    return (
        DateBasis.DOCUMENT
        if reader.one_of("ERP_DATE_BASIS", ("posted", "document")) == "document"
        else DateBasis.POSTED
    )


def _ledgers(reader: Reader, name: str) -> tuple[str, ...]:
    found = tuple(filter(None, (part.strip().lower() for part in reader.get(name).split(","))))
    if unknown := [part for part in found if part not in LEDGERS]:
        reader.wrong.append(f"{name}: {', '.join(unknown)} is none of {', '.join(LEDGERS)}")
        return ()
    return found


def _periods(reader: Reader, *, needed: bool) -> tuple[Period, ...]:
    text = _needed(reader, "LOGO_PERIODS", needed)
    try:
        return periods_from(text)
    except ValueError as wrong:
        reader.wrong.append(f"LOGO_PERIODS: {wrong}")
        return ()


def _name(reader: Reader, name: str, default: str) -> str:
    value = reader.get(name) or default
    if value and not value.replace("_", "").isalnum():
        reader.wrong.append(f"{name} is not the name of a schema")
        return ""
    return value


def _codes(reader: Reader, default: tuple[str, ...]) -> tuple[str, ...]:
    value = reader.get("SAP_OPENING_CODES")
    if not value:
        return default
    found = tuple(part.strip() for part in value.split(",") if part.strip())
    if not all(code.isalnum() and code.isascii() for code in found):
        reader.wrong.append("SAP_OPENING_CODES are letters and digits, with commas between them")
        return ()
    return found
