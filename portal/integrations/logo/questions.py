"""Logo's questions, filled in for the periods and columns that are there."""

from __future__ import annotations

from pathlib import Path

from portal.integrations.erp.line import from_file
from portal.integrations.erp.reading import only_these
from portal.integrations.logo.catalogue import PAYMENTS, Catalogue
from portal.integrations.logo.periods import Period
from portal.receivables.ports import DateBasis, LedgerUnreadable, Reason

HERE = Path(__file__).parent / "sql"
OPENING = '(L."MODULENR" = 5 AND L."TRCODE" = 14)'
# Logo leaves empty dates at the beginning of its own time.
TRUE_DAY = 'YEAR(L."DEVIRPROCDATE") > 1990'
EVERYTHING = "1 = 1"


class Questions:
    """For one side (`prefix`, three digits). Which lines count, and under which day, is said here and nowhere else."""

    def __init__(self, catalogue: Catalogue, periods: tuple[Period, ...], basis: DateBasis, prefix: str) -> None:
        assert prefix.isascii() and prefix.isdigit()
        self.catalogue, self.periods, self.basis, self.prefix = catalogue, periods, basis, prefix
        for period in periods:
            if basis is DateBasis.DOCUMENT and not self._has(period, "DOCDATE"):
                raise LedgerUnreadable(Reason.WRONG_SCHEMA, where=f"{period.table('CLFLINE')}.DOCDATE")

    def months(self, only: int = 0) -> str:
        """Sums by account and month, of so many accounts or of all; parameters: the day after, and their codes."""
        return from_file(
            HERE, "months", all_lines=self._lines(self.periods), only=only_these('T."CODE"', only, "WHERE")
        )

    def fingerprints(self) -> str:
        """What every account's lines add up to; one parameter: the day after."""
        return from_file(HERE, "fingerprints", all_lines=self._lines(self.periods))

    def totals(self) -> str:
        """The control totals."""
        return from_file(HERE, "totals", all_lines=self._lines(self.periods))

    def accounts(self, firm: int, only: int = 0) -> str:
        """One firm's cards that have lines; of so many accounts, whose codes are the parameters, or of all."""
        periods = [period for period in self.periods if period.firm == firm]
        has_lines = " OR ".join(self._filled("has_lines", period) for period in periods)
        cards = periods[0].cards
        return self._filled(
            "accounts", periods[0], has_lines=has_lines, only=only_these('C."CODE"', only, "AND"), more_name=self._column(cards, "C", "DEFINITION2"),
            currency=self._column(cards, "C", "CCURRENCY", "0"), email=self._column(cards, "C", "EMAILADDR"),
            tax=self._tax(cards), group=self._column(cards, "C", "SPECODE"),
        )  # fmt: skip

    def oddities(self, period: Period) -> str:
        """Contradictions in one period's lines; parameters: its first day and the day after its last."""
        stored = self._has(period, "MONTH_", "YEAR_")
        differs = '(L."YEAR_" <> YEAR(L."DATE_") OR L."MONTH_" <> MONTH(L."DATE_"))' if stored else "1 = 0"
        return self._filled("oddities", period, month_differs=differs)

    def odd_cards(self, firm: int) -> str:
        """Contradictions in one firm's cards."""
        return self._filled("odd_cards", next(period for period in self.periods if period.firm == firm))

    def openings(self, period: Period) -> str:
        """What a later period opened with, against what those before closed with."""
        before = self.periods[: self.periods.index(period)]
        return self._filled("openings", period, lines_before=self._lines(before))

    def undated(self) -> str:
        """Openings of the first period that do not say from when they stem."""
        first = self.periods[0]
        known = self._has(first, "DEVIRPROCDATE")
        no_true_day = f'(L."DEVIRPROCDATE" IS NULL OR NOT {TRUE_DAY})' if known else EVERYTHING
        return self._filled("undated", first, no_true_day=no_true_day)

    def balances(self) -> str | None:
        """Logo's own balances; None where it keeps none."""
        table = self.catalogue.totals(self.periods[-1], "GNTOTCL")
        return table and self._filled("balances", self.periods[-1], balances=self.catalogue.name(table))

    def month_totals(self, period: Period) -> str | None:
        """Logo's own sums a month; None where it keeps none."""
        table = self.catalogue.totals(period, "CLTOTFIL")
        return table and self._filled("month_totals", period, month_totals=self.catalogue.name(table))

    def open_items(self) -> str | None:
        """The newest period's payment plan; one parameter: the day after. None where there is none."""
        newest = self.periods[-1]
        if not self.catalogue.has(newest.table("PAYTRANS"), *PAYMENTS):
            return None
        return self._filled("open_items", newest, payments=self.catalogue.name(newest.table("PAYTRANS")))

    def documents(self, period: Period) -> str:
        """One account's lines; parameters: its code, the day after."""
        lines = period.table("CLFLINE")
        return self._filled(
            "documents", period, day=self._day(period), wanted=self._wanted(period),
            number=self._column(lines, "L", "TRANNO"), text=self._column(lines, "L", "LINEEXP"),
            currency=self._column(lines, "L", "TRCURR", "0"),
        )  # fmt: skip

    def latest(self, period: Period) -> str:
        """How many lines, and the newest day."""
        return self._filled("latest", period)

    def _lines(self, periods: tuple[Period, ...]) -> str:
        return "\nUNION ALL\n".join(
            self._filled("lines", period, day=self._day(period), wanted=self._wanted(period)) for period in periods
        )

    def _filled(self, name: str, period: Period, **more: str) -> str:
        real = 'L."STATUS" = 0' if self._has(period, "STATUS") else EVERYTHING
        return from_file(
            HERE, name, lines=self.catalogue.name(period.table("CLFLINE")), cards=self.catalogue.name(period.cards),
            prefix=self.prefix, real=real, **more,
        )  # fmt: skip

    def _wanted(self, period: Period) -> str:
        """Where the period before is read too, the opening only repeats it."""
        return EVERYTHING if period is self.periods[0] else f"NOT {OPENING}"

    def _day(self, period: Period) -> str:
        """The day a line counts under; none for an opening that does not say from when it stems."""
        ordinary = 'COALESCE(L."DOCDATE", L."DATE_")' if self.basis is DateBasis.DOCUMENT else 'L."DATE_"'
        if period is not self.periods[0]:
            return ordinary
        if not self._has(period, "DEVIRPROCDATE"):
            return f"CASE WHEN {OPENING} THEN NULL ELSE {ordinary} END"
        return f'CASE WHEN NOT {OPENING} THEN {ordinary} WHEN {TRUE_DAY} THEN L."DEVIRPROCDATE" ELSE NULL END'

    def _has(self, period: Period, *columns: str) -> bool:
        return self.catalogue.has(period.table("CLFLINE"), *columns)

    def _column(self, table: str, alias: str, column: str, otherwise: str = "''") -> str:
        return f'{alias}."{column}"' if self.catalogue.has(table, column) else otherwise

    def _tax(self, cards: str) -> str:
        """A company's tax number, or a person's."""
        firm, person = self._column(cards, "C", "TAXNR"), self._column(cards, "C", "TCKNO")
        return f"COALESCE(NULLIF({firm}, ''), {person})"
