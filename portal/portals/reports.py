"""Reports: looked at, asked for as a file, scheduled, subscribed to, downloaded again."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import msgspec
from flask import Blueprint, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import queries as accounts
from portal.accounts.guard import current_actor, current_person, may, requires
from portal.accounts.models import Person
from portal.accounts.roles import Permission
from portal.core import clock
from portal.core.api import answers, reply
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.limits import limited
from portal.core.unit_of_work import atomic
from portal.core.web import paged, region, wants_region
from portal.portals.schedules import timing_context, typed_timing
from portal.reports import catalogue, cells, queries
from portal.reports import services as reports
from portal.reports.definition import Asked, Built, Report, build
from portal.reports.states import RUN
from portal.schedules import services as schedules

bp = Blueprint("reports", __name__)
READERS = (Permission.REPORT_SEE, Permission.REPORT_SEE_OWN)
ROWS_ON_PAGE = 200


class ReportColumn(msgspec.Struct):
    """A column: `money` is whole kuruş, `day` and `instant` are ISO 8601."""

    key: str
    title: str
    kind: str


class ReportNote(msgspec.Struct):
    """What must be said beside the figures; `grave`: before one uses them."""

    label: str
    words: str
    grave: bool


class ReportAnswer(msgspec.Struct):
    """A report with every row and its control totals."""

    code: str
    name: str
    as_of: date
    parameters: dict[str, str]
    columns: list[ReportColumn]
    rows: list[list[str | int | None]]
    totals: dict[str, int]
    notes: list[ReportNote]


class ReportName(msgspec.Struct):
    """A report and what it is about."""

    code: str
    name: str
    about: str


# Pages ------------------------------------------------------------------------------------------------------


@bp.get("/reports/")
@requires(*READERS)
def show_all() -> str:
    """The reports one may read, and those that were made lately."""
    person = current_person()
    return render_template(
        "reports/list.html", reports=queries.readable(person), runs=paged(queries.runs(person)),
        machine=RUN, names=catalogue.REPORTS,
    )  # fmt: skip


@bp.get("/reports/<code>")
@requires(*READERS)
def show(code: str) -> str:
    """A report on the screen, with the same totals its file and letter have; or why there is none today."""
    person, report = current_person(), _report(code)
    values = report.values(_typed())
    built, refusal = None, None
    try:
        built = build(report, Asked(clock.today(), values, reports.scope_of(person)))
    except (BadInput, NotFound):
        raise
    except Refusal as no:
        refusal = no
    found = queries.schedules_of(code)
    readers = {schedule.id: queries.readers(schedule.id) for schedule in found}
    return render_template(
        "reports/show.html",
        report=report,
        values=values,
        built=built,
        refusal=refusal,
        columns=_columns(built) if built else [],
        rows=_shown(built) if built else [],
        most=ROWS_ON_PAGE,
        schedules=found,
        readers=readers,
        mine={s.id for s in found if any(p.id == person.id for p in readers[s.id])},
        colleagues=_colleagues(report),
        runs=paged(queries.runs(person, report=code)),
        machine=RUN,
        **timing_context(),
    )


@bp.post("/reports/<code>/runs")
@requires(*READERS)
def ask(code: str) -> Response:
    """The file, made by a worker."""
    report = _report(code)
    with atomic():
        run = reports.ask(report, _typed(), person=current_person())
    return region("", page=url_for(".run", run_id=run.id), toast=_("It is being made."))


@bp.get("/reports/runs/<int:run_id>")
@requires(*READERS)
def run(run_id: int) -> str:
    """One run: how far it is, its totals, its file, its letters."""
    found = queries.run(run_id, current_person())
    template = "reports/_run.html" if wants_region() else "reports/run.html"
    report = catalogue.REPORTS[found.report].shaped(queries.asked_of(found))
    return render_template(
        template, run=found, report=report, machine=RUN, letters=queries.deliveries(run_id),
        totals=[(c.title, cells.shown((found.totals or {}).get(c.key), c.kind)) for c in report.columns if c.summed],
    )  # fmt: skip


@bp.get("/reports/runs/<int:run_id>/file")
@requires(*READERS)
def file(run_id: int) -> Response:
    """The spreadsheet, as it was made."""
    kept = queries.file_of(queries.run(run_id, current_person()))
    return send_file(
        io.BytesIO(kept.content or b""), mimetype=kept.media_type, as_attachment=True, download_name=kept.name
    )


@bp.post("/reports/<code>/schedules")
@requires(Permission.SCHEDULE_ACT)
def schedule(code: str) -> Response:
    """The report is sent again and again; who makes the schedule is its first reader."""
    report, typed, actor = _report(code), typed_timing(), current_actor()
    name = request.form.get("name", "").strip()[:120]
    with atomic():
        made = schedules.open_schedule(
            name=name, kind="REPORT", task=code, parameters=report.values(_typed()), by=actor, **typed._asdict()
        )
        reports.subscribe(made, current_person(), by=actor)
    return _back(code, _("Scheduled. You are its first reader."))


@bp.post("/reports/<code>/schedules/<int:schedule_id>/subscription")
@requires(*READERS)
def subscribe(code: str, schedule_id: int) -> Response:
    """On the list, or off it: each for himself."""
    report, wanted = _report(code), request.form.get("wanted") == "1"
    with atomic():
        found = _schedule(report, schedule_id)
        if wanted:
            reports.subscribe(found, current_person(), by=current_actor())
        else:
            reports.unsubscribe(found, current_person().id)
    return _back(code, _("You are on the list.") if wanted else _("You are no longer on the list."))


@bp.post("/reports/<code>/schedules/<int:schedule_id>/readers")
@requires(Permission.SCHEDULE_ACT)
def add_reader(code: str, schedule_id: int) -> Response:
    """An operator puts somebody on the list, or takes somebody off it."""
    report, typed = _report(code), request.form.get("person", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 19):
        raise BadInput(fields={"person": _("Choose somebody.")})
    with atomic():
        found = _schedule(report, schedule_id)
        if request.form.get("off") == "1":
            reports.unsubscribe(found, int(typed))
        else:
            reports.subscribe(found, accounts.person(int(typed)), by=current_actor())
    return _back(code, _("The list is changed."))


# JSON -------------------------------------------------------------------------------------------------------


@bp.get("/api/reports")
@requires(*READERS)
@answers(200, list[ReportName], summary="The reports one may read")
def api_list() -> Response:
    """Codes and names."""
    return reply([ReportName(r.code, str(r.name), str(r.about)) for r in queries.readable(current_person())])


@bp.get("/api/reports/<code>")
@requires(*READERS)
@limited("30/minute")
@answers(200, ReportAnswer, summary="A report with its control totals; parameters as in the page's address")
def api_show(code: str) -> Response:
    """The same rows and totals the page, the letter and the file show."""
    report = _report(code)
    asked = Asked(clock.today(), report.values(_typed()), reports.scope_of(current_person()))
    built = build(report, asked)
    columns = [ReportColumn(c.key, str(c.title), c.kind.value) for c in built.report.columns]
    rows = [[_plain(value) for value in row] for row in built.rows]
    notes = [ReportNote(str(note.label), str(note.words), note.grave) for note in built.notes]
    values = dict(asked.values)
    return reply(ReportAnswer(code, str(report.name), asked.as_of_on, values, columns, rows, built.totals, notes))


# Inside -----------------------------------------------------------------------------------------------------


def _report(code: str) -> Report:
    report = catalogue.report(code)
    if not queries.may_read(current_person(), report):
        raise NotFound
    return report


def _schedule(report: Report, schedule_id: int) -> Any:
    found = queries.schedule_for_update(schedule_id)
    if found.task != report.code:
        raise NotFound
    return found


def _typed() -> dict[str, str]:
    """Parameters from the address or the form; two days win over the period's word."""
    typed = {**request.args.to_dict(), **request.form.to_dict()}
    first, last = typed.get("from", "").strip(), typed.get("until", "").strip()
    if first or last:
        typed["period"] = f"{first}..{last or first}"
    return typed


def _colleagues(report: Report) -> list[Person]:
    """Whom an operator may put on the list."""
    return [p for p in accounts.everybody() if queries.may_read(p, report)] if may(Permission.SCHEDULE_ACT) else []


def _columns(built: Built) -> list[tuple[Any, bool, str]]:
    return [(c.title, c.kind in cells.NUMBERS, cells.total(built, c)) for c in built.report.columns]


def _shown(built: Built) -> list[list[tuple[str, bool]]]:
    columns = built.report.columns
    return [
        [
            (cells.shown(value, column.kind), column.kind in cells.NUMBERS)
            for value, column in zip(row, columns, strict=True)
        ]
        for row in built.rows[:ROWS_ON_PAGE]
    ]


def _plain(value: Any) -> str | int | None:
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)


def _back(code: str, toast: str) -> Response:
    return region("", page=url_for("reports.show", code=code), toast=toast)
