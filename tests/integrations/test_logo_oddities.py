"""Periods over the years, openings counted once, and every contradiction Logo's lines can show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from portal.integrations.ledgers import ledger_sources
from portal.integrations.logo.periods import Period, dated, misfits, periods_from
from portal.receivables.ports import DateBasis, LedgerSource, LedgerUnreadable, Oddity, Reason, Side
from portal.sandbox.erp import Size
from tests.erp import TODAY, Erp, counters, findings, read, small_database

LINES, CARDS = '"LOGO"."LG_201_01_CLFLINE"', '"LOGO"."LG_201_CLCARD"'
TINY = Size(accounts=60, suppliers=9, lines=600, today=TODAY, sap=False)


def logo(erp: Erp, periods: str = "101/01,201/01", basis: DateBasis = DateBasis.POSTED) -> LedgerSource:
    """Logo on HANA, for some periods."""
    return ledger_sources(erp.settings(logo_periods=periods_from(periods), date_basis=basis)).of(Side.CUSTOMERS)


# Periods.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("211/1", (Period(211, 1),)),
        (" 211/01 , 411/1 ", (Period(211, 1), Period(411, 1))),
        ("1/1:2021-01-01..2025-12-31", (Period(1, 1, date(2021, 1, 1), date(2025, 12, 31)),)),
    ],
)
def test_periods_are_written_as_people_write_them(text: str, found: tuple[Period, ...]) -> None:
    assert periods_from(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "211",
        "2111/01",
        "211/001",
        "211/01;DROP",
        "a/b",
        "211/01,211/1",
        "211/01:2025-01-01..2024-12-31",
        "211/01:2025-02-30..2025-12-31",
    ],
)
def test_what_is_not_a_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        periods_from(text)


def test_a_table_is_named_by_three_and_two_digits() -> None:
    assert (Period(2, 1).cards, Period(2, 1).table("CLFLINE")) == ("LG_002_CLCARD", "LG_002_01_CLFLINE")


YEAR_1 = Period(101, 1, date(2024, 1, 1), date(2024, 12, 31))
YEAR_2 = Period(201, 1, date(2025, 1, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("ours", "as_of", "wrong"),
    [
        ((YEAR_1, YEAR_2), TODAY, 0),
        ((YEAR_2,), TODAY, 0),
        ((YEAR_1, Period(201, 1, date(2025, 1, 2), date(2025, 12, 31))), TODAY, 1),  # New Year's Day belongs to nobody
        (
            (YEAR_1, Period(201, 1, date(2024, 12, 31), date(2025, 12, 31))),
            TODAY,
            2,
        ),  # overlaps, and earlier than the calendar
        ((YEAR_1,), TODAY, 1),  # today is in none
        ((YEAR_1, YEAR_2), date(2026, 1, 1), 1),
        ((YEAR_1, Period(301, 1, date(2025, 1, 1), date(2025, 12, 31))), TODAY, 1),  # the calendar knows no 301
    ],
)
def test_gaps_overlaps_and_strangers_are_found(ours: tuple[Period, ...], as_of: date, wrong: int) -> None:
    assert len(misfits(ours, [YEAR_1, YEAR_2], as_of)) == wrong


def test_periods_without_days_have_those_of_the_calendar_and_stand_in_order() -> None:
    assert dated(periods_from("201/01,101/01"), [YEAR_1, YEAR_2]) == (YEAR_1, YEAR_2)


def test_a_period_the_calendar_does_not_know_is_refused(erp: Erp) -> None:
    with pytest.raises(LedgerUnreadable) as no:
        dated(periods_from("101/01,301/01"), [YEAR_1, YEAR_2])
    assert (no.value.reason, no.value.where) == (Reason.WRONG_PERIODS, "301/01")
    with pytest.raises(LedgerUnreadable) as no:
        logo(erp, "101/01,301/01").probe()
    assert (no.value.reason, no.value.where) == (Reason.WRONG_SCHEMA, "LG_301_CLCARD")


@pytest.mark.parametrize(("periods", "as_of"), [("101/01,201/01", date(2026, 1, 1)), ("101/01", TODAY)])
def test_a_day_that_no_period_covers_is_found(erp: Erp, periods: str, as_of: date) -> None:
    assert Oddity.PERIOD_GAP in {finding.oddity for finding in findings(logo(erp, periods), as_of)}


@pytest.mark.parametrize(
    "as_of", [date(2025, 1, 1), date(2025, 2, 28), date(2025, 3, 31), date(2024, 12, 31), date(2024, 2, 29)]
)
def test_at_the_turn_of_the_year_nothing_is_lost_between_the_periods(erp: Erp, as_of: date) -> None:
    found = read(logo(erp), as_of=as_of)
    assert found.balances() == read(logo(erp)).balances()
    assert all((month.first_on or as_of) > as_of for month in found.months if month.future)
    assert all((month.last_on or as_of) <= as_of for month in found.months if not month.future)


# Openings.


def test_an_opening_is_counted_once(erp: Erp) -> None:
    """The naive twin adds the periods as they are, and has every old debt twice."""
    both, newest = read(logo(erp)), read(logo(erp, "201/01"))
    assert both.balances() == newest.balances() | {code: 0 for code in both.balances() if code not in newest.balances()}
    older = read(logo(erp, "101/01"), as_of=date(2024, 12, 31))
    naive = {code: older.balances().get(code, 0) + newest.balances().get(code, 0) for code in both.balances()}
    assert naive != both.balances()
    assert sum(naive.values()) == sum(both.balances().values()) + sum(older.balances().values())


def test_the_newest_period_alone_puts_old_debts_before_everything_and_says_so(erp: Erp) -> None:
    found = read(logo(erp, "201/01"))
    carried = [month for month in found.months if month.month is None]
    assert carried
    [undated] = findings(logo(erp, "201/01"))
    assert (undated.oddity, undated.count) == (Oddity.OPENING_UNDATED, len(carried))
    assert undated.amount_kurus == sum(month.debit_kurus + month.credit_kurus for month in carried)


def test_an_opening_that_says_from_when_it_stems_stands_in_its_month(erp: Erp) -> None:
    found = read(logo(erp))
    before = [month for month in found.months if month.month and month.month < date(2023, 1, 1)]
    expected = erp.sql(
        'SELECT count(*) FROM "LOGO"."LG_101_01_CLFLINE" l JOIN "LOGO"."LG_101_CLCARD" c ON c."LOGICALREF" = l."CLIENTREF"'
        """ WHERE "DEVIRPROCDATE" IS NOT NULL AND c."CODE" LIKE '120%'"""
    )
    assert sum(month.lines for month in before) == expected[0][0] > 0


# Contradictions, each in a ledger that has no other.


TABLES = ("LG_101_CLCARD", "LG_201_CLCARD", "LG_101_01_CLFLINE", "LG_201_01_CLFLINE")


@pytest.fixture(scope="module")
def odd_house() -> Iterator[Erp]:
    """A ledger that may be spoilt, and a copy of it."""
    with small_database(TINY) as url, counters(url) as erp:
        copies = "; ".join(f'CREATE TABLE kept."{table}" AS TABLE "LOGO"."{table}"' for table in TABLES)
        erp.sql(f"CREATE SCHEMA kept; {copies}")
        yield erp


@pytest.fixture
def odd(odd_house: Erp) -> Iterator[Erp]:
    """Spoilt by one test, whole for the next."""
    yield odd_house
    odd_house.sql(
        "; ".join(
            f'DELETE FROM "LOGO"."{table}"; INSERT INTO "LOGO"."{table}" SELECT * FROM kept."{table}"'
            for table in TABLES
        )
    )


ONE = f"""(SELECT min(l."LOGICALREF") FROM {LINES} l JOIN {CARDS} c ON c."LOGICALREF" = l."CLIENTREF"
           WHERE c."CODE" = '120.40.0000123' AND "DATE_" = '2025-02-01')"""


@pytest.mark.parametrize(
    ("spoil", "oddity"),
    [
        (f'UPDATE {LINES} SET "CLIENTREF" = 0 WHERE "LOGICALREF" = {ONE}', Oddity.NO_CARD),
        (f'UPDATE {LINES} SET "CLIENTREF" = NULL WHERE "LOGICALREF" = {ONE}', Oddity.NO_CARD),
        (f'UPDATE {LINES} SET "DATE_" = NULL WHERE "LOGICALREF" = {ONE}', Oddity.NO_DATE),
        (f"""UPDATE {LINES} SET "DATE_" = '1999-12-31' WHERE "LOGICALREF" = {ONE}""", Oddity.BEFORE_2000),
        (f"""UPDATE {LINES} SET "DATE_" = '2024-12-31' WHERE "LOGICALREF" = {ONE}""", Oddity.OUTSIDE_PERIOD),
        (f'UPDATE {LINES} SET "MONTH_" = "MONTH_" % 12 + 1 WHERE "LOGICALREF" = {ONE}', Oddity.MONTH_DIFFERS),
        (f'UPDATE {LINES} SET "SIGN" = 2 WHERE "LOGICALREF" = {ONE}', Oddity.ODD_SIGN),
        (f'UPDATE {LINES} SET "AMOUNT" = NULL WHERE "LOGICALREF" = {ONE}', Oddity.NO_AMOUNT),
        (f"""UPDATE {CARDS} SET "CODE" = '120.40 0000123' WHERE "CODE" = '120.40.0000123'""", Oddity.ODD_CODE),
        (f'UPDATE {LINES} SET "AMOUNT" = "AMOUNT" + 0.01 WHERE "LOGICALREF" = 800000001', Oddity.OPENING_DIFFERS),
    ],
)
def test_each_contradiction_is_found_and_names_its_account(odd: Erp, spoil: str, oddity: Oddity) -> None:
    clean = {finding.oddity for finding in findings(logo(odd))}
    assert clean == {Oddity.OPENING_UNDATED}
    odd.sql(spoil)
    found = {finding.oddity: finding for finding in findings(logo(odd))}
    assert oddity in found
    assert found[oddity].count == 1
    if oddity is not Oddity.NO_CARD:
        assert len(found[oddity].accounts) == 1


def test_one_code_on_two_cards_is_found_where_no_index_forbids_it(odd: Erp) -> None:
    odd.sql('DROP INDEX "LOGO"."LG_201_CLCARD_CODE_idx"')
    odd.sql(f"""UPDATE {CARDS} SET "CODE" = '120.40.0000123' WHERE "CODE" = '120.40.0000124'""")
    found = {finding.oddity: finding for finding in findings(logo(odd))}
    assert (found[Oddity.TWO_CARDS].count, found[Oddity.TWO_CARDS].accounts) == (2, ("120.40.0000123",))
    odd.sql(f"""UPDATE {CARDS} SET "CODE" = '120.40.0000124' WHERE "LOGICALREF" = 100000002""")
    odd.sql(f'CREATE UNIQUE INDEX ON {CARDS} ("CODE")')


def test_cancelled_lines_and_proposals_are_nobodys_debt(odd: Erp) -> None:
    before = read(logo(odd)).balances()["120.40.0000123"]
    odd.sql(f'UPDATE {LINES} SET "STATUS" = 1 WHERE "LOGICALREF" = {ONE}')
    odd.sql(f'UPDATE {LINES} SET "CANCELLED" = 1 WHERE "LOGICALREF" = {ONE}')
    assert before == 1_254_300_50
    assert read(logo(odd)).balances()["120.40.0000123"] < before


def test_a_negative_amount_stands_on_the_other_side(odd: Erp) -> None:
    odd.sql(f'UPDATE {LINES} SET "AMOUNT" = -"AMOUNT" WHERE "LOGICALREF" = {ONE}')
    [month] = [m for m in read(logo(odd)).months if m.account == "120.40.0000123" and m.month == date(2025, 2, 1)]
    assert (month.debit_kurus, month.credit_kurus) == (0, 354_300_50)


@pytest.mark.parametrize(
    ("amounts", "kurus"),
    [
        ([9_999_999_999_999.99], 9_999_999_999_999_99),
        ([0.1] * 1000, 100_00),
        ([0.1, 0.2], 30),
        ([0.005], 1),  # half a kuruş goes up
        ([0.004999], 0),
        ([1234.5678, 1234.5678], 2469_14),  # rounded once, as a month, not line by line
        ([1e-7], 0),
    ],
)
def test_amounts_at_their_extremes(odd: Erp, amounts: list[float], kurus: int) -> None:
    insert = f"""INSERT INTO {LINES} SELECT 970000000 + n, 100000004, '2025-04-02', '2025-04-02', 4, 2025, 4, 38, 0, a, 0, 0, a, 0, 0, n,
                 'UÇ', '', '', 0, NULL FROM unnest(%s::float8[]) WITH ORDINALITY AS u(a, n)"""
    odd.sql(insert, amounts)
    [month] = [m for m in read(logo(odd)).months if m.account == "120.40.0000126" and m.month == date(2025, 4, 1)]
    assert (month.debit_kurus, month.lines) == (kurus, len(amounts))
    documents = logo(odd).documents("120.40.0000126", (date(2025, 4, 1),), TODAY)
    assert sum(document.debit_kurus for document in documents) == kurus


def test_an_older_logo_without_the_newer_columns_is_read_too(odd: Erp) -> None:
    columns = ("STATUS", "DOCDATE", "MONTH_", "YEAR_", "DEVIRPROCDATE", "TRANNO", "LINEEXP", "TRCURR")
    dropped = ", ".join(f'DROP COLUMN "{column}"' for column in columns)
    with small_database(TINY) as url, counters(url) as old:
        for table in ("LG_101_01_CLFLINE", "LG_201_01_CLFLINE"):
            old.sql(f'DROP VIEW dbo."{table}"')
            old.sql(f'ALTER TABLE "LOGO"."{table}" {dropped}')
        for table in ("L_CURRENCYLIST", "LG_201_01_PAYTRANS", "LG_201_01_GNTOTCL", "LG_101_01_CLTOTFIL"):
            old.sql(f'DROP VIEW dbo."{table}"')
            old.sql(f'DROP TABLE "LOGO"."{table}"')
        found = read(logo(old))
        assert set(found.balances()) == set(read(logo(odd)).balances())
        assert {month.month for month in found.months} >= {None, date(2025, 5, 1)}
        assert all(
            document.number == "" for document in logo(old).documents("120.40.0000123", (date(2025, 5, 1),), TODAY)
        )
        with logo(old).reading(Side.CUSTOMERS, TODAY) as reading:
            assert (reading.erp_balances(), reading.erp_months(), reading.open_items()) == (None, None, None)
        missing = logo(old).probe().missing
        assert {"LG_101_01_CLFLINE.STATUS", "L_CURRENCYLIST", "LG_201_01_PAYTRANS", "LG_201_01_GNTOTCL"} <= set(missing)
        with pytest.raises(LedgerUnreadable) as no:
            read(logo(old, basis=DateBasis.DOCUMENT))
        assert (no.value.reason, no.value.where) == (Reason.WRONG_SCHEMA, "LG_101_01_CLFLINE.DOCDATE")


def test_a_column_we_cannot_do_without_is_named() -> None:
    with small_database(TINY) as url, counters(url) as old:
        old.sql('DROP VIEW dbo."LG_101_01_CLFLINE"')
        old.sql('ALTER TABLE "LOGO"."LG_101_01_CLFLINE" DROP COLUMN "SIGN"')
        with pytest.raises(LedgerUnreadable) as no:
            logo(old).probe()
        assert (no.value.reason, no.value.where) == (Reason.WRONG_SCHEMA, "LG_101_01_CLFLINE.SIGN")


def test_an_empty_ledger_is_no_error_here(odd: Erp) -> None:
    """Whether nothing can be right is for the receivables to say."""
    for table in ("LG_101_01_CLFLINE", "LG_201_01_CLFLINE"):
        odd.sql(f'DELETE FROM "LOGO"."{table}"')
    found = read(logo(odd))
    assert (found.accounts, found.months, found.totals.erp_lines) == ([], [], 0)


def test_names_that_are_empty_or_long_arrive(odd: Erp) -> None:
    odd.sql(
        f"""UPDATE {CARDS} SET "DEFINITION_" = NULL, "EMAILADDR" = NULL, "TAXNR" = NULL WHERE "CODE" = '120.40.0000123'"""
    )
    odd.sql(
        f"""UPDATE {CARDS} SET "DEFINITION_" = %s, "DEFINITION2" = %s WHERE "CODE" = '120.40.0000124'""",
        "Ğ" * 51,
        "İ" * 200,
    )
    accounts = {account.code: account for account in read(logo(odd)).accounts}
    assert (accounts["120.40.0000123"].name, accounts["120.40.0000123"].email) == ("", "")
    assert accounts["120.40.0000124"].name == f"{'Ğ' * 51} {'İ' * 200}"
