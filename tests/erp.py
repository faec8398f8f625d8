"""The ERP as tests know it: a small ledger behind counters that speak HANA's and SQL Server's protocols."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.embedded import for_tests
from portal.integrations.logo.periods import periods_from
from portal.receivables.ports import Account, Finding, LedgerSource, MonthSum, Side, Totals
from portal.sandbox.erp import ErpCounter, ErpSettings, Size, ledger, who
from portal.sandbox.faults import Fault, Faults
from portal.settings_erp import ErpSettings as OurSettings

TODAY = date(2025, 5, 20)
SMALL = Size(accounts=200, suppliers=40, lines=4000, today=TODAY)
# Short, where silence is what is tested; but a busy machine needs its time to answer.
PATIENCE_SECONDS = Decimal(15)
# Microsoft's own driver may be tried by its path.
ODBC_DRIVER = os.environ.get("MSSQL_TEST_DRIVER", "FreeTDS")


@dataclass
class Erp:
    """One ledger, its counters, and what is to go wrong at them."""

    url: str
    counter: ErpCounter
    faults: Faults = field(repr=False)

    def settings(self, **more: Any) -> OurSettings:
        """The portal's, to read this ERP: Logo on HANA for customers, SAP beside it for suppliers."""
        return replace(
            OurSettings(
                customer_ledgers=("logo_hana",), supplier_ledgers=("logo_hana", "sapb1_hana"), connect_seconds=PATIENCE_SECONDS,
                patience_seconds=PATIENCE_SECONDS, logo_periods=periods_from(who.PERIODS), hana_host="127.0.0.1",
                hana_port=self.counter.hana_port, hana_user=who.USER, hana_password=who.PASSWORD, hana_encrypt=False,
                logo_hana_schema=who.LOGO_SCHEMA, sap_schema=who.SAP_SCHEMA, mssql_host="127.0.0.1", mssql_port=self.counter.tds_port,
                mssql_database=who.MSSQL_DATABASE, mssql_user=who.USER, mssql_password=who.PASSWORD, mssql_driver=ODBC_DRIVER,
                mssql_encrypt=False,
            ),
            **more,
        )  # fmt: skip

    def fails(
        self, operation: str, mode: str, *, provider: str = "hana", times: int = 1, seconds: float = 30, code: int = 0
    ) -> None:
        """Plan a mishap."""
        self.faults.add(Fault(provider, operation, mode, times, seconds=seconds, code=code))

    def sql(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database behind the counters directly."""
        with psycopg.connect(self.url) as line:
            answer = line.execute(question, values or None)
            return answer.fetchall() if answer.description else []


@contextmanager
def small_database(size: Size = SMALL) -> Iterator[str]:
    """A fresh ledger in a database of its own."""
    admin, name = for_tests.ensure_servers().database_url, f"erp_{uuid.uuid4().hex[:10]}"
    url = for_tests.clone_database(admin, "template0", name).replace("+psycopg", "")
    try:
        ledger.make(url, size)
        yield url
    finally:
        for_tests.drop_database(admin, name)


@contextmanager
def counters(url: str, **more: Any) -> Iterator[Erp]:
    """Open them before a ledger that is there already."""
    faults = Faults()
    counter = ErpCounter(ErpSettings(url, prepared=True, **more), faults)
    try:
        yield Erp(url, counter, faults)
    finally:
        counter.stop()


@dataclass
class Read:
    """Everything of one reading."""

    accounts: list[Account]
    months: list[MonthSum]
    totals: Totals

    def by_month(self) -> dict[tuple[str, date | None, bool], tuple[int, int, int]]:
        """Debit, credit and lines by account, month and whether it is the future."""
        return {(m.account, m.month, m.future): (m.debit_kurus, m.credit_kurus, m.lines) for m in self.months}

    def balances(self) -> dict[str, int]:
        """Debit less credit, the future included."""
        found: dict[str, int] = {}
        for month in self.months:
            found[month.account] = found.get(month.account, 0) + month.debit_kurus - month.credit_kurus
        return found


def read(source: LedgerSource, side: Side = Side.CUSTOMERS, as_of: date = TODAY) -> Read:
    """One side, whole."""
    with source.reading(side, as_of) as reading:
        accounts = [account for some in reading.accounts() for account in some]
        months = [month for some in reading.months() for month in some]
        return Read(accounts, months, reading.totals())


def findings(source: LedgerSource, as_of: date = TODAY) -> list[Finding]:
    """What is odd about the customers' lines."""
    with source.reading(Side.CUSTOMERS, as_of) as reading:
        return reading.findings()


def certificate(folder: Path, host: str = "erp.example") -> tuple[str, str]:
    """A self-signed certificate and its key, as files."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    clear = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, clear)
    (folder / "erp.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "erp.key").write_bytes(private)
    return str(folder / "erp.pem"), str(folder / "erp.key")


def needs_odbc() -> None:
    """SQL Server's tests need Debian's libodbc2 and tdsodbc, which only root can install (`.ci/run` does)."""
    pyodbc = pytest.importorskip("pyodbc", reason="libodbc2 is not installed", exc_type=ImportError)
    if ODBC_DRIVER == "FreeTDS" and "FreeTDS" not in pyodbc.drivers():
        pytest.skip("tdsodbc is not installed")
