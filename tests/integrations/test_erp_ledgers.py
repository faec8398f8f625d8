"""Every source against the same ledger, over the real drivers: what arrives equals PostgreSQL's own sums to the kuruş."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from portal.integrations.ledgers import ledger_sources
from portal.receivables.ports import DateBasis, LedgerSource, LedgerUnreadable, MonthSum, Oddity, Reason, Side
from tests.erp import TODAY, Erp, findings, needs_odbc, read

SOURCES = ("logo_hana", "logo_mssql", "sapb1_hana")


@pytest.fixture(params=SOURCES)
def name(request: pytest.FixtureRequest) -> str:
    """Each source in turn."""
    if request.param == "logo_mssql":
        needs_odbc()
    return str(request.param)


@pytest.fixture
def source(erp: Erp, name: str) -> LedgerSource:
    """As the portal's wiring makes it."""
    return ledger_sources(erp.settings(customer_ledgers=(name,), supplier_ledgers=(name,))).of(Side.CUSTOMERS)


# Written apart from the adapters' SQL: over Logo's tables, one line at a time, no CASE on the sign.
EXPECTED = """
WITH every AS (
    SELECT c."CODE" AS code, l."AMOUNT"::numeric AS amount, l."SIGN" AS sign,
           CASE WHEN l."TRCODE" = 14 AND l."MODULENR" = 5 THEN l."DEVIRPROCDATE" ELSE l."DATE_" END AS on_day
    FROM "LOGO"."LG_101_01_CLFLINE" l JOIN "LOGO"."LG_101_CLCARD" c ON c."LOGICALREF" = l."CLIENTREF"
    WHERE l."CANCELLED" + l."STATUS" = 0 AND c."CARDTYPE" = 3
    UNION ALL
    SELECT c."CODE", l."AMOUNT"::numeric, l."SIGN", l."DATE_"
    FROM "LOGO"."LG_201_01_CLFLINE" l JOIN "LOGO"."LG_201_CLCARD" c ON c."LOGICALREF" = l."CLIENTREF"
    WHERE l."CANCELLED" + l."STATUS" = 0 AND c."CARDTYPE" = 3 AND l."TRANNO" <> 'DEVIR'
), signed AS (SELECT code, on_day, amount * (1 - 2 * sign) AS raises FROM every)
SELECT code, date_trunc('month', on_day)::date, coalesce(on_day::date > %s, false),
       (100 * coalesce(sum(raises) FILTER (WHERE raises > 0), 0))::bigint,
       (-100 * coalesce(sum(raises) FILTER (WHERE raises < 0), 0))::bigint, count(*)
FROM signed WHERE code LIKE %s GROUP BY 1, 2, 3
"""


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("as_of", [TODAY, date(2024, 2, 29)])
def test_every_month_of_every_account_equals_the_databases_own_sums(
    erp: Erp, source: LedgerSource, side: Side, as_of: date, name: str
) -> None:
    question = EXPECTED
    if name == "sapb1_hana":  # SAP does not say from when an opening stems
        question = question.replace('THEN l."DEVIRPROCDATE"', "THEN NULL")
    expected = {row[:3]: row[3:] for row in erp.sql(question, as_of, f"{side.value}%")}
    assert read(source, side, as_of).by_month() == expected


def test_the_control_totals_are_the_same_sums_made_again(source: LedgerSource) -> None:
    found = read(source)
    assert found.totals.read_lines == found.totals.erp_lines == sum(month.lines for month in found.months)
    assert found.totals.read_debit_micro == found.totals.erp_debit_micro
    assert found.totals.read_credit_micro == found.totals.erp_credit_micro
    assert found.totals.read_debit_micro == 10_000 * sum(month.debit_kurus for month in found.months)


def test_fingerprints_are_what_the_months_add_up_to_and_any_account_can_be_read_alone(source: LedgerSource) -> None:
    with source.reading(Side.CUSTOMERS, TODAY) as reading:
        theirs = {row.account: row for some in reading.fingerprints() for row in some}
        assert reading.totals().read_lines == sum(row.lines for row in theirs.values())
        codes = sorted(theirs)[3::50]
        alone = [month for some in reading.months(codes) for month in some]
        assert [card.code for some in reading.accounts(codes) for card in some] == codes
        months = [month for some in reading.months() for month in some]
        assert reading.totals().read_lines == sum(month.lines for month in months)  # counted anew
    assert any(month.future for month in months) and len(codes) > 2
    assert alone == [month for month in months if month.account in codes]
    for code, row in theirs.items():
        mine = [month for month in months if month.account == code]
        weights = [(m.month.year * 100 + m.month.month if m.month else 0) * 2 + m.future for m in mine]
        sides = [[m.debit_kurus for m in mine], [m.credit_kurus for m in mine]]
        weighted = [sum(kurus * weight for kurus, weight in zip(side, weights, strict=True)) for side in sides]
        sums = [10_000 * kurus for kurus in (*map(sum, sides), *weighted)]
        found = [row.debit_micro, row.credit_micro, row.debit_weight, row.credit_weight]
        assert (row.lines, found) == (sum(m.lines for m in mine), sums), code


