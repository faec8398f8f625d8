"""SAP Business One's questions, filled in for the columns that are there (facts: ERP §2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from portal.integrations.erp.line import ErpLine, all_rows, from_file, missing
from portal.integrations.erp.reading import only_these
from portal.receivables.ports import DateBasis, Side

HERE = Path(__file__).parent / "sql"
NEEDED = {
    "OCRD": ("CardCode", "CardName", "CardType", "Balance", "Currency", "frozenFor"),
    "OJDT": ("TransId", "TransType", "TransCode"),
    "JDT1": (
        "TransId",
        "Line_ID",
        "ShortName",
        "Debit",
        "Credit",
        "RefDate",
        "DueDate",
        "TransType",
        "BaseRef",
        "LineMemo",
        "FCCurrency",
    ),
}
USEFUL = {
    "OCRD": ("E_Mail", "LicTradNum", "SlpCode", "GroupCode"), "OSLP": ("SlpCode", "SlpName"), "OCRG": ("GroupCode", "GroupName"),
    "JDT1": ("TaxDate", "BalDueDeb", "BalDueCred"), "OITR": ("ReconNum", "ReconDate"),
    "ITR1": ("ReconNum", "TransId", "TransRowId", "ReconSum", "IsCredit"),
}  # fmt: skip
KIND = {Side.CUSTOMERS: "C", Side.SUPPLIERS: "S"}
OPENING_BALANCE = "-2"  # the type of SAP's own opening entries


class SapCatalogue:
    """Which tables and columns are there. Refuses with WRONG_SCHEMA when one we cannot do without is not."""

    def __init__(self, line: ErpLine, schema: str) -> None:
        self.schema = schema
        tables = sorted({*NEEDED, *USEFUL})
        sql = from_file(HERE, "columns", marks=", ".join("?" * len(tables)))
        self.columns: set[tuple[str, str]] = {
            (str(table), str(column)) for table, column in all_rows(line, sql, [schema, *tables])
        }
        for table, columns in NEEDED.items():
            if table not in {known for known, _column in self.columns}:
                raise missing(table)
            for column in columns:
                if (table, column) not in self.columns:
                    raise missing(f"{table}.{column}")

    def has(self, table: str, *columns: str) -> bool:
        """Whether these columns are there."""
        return all((table, column) in self.columns for column in columns or USEFUL[table])

    def missing(self) -> tuple[str, ...]:
        """What would be read if it were there."""
        return tuple(
            f"{table}.{column}"
            for table, columns in USEFUL.items()
            for column in columns
            if not self.has(table, column)
        )


class SapQuestions:
    """For one side. `opening_codes` are the transaction codes of the entries that brought the balances in."""

    def __init__(self, there: SapCatalogue, side: Side, basis: DateBasis, opening_codes: Sequence[str]) -> None:
        assert all(code.isalnum() and code.isascii() for code in opening_codes)
        if basis is DateBasis.DOCUMENT and not there.has("JDT1", "TaxDate"):
            raise missing("JDT1.TaxDate")
        self.there, self.side = there, side
        codes = ", ".join(f"'{code}'" for code in opening_codes)
        self.opening = f"(H.\"TransType\" = '{OPENING_BALANCE}'" + (
            f' OR H."TransCode" IN ({codes}))' if codes else ")"
        )
        self.day = 'COALESCE(J."TaxDate", J."RefDate")' if basis is DateBasis.DOCUMENT else 'J."RefDate"'

    def filled(self, name: str, **more: str) -> str:
        """A file's SQL, with tables, side and what counts as an opening."""
        schema = f'"{self.there.schema}".'
        return from_file(
            HERE, name, journal=f'{schema}"JDT1"', heads=f'{schema}"OJDT"', partners=f'{schema}"OCRD"', matches=f'{schema}"ITR1"',
            matchings=f'{schema}"OITR"', prefix=self.side.value, kind=KIND[self.side], opening=self.opening, undated=self.opening,
            day=self.day, **more,
        )  # fmt: skip

    def grouped(self, name: str) -> str:
        """Fingerprints or totals over this side's lines."""
        return self.filled(name, all_lines=self.filled("lines"))

    def months(self, only: int = 0) -> str:
        """Sums by partner and month, of so many partners or of all; parameters: the day after, and their codes."""
        return self.filled("months", all_lines=self.filled("lines"), only=only_these('T."CODE"', only, "WHERE"))

    def accounts(self, only: int = 0) -> str:
        """With sales employee and group where those tables are there."""
        schema, joins = f'"{self.there.schema}".', []
        people = self.there.has("OSLP") and self.there.has("OCRD", "SlpCode")
        groups = self.there.has("OCRG") and self.there.has("OCRD", "GroupCode")
        if people:
            joins.append(f'LEFT JOIN {schema}"OSLP" S ON S."SlpCode" = O."SlpCode"')
        if groups:
            joins.append(f'LEFT JOIN {schema}"OCRG" G ON G."GroupCode" = O."GroupCode"')
        return self.filled(
            "accounts", only=only_these('O."CardCode"', only, "AND"), more=" ".join(joins),
            salesperson='S."SlpName"' if people else "''", group='G."GroupName"' if groups else "''",
            email='O."E_Mail"' if self.there.has("OCRD", "E_Mail") else "''",
            tax='O."LicTradNum"' if self.there.has("OCRD", "LicTradNum") else "''",
        )  # fmt: skip

    def open_items(self) -> str | None:
        """None where SAP's reconciliations cannot be read."""
        there = self.there.has("ITR1") and self.there.has("OITR") and self.there.has("JDT1", "BalDueDeb", "BalDueCred")
        return self.filled("open_items") if there else None
