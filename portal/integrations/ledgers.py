"""Which ERP is read for which side, by settings. Drivers are loaded when a source is first read, never here."""

from __future__ import annotations

from collections.abc import Callable

from portal.integrations.hana import HanaAddress
from portal.integrations.logo_hana.adapter import logo_on_hana
from portal.integrations.logo_mssql.adapter import logo_on_mssql
from portal.integrations.logo_mssql.client import MssqlAddress
from portal.integrations.sapb1_hana.adapter import sapb1_on_hana
from portal.receivables.ports import LedgerSource, LedgerSources, Side
from portal.settings_erp import ErpSettings


def ledger_sources(erp: ErpSettings) -> LedgerSources:
    """One adapter for each source in use, shared by both sides."""
    makers: dict[str, Callable[[ErpSettings], LedgerSource]] = {
        "logo_hana": lambda erp: logo_on_hana(_hana(erp, erp.logo_hana_schema), erp.logo_periods, erp.date_basis),
        "sapb1_hana": lambda erp: sapb1_on_hana(_hana(erp, erp.sap_schema), erp.sap_opening_codes, erp.date_basis),
        "logo_mssql": lambda erp: logo_on_mssql(_mssql(erp), erp.logo_periods, erp.date_basis),
    }
    made = {name: makers[name](erp) for name in sorted(erp.ledgers)}
    return LedgerSources(
        {
            Side.CUSTOMERS: tuple(made[name] for name in erp.customer_ledgers),
            Side.SUPPLIERS: tuple(made[name] for name in erp.supplier_ledgers),
        }
    )


def _hana(erp: ErpSettings, schema: str) -> HanaAddress:
    return HanaAddress(
        host=erp.hana_host, port=erp.hana_port, user=erp.hana_user, password=erp.hana_password, schema=schema,
        encrypt=erp.hana_encrypt, check_certificate=erp.hana_check_certificate, trust=erp.hana_trust,
        host_in_certificate=erp.hana_certificate_host, connect_seconds=erp.connect_seconds, patience_seconds=erp.patience_seconds,
    )  # fmt: skip


def _mssql(erp: ErpSettings) -> MssqlAddress:
    return MssqlAddress(
        host=erp.mssql_host, port=erp.mssql_port, database=erp.mssql_database, user=erp.mssql_user, password=erp.mssql_password,
        driver=erp.mssql_driver, encrypt=erp.mssql_encrypt, check_certificate=erp.mssql_check_certificate, schema=erp.mssql_schema,
        isolation=erp.mssql_isolation, connect_seconds=erp.connect_seconds, patience_seconds=erp.patience_seconds,
    )  # fmt: skip