def test_accounts_are_those_with_lines_in_the_order_of_the_months(source: LedgerSource) -> None:
    found = read(source)
    codes = [account.code for account in found.accounts]
    assert codes == sorted({month.account for month in found.months})
    assert list(dict.fromkeys(month.account for month in found.months)) == codes
    assert "120.99.GRUP" not in codes  # a group company is nobody's debt


def test_turkish_names_arrive_as_they_were_written(erp: Erp, source: LedgerSource) -> None:
    names = {account.code: account.name for account in read(source).accounts}
    assert names["120.40.0000123"] == "AYTEK TEKNOLOJİ A.Ş."
    assert names["120.40.0000124"] == "ÇIĞIR ÖDEMESİ SONRADAN GELEN LTD. ŞTİ."
    assert set(names.values()) <= {row[0] for row in erp.sql('SELECT "DEFINITION_" FROM "LOGO"."LG_201_CLCARD"')}


def test_a_card_in_euro_and_a_passive_card_say_so(erp: Erp, source: LedgerSource) -> None:
    accounts = {account.code: account for account in read(source).accounts}
    passive = {row[0] for row in erp.sql('SELECT "CODE" FROM "LOGO"."LG_201_CLCARD" WHERE "ACTIVE" = 1')}
    euro = {row[0] for row in erp.sql('SELECT "CODE" FROM "LOGO"."LG_201_CLCARD" WHERE "CCURRENCY" = 20')}
    assert {code for code, account in accounts.items() if account.passive} == passive & set(accounts)
    assert {code for code, account in accounts.items() if account.currency == "EUR"} == euro & set(accounts)
    assert {account.currency for account in accounts.values()} == {"TRY", "EUR"}


def test_the_letters_example_has_its_months(source: LedgerSource) -> None:
    months = {m.month: m.debit_kurus - m.credit_kurus for m in read(source).months if m.account == "120.40.0000123"}
    assert sum(months.values()) == 1_254_300_50
    assert [months[date(2025, month, 1)] for month in (2, 3, 4, 5)] == [354_300_50, 400_000_00, 250_000_00, 50_000_00]


def test_the_erps_own_balances_agree_with_the_lines(source: LedgerSource) -> None:
    with source.reading(Side.CUSTOMERS, TODAY) as reading:
        months = [month for some in reading.months() for month in some]
        theirs = reading.erp_balances()
        assert theirs is not None
        balances = {row.account: row.debit_kurus - row.credit_kurus for some in theirs for row in some}
    ours = {account: _net(months, account) for account in {month.account for month in months}}
    assert {code: balance for code, balance in balances.items() if code in ours} == ours


def test_the_erps_own_months_agree_with_the_lines(source: LedgerSource, name: str) -> None:
    with source.reading(Side.CUSTOMERS, TODAY) as reading:
        months = [month for some in reading.months() for month in some]
        theirs = reading.erp_months()
    if name == "sapb1_hana":
        assert theirs is None
        return
    assert theirs is not None
    # The months in which a period opens are not compared: Logo counts the opening there once more.
    assert {date(2023, 1, 1), date(2025, 1, 1)}.isdisjoint(row.month for row in theirs)
    assert len(theirs) > 20
    for row in theirs:
        of_month = [month for month in months if month.month == row.month]
        ours = sum(month.debit_kurus - month.credit_kurus for month in of_month)
        assert row.debit_kurus - row.credit_kurus == ours


@pytest.mark.parametrize("account", ["120.40.0000123", "120.40.0000127", "320.34.0000001"])
def test_the_documents_behind_a_month_add_up_to_it(source: LedgerSource, account: str) -> None:
    side = Side(account[:3])
    months = [month for month in read(source, side).months if month.account == account and not month.future]
    assert months
    for month in months[-6:]:
        documents = source.documents(account, (month.month,), TODAY)
        assert len(documents) == month.lines
        assert sum(document.debit_kurus for document in documents) == month.debit_kurus
        assert sum(document.credit_kurus for document in documents) == month.credit_kurus
        assert {document.on.replace(day=1) for document in documents if document.on} == {month.month}
        assert all(document.on is not None and document.on <= TODAY for document in documents)


