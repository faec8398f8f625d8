"""The sandbox's ERP: made once, on the control page, gone with the sandbox; and the portal's settings for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date

import psycopg
import pytest
from flask import Flask

from portal.embedded import for_tests
from portal.embedded.home import ROOT
from portal.integrations.ledgers import ledger_sources
from portal.receivables.ports import LedgerUnreadable, Reason, Side
from portal.sandbox import access
from portal.sandbox.app import create_sandbox
from portal.sandbox.erp import Size, ledger
from portal.sandbox.world import SandboxSettings, World
from portal.settings import Settings, WrongSettings
from tests.erp import read

NEEDED = {
    "DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x", "SECRET_KEY": "s" * 40, "JWT_SECRET": "j" * 40, "CRON_SECRET": "c" * 40,
    "PORTAL_URL": "http://x", "IYZICO_BASE_URL": "http://x", "IYZICO_API_KEY": "k", "IYZICO_SECRET_KEY": "k",
}  # fmt: skip
TINY = Size(accounts=20, suppliers=3, lines=200, today=date(2025, 5, 20), sap=False)


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a portal's database, beside which the ledger may be made."""
    admin, name = for_tests.ensure_servers().database_url, f"p_{uuid.uuid4().hex[:10]}"
    yield for_tests.clone_database(admin, "template0", name)
    for_tests.drop_database(admin, f"{name}_erp")
    for_tests.drop_database(admin, name)


@pytest.fixture
def sandbox_with_erp(server: str) -> Iterator[Flask]:
    """As `make run` starts it, with a small ledger."""
    app = create_sandbox(SandboxSettings("k", "s", "http://sandbox", hana_port=0, erp_server=server, erp_accounts=40))
    yield app
    app.extensions["erp"].stop()


def portal_settings(app: Flask, **more: str) -> Settings:
    """What the supervisor tells the portal."""
    return Settings.from_env({**NEEDED, **access.ledger(app.extensions["erp"].hana_port), **more})


def test_the_portal_reads_the_demo_ledger_with_the_settings_it_is_given(sandbox_with_erp: Flask) -> None:
    """The first caller waits until the ledger is made."""
    world: World = sandbox_with_erp.extensions["world"]
    sources, today = ledger_sources(portal_settings(sandbox_with_erp).erp), world.now().date()
    customers = read(sources.of(Side.CUSTOMERS), Side.CUSTOMERS, today)
    assert len(customers.accounts) == 40
    assert customers.balances()["120.40.0000123"] == 1_254_300_50
    logo, sap = (read(source, Side.SUPPLIERS, today) for source in sources.sides[Side.SUPPLIERS])
    assert logo.balances() == sap.balances()
    assert logo.balances()["320.34.0000001"] == -2_695_541_14


def test_a_mishap_from_the_control_page_reaches_the_driver(sandbox_with_erp: Flask) -> None:
    source = ledger_sources(portal_settings(sandbox_with_erp).erp).of(Side.CUSTOMERS)
    control = sandbox_with_erp.test_client()
    planned = {"provider": "hana", "operation": "query", "mode": "refuse", "code": 133}
    assert control.post("/_sandbox/faults", json=planned).status_code == 201
    with pytest.raises(LedgerUnreadable) as no:
        source.probe()
    assert no.value.reason is Reason.BUSY
    assert source.probe().lines_estimate > 0
    assert control.post("/levers/fault", data={"operation": "sign_in", "mode": "refuse"}).status_code == 303
    with pytest.raises(LedgerUnreadable) as no:
        source.probe()
    assert no.value.reason is Reason.WRONG_PASSWORD


def test_the_counters_close_with_the_sandbox(server: str) -> None:
    app = create_sandbox(SandboxSettings("k", "s", "http://sandbox", hana_port=0, erp_server=server, erp_accounts=40))
    counter = app.extensions["erp"]
    source = ledger_sources(portal_settings(app).erp).of(Side.CUSTOMERS)
    assert source.probe().lines_estimate > 0
    counter.stop()
    assert counter.process.returncode is not None
    with pytest.raises(LedgerUnreadable) as no:
        source.probe()
    assert no.value.reason is Reason.UNREACHABLE


def test_the_counters_close_when_the_sandbox_dies_without_a_word(server: str) -> None:
    script = (
        "import sys, time; from portal.sandbox.erp import *; from portal.sandbox.faults import Faults;"
        f"c = ErpCounter(ErpSettings({server!r}, prepared=True), Faults()); print(c.process.pid, flush=True); time.sleep(60)"
    )
    sandbox = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert sandbox.stdout is not None
    child = int(sandbox.stdout.readline())
    sandbox.kill()
    sandbox.wait()
    _until(lambda: not _runs(child))


