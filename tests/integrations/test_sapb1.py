"""What only SAP Business One has: reconciliations, openings by transaction code, customers and suppliers in one table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from portal.integrations.ledgers import ledger_sources
from portal.receivables.ports import LedgerSource, LedgerUnreadable, Oddity, Reason, Side
from portal.sandbox.erp import Size
from tests.erp import TODAY, Erp, counters, findings, read, small_database

TINY = Size(accounts=60, suppliers=9, lines=600, today=TODAY)
AYTEK = "120.40.0000123"
INVOICE, PAYMENT = 950000001, 950000002  # 500,000 of October and the 300,000 that came in November


@pytest.fixture(scope="module")
def erp() -> Iterator[Erp]:
    """A ledger of its own: these tests change it."""
    with small_database(TINY) as url, counters(url) as erp:
        yield erp


def sap(erp: Erp, *codes: str) -> LedgerSource:
    """SAP for both sides."""
    both = ("sapb1_hana",)
    return ledger_sources(
        erp.settings(customer_ledgers=both, supplier_ledgers=both, sap_opening_codes=codes or ("ACF",))
    ).of(Side.CUSTOMERS)


def open_items(erp: Erp, as_of: date) -> dict[date, int]:
    """AYTEK's, by month of the due date."""
    with sap(erp).reading(Side.CUSTOMERS, as_of) as reading:
        found = reading.open_items()
        assert found is not None
        return {
            item.month: item.debit_kurus - item.credit_kurus for some in found for item in some if item.account == AYTEK
        }


def test_what_was_reconciled_after_the_day_was_open_on_it(erp: Erp) -> None:
    before = open_items(erp, TODAY)
    erp.sql(f"""
        INSERT INTO "SBO_DEMO"."OITR" VALUES (1, '2025-03-10');
        INSERT INTO "SBO_DEMO"."ITR1" VALUES (1, {INVOICE}, 0, 300000, 'D'), (1, {PAYMENT}, 0, 300000, 'C');
        UPDATE "SBO_DEMO"."JDT1" SET "BalDueDeb" = 200000 WHERE "TransId" = {INVOICE};
        UPDATE "SBO_DEMO"."JDT1" SET "BalDueCred" = 0 WHERE "TransId" = {PAYMENT}""")
    due, paid = date(2024, 10, 1), date(2024, 12, 1)  # thirty days after the first of October and of November
    assert (before[due], before[paid]) == (500_000_00, -300_000_00)
    after = open_items(erp, TODAY)
    assert after[due] == 200_000_00
    assert paid not in after
    # On the 9th nobody had matched them; on the 10th somebody had.
    assert (open_items(erp, date(2025, 3, 9))[due], open_items(erp, date(2025, 3, 9))[paid]) == (
        500_000_00,
        -300_000_00,
    )
    assert open_items(erp, date(2025, 3, 10))[due] == 200_000_00
    assert sum(before.values()) == sum(after.values()) == 1_254_300_50


def test_which_entries_brought_the_balances_in_is_a_setting(erp: Erp) -> None:
    theirs, others = read(sap(erp)), read(sap(erp, "XYZ"))
    carried, fewer = (sum(month.lines for month in found.months if month.month is None) for found in (theirs, others))
    typed = erp.sql("""SELECT count(*) FROM "SBO_DEMO"."OJDT" h JOIN "SBO_DEMO"."JDT1" j USING ("TransId")
                       WHERE h."TransType" = '-2' AND j."ShortName" LIKE '120%'""")
    assert fewer == typed[0][0]
    assert carried > fewer
    assert theirs.balances() == others.balances()


def test_a_supplier_with_a_customers_code_is_an_oddity_not_a_customer(erp: Erp) -> None:
    erp.sql(f"""UPDATE "SBO_DEMO"."OCRD" SET "CardType" = 'S' WHERE "CardCode" = '{AYTEK}'""")
    found = read(sap(erp))
    oddities = {finding.oddity: finding for finding in findings(sap(erp))}
    assert AYTEK not in found.balances()
    assert oddities[Oddity.NO_CARD].accounts == (AYTEK,)
    erp.sql(f"""UPDATE "SBO_DEMO"."OCRD" SET "CardType" = 'C' WHERE "CardCode" = '{AYTEK}'""")
    assert Oddity.NO_CARD not in {finding.oddity for finding in findings(sap(erp))}


def test_an_own_balance_that_disagrees_is_seen(erp: Erp) -> None:
    erp.sql(f"""UPDATE "SBO_DEMO"."OCRD" SET "Balance" = "Balance" + 0.01 WHERE "CardCode" = '{AYTEK}'""")
    with sap(erp).reading(Side.CUSTOMERS, TODAY) as reading:
        theirs = reading.erp_balances()
        assert theirs is not None
        balances = {row.account: row.debit_kurus - row.credit_kurus for some in theirs for row in some}
    ours = read(sap(erp)).balances()
    assert {code for code in ours if balances[code] != ours[code]} == {AYTEK}


def test_amounts_have_six_decimals_and_a_month_is_rounded_once(erp: Erp) -> None:
    [(account,)] = erp.sql("""SELECT "CardCode" FROM "SBO_DEMO"."OCRD" WHERE "CardName" LIKE 'GÜLŞEN%'""")
    for number in (940000001, 940000002, 940000003):
        erp.sql(
            """INSERT INTO "SBO_DEMO"."OJDT" VALUES (%s, '2025-04-02', '13', '', NULL)""",
            number,
        )
        erp.sql(
            """INSERT INTO "SBO_DEMO"."JDT1" ("TransId", "Line_ID", "ShortName", "Debit", "Credit", "RefDate", "TransType")
               VALUES (%s, 0, %s, 0.335, 0, '2025-04-02', '13')""",
            number, account,
        )  # fmt: skip
    [month] = [m for m in read(sap(erp)).months if (m.account, m.month) == (account, date(2025, 4, 1))]
    assert month.debit_kurus == 101  # 1.005 goes up; three times 0.34 would be 102
    documents = sap(erp).documents(account, (date(2025, 4, 1),), TODAY)
    assert [document.debit_kurus for document in documents] == [34, 33, 34]


def test_without_reconciliations_there_are_no_open_items(erp: Erp) -> None:
    erp.sql('ALTER TABLE "SBO_DEMO"."ITR1" RENAME TO "BASKA"')
    try:
        with sap(erp).reading(Side.CUSTOMERS, TODAY) as reading:
            assert reading.open_items() is None
        assert "ITR1.ReconSum" in sap(erp).probe().missing
    finally:
        erp.sql('ALTER TABLE "SBO_DEMO"."BASKA" RENAME TO "ITR1"')


def test_a_missing_column_is_named(erp: Erp) -> None:
    erp.sql('ALTER TABLE "SBO_DEMO"."JDT1" RENAME COLUMN "RefDate" TO "Baska"')
    try:
        with pytest.raises(LedgerUnreadable) as no:
            read(sap(erp))
        assert (no.value.reason, no.value.where) == (Reason.WRONG_SCHEMA, "JDT1.RefDate")
    finally:
        erp.sql('ALTER TABLE "SBO_DEMO"."JDT1" RENAME COLUMN "Baska" TO "RefDate"')