def test_the_documents_of_what_was_carried_in_are_openings_without_a_day(source: LedgerSource) -> None:
    carried = next(month for month in read(source).months if month.month is None)
    [opening] = source.documents(carried.account, (None,), TODAY)
    assert (opening.on, opening.opening) == (None, True)
    assert (opening.debit_kurus, opening.credit_kurus) == (carried.debit_kurus, carried.credit_kurus)


def test_lines_dated_tomorrow_stand_apart(source: LedgerSource) -> None:
    found = read(source)
    future = [month for month in found.months if month.future]
    assert future
    assert all(month.first_on and month.first_on > TODAY for month in future)
    last = max(month.last_on for month in found.months if month.last_on)
    assert not [month for month in read(source, as_of=last).months if month.future]
    assert [month for month in read(source, as_of=last - timedelta(days=1)).months if month.future]


def test_open_items_are_what_nobody_has_allocated(source: LedgerSource) -> None:
    with source.reading(Side.CUSTOMERS, TODAY) as reading:
        months = [month for some in reading.months() for month in some]
        found = reading.open_items()
        assert found is not None
        items = [item for some in found for item in some]
    # Nothing is ever allocated in this ledger: the open items are the balance.
    assert sum(item.debit_kurus - item.credit_kurus for item in items) == sum(
        month.debit_kurus - month.credit_kurus for month in months if not month.future
    )


def test_the_source_says_how_it_is(source: LedgerSource, name: str) -> None:
    condition = source.probe()
    assert condition.source == source.name
    assert condition.latest_on is not None and condition.latest_on > TODAY
    assert condition.missing == ()
    assert len(condition.partitions) == (1 if name == "sapb1_hana" else 2)


def test_a_ledger_without_contradictions_has_only_undated_openings(source: LedgerSource) -> None:
    [undated] = findings(source)
    assert undated.oddity is Oddity.OPENING_UNDATED
    assert undated.count == sum(month.lines for month in read(source).months if month.month is None)
    assert len(undated.accounts) == 20


def test_by_the_documents_date_the_months_are_others_and_the_sum_the_same(erp: Erp, name: str) -> None:
    posted, document = (
        read(ledger_sources(erp.settings(customer_ledgers=(name,), date_basis=basis)).of(Side.CUSTOMERS))
        for basis in DateBasis
    )
    assert posted.balances() == document.balances()
    assert posted.by_month() != document.by_month()


def test_a_wrong_password_is_said_plainly(erp: Erp, name: str) -> None:
    wrong = erp.settings(customer_ledgers=(name,), hana_password="x", mssql_password="x")
    with pytest.raises(LedgerUnreadable) as no:
        ledger_sources(wrong).of(Side.CUSTOMERS).probe()
    assert no.value.reason is Reason.WRONG_PASSWORD


def test_a_side_without_a_source_is_said_plainly(erp: Erp) -> None:
    with pytest.raises(LedgerUnreadable) as no:
        ledger_sources(erp.settings(supplier_ledgers=())).of(Side.SUPPLIERS)
    assert no.value.reason is Reason.NOT_CONFIGURED


def test_fewer_lines_than_the_erp_counted_is_half_an_answer(source: LedgerSource) -> None:
    with source.reading(Side.CUSTOMERS, TODAY) as reading:
        next(reading.months())
        with pytest.raises(LedgerUnreadable) as no:
            reading.totals()
    assert no.value.reason is Reason.HALF_AN_ANSWER


def test_sums_of_binary_amounts_are_exact(erp: Erp) -> None:
    """The naive twin adds Logo's floats as they are, and is off."""
    [(naive, exact)] = erp.sql(
        'SELECT sum("AMOUNT"), sum("AMOUNT"::numeric) FROM "LOGO"."LG_101_01_CLFLINE" WHERE "CANCELLED" + "STATUS" = 0'
    )
    assert Decimal(naive) != exact
    assert Decimal(naive).quantize(Decimal("0.0001")) == exact.quantize(Decimal("0.0001"))


def _net(months: list[MonthSum], account: str) -> int:
    return sum(month.debit_kurus - month.credit_kurus for month in months if month.account == account)