def test_the_ledger_is_made_once_and_again_when_a_new_month_has_begun(server: str) -> None:
    plain = server.replace("+psycopg", "")
    url = ledger.database(plain, TINY)
    _mark(url)
    assert _marked(ledger.database(plain, TINY))  # a restart keeps it
    assert not _marked(ledger.database(plain, Size(20, 3, 200, date(2025, 6, 1), sap=False)))


def test_a_ledger_that_was_interrupted_in_the_making_is_made_again(server: str) -> None:
    plain = server.replace("+psycopg", "")
    url = ledger.database(plain, TINY)
    _mark(url)
    name = url.rsplit("/", 1)[1]
    with psycopg.connect(plain, autocommit=True) as line:
        line.execute(f'COMMENT ON DATABASE "{name}" IS NULL')
    assert not _marked(ledger.database(plain, TINY))


def test_the_same_size_and_day_make_the_same_ledger(server: str) -> None:
    plain = server.replace("+psycopg", "")
    sums = []
    for _ in range(2):
        url = ledger.database(plain, TINY)
        with psycopg.connect(url) as line:
            sums.append(
                line.execute(
                    'SELECT md5(string_agg(l::text, \'|\' ORDER BY "LOGICALREF")) FROM "LOGO"."LG_101_01_CLFLINE" l'
                ).fetchone()
            )
        with psycopg.connect(plain, autocommit=True) as line:
            line.execute(f'DROP DATABASE "{url.rsplit("/", 1)[1]}"')
    assert sums[0] == sums[1]


# Settings.


def test_without_a_word_about_erps_there_are_none_and_no_driver_is_loaded() -> None:
    settings = Settings.from_env(NEEDED)
    assert ledger_sources(settings.erp).sides == {Side.CUSTOMERS: (), Side.SUPPLIERS: ()}
    script = "import portal.wiring, sys; assert not {'hdbcli', 'pyodbc'} & set(sys.modules), 'a driver was loaded'"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_a_configured_source_loads_its_driver_only_when_it_is_read() -> None:
    script = (
        "import sys; from portal.settings import Settings; from portal.integrations.ledgers import ledger_sources;"
        f"from portal.sandbox import access; ledger_sources(Settings.from_env({NEEDED!r} | access.ledger(9)).erp);"
        "assert not {'hdbcli', 'pyodbc'} & set(sys.modules), 'a driver was loaded'"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CUSTOMER_LEDGERS": "oracle"}, "CUSTOMER_LEDGERS: oracle is none of"),
        ({"CUSTOMER_LEDGERS": "logo_hana"}, "HANA_HOST is missing"),
        ({"CUSTOMER_LEDGERS": "logo_hana"}, "LOGO_PERIODS is missing"),
        ({"CUSTOMER_LEDGERS": "logo_mssql"}, "MSSQL_PASSWORD is missing"),
        ({"SUPPLIER_LEDGERS": "sapb1_hana"}, "SAP_SCHEMA is missing"),
        ({"HANA_ENCRYPT": "flase"}, "HANA_ENCRYPT must be one of"),
        ({"MSSQL_CHECK_CERTIFICATE": "maybe"}, "MSSQL_CHECK_CERTIFICATE must be one of"),
        ({"LOGO_PERIODS": "first"}, "LOGO_PERIODS: “first” is not a period"),
        ({"LOGO_HANA_SCHEMA": 'X"; DROP'}, "LOGO_HANA_SCHEMA is not the name of a schema"),
        ({"SAP_OPENING_CODES": "ACF,'--"}, "SAP_OPENING_CODES are letters and digits"),
        ({"ERP_DATE_BASIS": "due"}, "ERP_DATE_BASIS must be one of"),
        ({"MSSQL_ISOLATION": "serialisable"}, "MSSQL_ISOLATION must be one of"),
    ],
)
def test_what_is_wrong_with_the_erps_settings_is_said_at_the_start(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(WrongSettings) as no:
        Settings.from_env({**NEEDED, **wrong})
    assert said in str(no.value)


def test_encryption_is_on_unless_it_is_turned_off() -> None:
    assert Settings.from_env(NEEDED).erp.hana_encrypt
    assert Settings.from_env(NEEDED).erp.mssql_check_certificate
    assert not Settings.from_env({**NEEDED, "HANA_ENCRYPT": "off"}).erp.hana_encrypt


def _mark(url: str) -> None:
    with psycopg.connect(url) as line:
        line.execute("CREATE TABLE public.seen ()")


def _marked(url: str) -> bool:
    with psycopg.connect(url) as line:
        return line.execute("SELECT to_regclass('public.seen')").fetchone() != (None,)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as state:
        return state.read().rsplit(")", 1)[1].split()[0] != "Z"


def _until(done: Callable[[], bool], patience: float = 30) -> None:
    ends = time.monotonic() + patience
    while not done():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.05)
