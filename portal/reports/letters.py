"""A report as a letter: its totals, its first rows, and the spreadsheet enclosed; or the news that there is none."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.accounts.models import Person
from portal.core import formats
from portal.mail import services as mail
from portal.reports import cells
from portal.reports.definition import Built, Report
from portal.reports.models import ReportRun

ROWS_IN_LETTER = 15


def send(built: Built, run: ReportRun, reader: Person, enclosure_id: int) -> None:
    """The finished report to one reader, in the reader's language; once per run and reader."""
    with force_locale(reader.language):
        context = _context(built, run, reader)
        subject = f"{built.report.name} · {formats.day(run.as_of_on)}{_headline(built)}"
        if run.late:
            subject = _("Late") + f": {subject}"
        mail.write(
            f"report:{run.id}:{reader.id}",
            to=reader.email,
            person_id=reader.id,
            language=reader.language,
            subject=subject,
            text=_page("mail/report.txt", subject=subject, **context),
            html=_page("mail/report.html", subject=subject, **context),
            about=("report run", run.id),
            enclosure_id=enclosure_id,
            unsubscribe_url=context["url"],
        )


def send_apology(report: Report, run: ReportRun, reader: Person, why: str) -> None:
    """The report could not be made: the reader hears it instead of waiting for nothing."""
    with force_locale(reader.language):
        subject = _("Could not be made: %(name)s, %(day)s", name=report.name, day=formats.day(run.as_of_on))
        context = {"person": reader, "name": str(report.name), "run": run, "why": why, "url": _address(run)}
        mail.write(
            f"report-failed:{run.id}:{reader.id}",
            to=reader.email,
            person_id=reader.id,
            language=reader.language,
            subject=subject,
            text=_page("mail/report_failed.txt", subject=subject, **context),
            html=_page("mail/report_failed.html", subject=subject, **context),
            about=("report failure", run.id),
        )


def _context(built: Built, run: ReportRun, reader: Person) -> dict[str, Any]:
    """Everything as words already: the letter and its plain twin show the same."""
    columns = built.report.columns
    shown = [place for place, column in enumerate(columns) if column.in_letter]
    return {
        "person": reader,
        "name": str(built.report.name),
        "run": run,
        "said": [*built.report.said(built.asked.values), *((n.label, n.words) for n in built.notes if not n.grave)],
        "warnings": [(n.label, n.words) for n in built.notes if n.grave],
        "figures": [(c.title, cells.total(built, c)) for c in columns if c.summed],
        "row_count": built.totals["rows"],
        "columns": [(columns[place].title, columns[place].kind in cells.NUMBERS) for place in shown],
        "rows": [
            [(cells.shown(row[place], columns[place].kind), columns[place].kind in cells.NUMBERS) for place in shown]
            for row in built.rows[:ROWS_IN_LETTER]
        ],
        "more": max(0, built.totals["rows"] - ROWS_IN_LETTER),
        "period": " – ".join(formats.day(d) for d in dict.fromkeys(_days(built))),
        "url": _address(run),
    }


def _days(built: Built) -> tuple[Any, ...]:
    periods = [p.key for p in built.report.parameters if p.period]
    return built.asked.period(periods[0]) if periods else (built.asked.as_of_on,)


def _headline(built: Built) -> str:
    """A sum of money belongs into the subject: many read no further."""
    sums = [column for column in built.report.columns if column.summed and column.kind == "money"]
    money = next((column for column in sums if column.key == built.report.headline), sums[0] if sums else None)
    return f" · {money.title} {cells.total(built, money)}" if money else ""


def _address(run: ReportRun) -> str:
    return f"{current_app.config['PORTAL_URL']}/reports/{run.report}"


def _page(template: str, **context: Any) -> str:
    return current_app.jinja_env.get_template(template).render(**context)
