"""The desk's addresses, for people and for machines: what is asked for happens, what may not is refused politely."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pypdfium2
from flask import Flask
from sqlalchemy import text

from portal import demo, demo_commission
from portal.commission import periods as looks
from portal.commission import queries, rehearsal
from portal.commission.rules import Share
from portal.commission.statements import statement
from portal.commission.why import WIDE, why
from portal.core import clock
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.health.books import ask_the_books
from tests.cast import Cast, Machine, api, sign_in
from tests.commission import AGENT, SOURCE, Office, ask

DESK = "/admin/commission"
PAGES = [
    "", "?period=2026-11&team=Kuzey&as_of=20.11.2026", "?as_of=nonsense&period=x", "deals", "deals?state=WON", "snapshots",
    "snapshots?state=PENDING_APPROVAL", "snapshots/1", "lines/1", "policies", "payouts", "payouts/1", "corrections",
    "period-locks", "period-locks?period=2026-10", "period-locks?period=13", "disputes", "disputes/1", "rehearsal",
    "rehearsal?policy=1&quarter=2026-07", "agents", "hands", "audit",
    "audit?kind=snapshot",
]  # fmt: skip


def post(machine: Machine, url: str, **body: Any) -> tuple[int, Any]:
    """A machine asks for something."""
    answer = machine.client.post(f"{DESK}/{url}", json=body, headers=machine.headers())
    return answer.status_code, answer.get_json()


def get(machine: Machine, url: str) -> tuple[int, Any]:
    """A machine looks at something."""
    answer = machine.client.get(f"{DESK}/{url}", headers=machine.headers())
    return answer.status_code, answer.get_json()


def test_the_demo_month_shows_itself_on_every_page_in_both_languages(app: Flask, cast: Cast) -> None:
    demo_commission.load()
    demo_commission.load()
    assert ask("SELECT count(*) FROM deal") == [(len(demo_commission.DEALS) + 1,)]
    for _ in range(2):
        with atomic():
            demo.report_schedules()
    assert ask("SELECT count(*) FROM schedule") == [(len(demo.SENDINGS),)]
    assert ask("SELECT count(*) FROM report_reader") == [(sum(len(one.readers) for one in demo.SENDINGS),)]
    assert ask_the_books() == []
    db.session.rollback()
    for person in (cast.ayse, cast.burak, cast.gul):
        browser = sign_in(app, person)
        for language in ("tr", "en"):
            browser.post("/preferences/language", language=language)
            for page in PAGES:
                status, text = browser.get(f"{DESK}/{page}")
                assert status == 200, (page, text[-800:])
                assert f'<html lang="{language}"' in text
    machine = api(app, cast.ayse)
    for page in PAGES:
        assert get(machine, page)[0] == 200, page
    mine = sign_in(app, cast.burak)
    line = next(row.line.id for row, _s, _t in queries.lines_of_person(cast.burak.id))
    db.session.rollback()
    for page in ("/commission/", f"/commission/lines/{line}"):
        assert mine.get(page)[0] == 200


def test_a_machine_goes_the_whole_way(app: Flask, cast: Cast, office: Office) -> None:
    ayse, burak = api(app, cast.ayse), api(app, cast.burak)
    body = {
        "title": "Satış",
        "agent_id": office.ipek.id,
        "lead_answers": {"closeSummary": {"commissionBaseAmount": 50_000_00}},
    }
    status, deal = post(ayse, "deals", **body)
    assert (status, deal["state"]) == (201, "OPEN")
    assert post(ayse, f"deals/{deal['id']}/outcome", outcome="WON")[0] == 200
    status, made = post(ayse, "snapshots", deal_id=deal["id"], idempotency_key="k")
    assert (status, made["base_amount_minor"], made["pool_amount_minor"]) == (201, 50_000_00, 1_500_00)
    assert post(ayse, "snapshots", deal_id=deal["id"], idempotency_key="k")[1]["id"] == made["id"]
    url = f"snapshots/{made['id']}/approve"
    assert post(ayse, url, digest=made["digest"])[1]["error"] == "same_person"
    assert post(burak, url)[0] == 422
    assert post(burak, url, digest="x")[1]["error"] == "changed_meanwhile"
    assert post(burak, url, digest=made["digest"])[1]["state"] == "APPROVED"
    assert post(burak, url, digest=made["digest"])[0] == 409
    status, batch = post(ayse, "payouts", idempotency_key="p")
    assert (status, batch["total_minor"]) == (201, 1_050_00)
    assert post(ayse, f"payouts/{batch['id']}/approve", digest=batch["digest"])[1]["error"] == "same_person"
    assert post(burak, f"payouts/{batch['id']}/approve", digest=batch["digest"])[1]["state"] == "PAID"
    status, back = post(
        ayse, f"snapshots/{made['id']}/reverse", amount_minor=50_00, because="iade", idempotency_key="r"
    )
    assert (status, back["state"]) == (201, "PROPOSED")
    assert post(burak, f"corrections/{back['id']}/approve", digest=back["digest"])[1]["state"] == "DONE"
    people = get(ayse, "")[1]["people"]
    row = next(p for p in people if p["name"] == "İpek Aydın")
    assert row["earned_minor"] - row["paid_minor"] - row["reversed_minor"] == row["outstanding_minor"] == -50_00
    lines = get(burak, f"snapshots/{made['id']}")[1]["lines"]
    assert [line["amount_minor"] for line in lines] == [1_050_00, 450_00]
    steps = get(burak, f"lines/{lines[0]['id']}")[1]["steps"]
    assert steps[-1]["minor"] == -50_00


def test_a_deal_without_a_base_amount(app: Flask, cast: Cast, office: Office) -> None:
    ayse = api(app, cast.ayse)
    deal = post(ayse, "deals", title="Satış", agent_id=office.ipek.id)[1]
    post(ayse, f"deals/{deal['id']}/outcome", outcome="WON")
    status, no = post(ayse, "snapshots", deal_id=deal["id"], idempotency_key="k")
    assert (status, no["error"]) == (422, "base_amount_missing")
    assert "Base Amount Missing" in no["message"]


NONSENSE: list[tuple[str, dict[str, Any]]] = [
    ("deals", {"title": 5.5, "agent_id": []}),
    ("deals", {"title": "\x00", "agent_id": 1}),
    ("deals", {"title": "x", "agent_id": 10**25}),
    ("snapshots", {"deal_id": "1", "idempotency_key": None}),
    ("snapshots", {"deal_id": {}, "idempotency_key": "x"}),
    ("snapshots/approval", {"snapshots": [{"id": 1}]}),
    ("snapshots/approval", {"snapshots": "x"}),
    ("policies", {"method": "PERCENTAGE", "percent": "NaN", "shares": [{"role": "X"}]}),
    ("policies", {"method": "PERCENTAGE", "percent": "1e400", "name": "x", "wording": "x"}),
    ("policies", {"method": "FIXED", "fixed_commission_minor": -1, "name": "x", "wording": "x"}),
    ("payouts", {"pay_on": "2026-13-01", "idempotency_key": "x"}),
    ("period-locks", {"period": "2026-1", "digest": "x", "because": "x"}),
    ("period-locks", {"period": "9999-12", "digest": "x", "because": "x"}),
    ("disputes/1/resolve", {"resolution": "NEVER"}),
    ("disputes/1/status", {"resolution": "RAISE", "amount_minor": True, "because": "x"}),
]


def test_nonsense_is_refused_and_named(app: Flask, cast: Cast) -> None:
    machine = api(app, cast.ayse)
    for url, body in NONSENSE:
        status, answer = post(machine, url, **body)
        assert status in (400, 404, 422), (url, body, status, answer)
        assert answer["error"] in ("bad_input", "bad_request", "not_found"), (url, body, answer)


def test_months_are_locked_as_the_preview_says_and_released_by_two(app: Flask, cast: Cast, office: Office) -> None:
    ayse, gul, burak = api(app, cast.ayse), api(app, cast.gul), api(app, cast.burak)
    day = clock.today().replace(day=1) - timedelta(days=3)
    office.approved(on=day)
    period = f"{day:%Y-%m}"
    looked = get(ayse, f"period-locks?period={period}")[1]
    assert post(ayse, "period-locks", period=period, digest="x", because="ay sonu")[0] == 409
    assert post(burak, "period-locks", period=period, digest=looked["digest"], because="ay sonu")[0] == 403
    status, lock = post(ayse, "period-locks", period=period, digest=looked["digest"], because="ay sonu")
    assert (status, lock["consequences"]) == (201, looked["preview"])
    deal = office.won()
    no = post(ayse, "snapshots", deal_id=deal.id, idempotency_key="k", effective_on=f"{day}")
    assert (no[0], no[1]["error"]) == (409, "period_locked")
    url = f"period-locks/{lock['id']}/release"
    assert post(ayse, url)[0] == 422
    asked = post(ayse, url, because="eksik satış")[1]
    assert (asked["state"], asked["release"]["state"]) == ("ACTIVE", "ASKED")
    assert post(ayse, url, digest=asked["release"]["digest"])[1]["error"] == "same_person"
    assert post(gul, url, digest=asked["release"]["digest"])[1]["state"] == "RELEASED"
    assert get(ayse, "period-locks")[1]["locks"][0]["state"] == "RELEASED"


def test_an_objection_from_the_agent_to_the_decision(app: Flask, cast: Cast, office: Office) -> None:
    line = office.line(office.approved(), office.ipek)
    ipek, kaan, ayse = sign_in(app, office.ipek), sign_in(app, office.kaan), api(app, cast.ayse)
    assert kaan.get(f"/commission/lines/{line}")[0] == 404
    assert kaan.post(f"/commission/lines/{line}/disputes", claim="x")[0] == 404
    status, where = ipek.post(f"/commission/lines/{line}/disputes", claim="oran yanlış", amount="100,00")
    assert status == 303
    dispute = int(where.rsplit("/", 1)[1])
    assert office.account(office.ipek)[4] == 100_00
    assert kaan.get(where)[0] == 404
    assert ipek.post(f"{where}/messages", body="sözleşmeye bakın")[0] == 303
    assert "sözleşmeye bakın" in ipek.get(where)[1]
    assert get(ayse, f"disputes/{dispute}")[1]["amount_minor"] == 100_00
    assert get(ayse, "disputes?state=OPEN")[1]["total"] == 1
    assert post(ayse, "disputes/escalate-overdue")[1] == {"escalated": 0}
    body = {"resolution": "RAISE", "amount_minor": 30_00, "because": "haklı"}
    assert post(ayse, f"disputes/{dispute}/status", **body)[1]["resolution"] == "RAISE"
    assert post(ayse, f"disputes/{dispute}/resolve", **body)[0] == 409
    assert office.account(office.ipek) == (2_100_00, 0, 0, 30_00, 0)


def test_an_override_needs_the_permission(app: Flask, cast: Cast, office: Office) -> None:
    snapshot_id = office.snapshot()
    digest = str(ask("SELECT digest FROM commission_snapshot")[0][0])
    url = f"snapshots/{snapshot_id}/approve"
    assert post(api(app, cast.ayse), url, digest=digest, override_because="acele")[0] == 403
    assert post(api(app, cast.gul), url, digest=digest, override_because="acele")[0] == 200


def test_several_are_approved_together_in_the_browser(app: Flask, cast: Cast, office: Office) -> None:
    ids = [office.snapshot() for _ in range(3)]
    digests = {str(row[0]): str(row[1]) for row in ask("SELECT id, digest FROM commission_snapshot")}
    burak = sign_in(app, cast.burak)
    form = {"csrf_token": burak.token, "ids": [str(i) for i in ids[:2]]}
    wrong = form | {f"digest-{i}": "x" for i in ids}
    assert burak.client.post(f"{DESK}/snapshots/approval", data=wrong).status_code == 409
    right = form | {f"digest-{i}": digests[str(i)] for i in ids}
    assert burak.client.post(f"{DESK}/snapshots/approval", data=right).status_code == 303
    assert ask("SELECT count(*) FROM commission_snapshot WHERE state = 'APPROVED'") == [(2,)]


def test_a_session_is_no_token_and_a_token_no_session(app: Flask, cast: Cast, office: Office) -> None:
    """A form without its own token is refused, and a wrong bearer token does not fall back on the session."""
    browser = sign_in(app, cast.ayse)
    assert browser.client.post(f"{DESK}/disputes/escalate-overdue").status_code == 400
    headers = {"Authorization": "Bearer nonsense"}
    assert browser.client.post(f"{DESK}/disputes/escalate-overdue", headers=headers).status_code == 401
    answer = browser.client.get(f"{DESK}/", headers={"Accept": "application/json"})
    assert answer.get_json()["total"]["earned_minor"] == 0


# Statements, why, rehearsal ------------------------------------------------------------------------------------


def test_the_statement_is_the_ledger_in_three_shapes(app: Flask, cast: Cast, office: Office) -> None:
    snapshot_id = office.approved(on=clock.today() - timedelta(days=1))
    office.paid()
    office.reverse(snapshot_id, 90_00)
    tell_title('=HYPERLINK("http://kotu.example")')
    browser = sign_in(app, cast.ayse)
    month = looks.month_of(clock.today())
    made = statement(office.ipek.id, month.replace(month=1), looks.next_month(month))
    db.session.rollback()
    assert (made.opening, made.closing, len(made.rows)) == (0, -70_00, 3)
    answer = browser.client.get(f"{DESK}/people/{office.ipek.id}/statement.xlsx")
    assert answer.headers["X-Control-Total"] == f"-7000 {made.control}"
    sheet: Any = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    amounts = [Decimal(str(row[5])) for row in rows[6:9]]
    assert amounts == [Decimal("2100"), Decimal("-2100"), Decimal("-70")]
    assert sum(amounts) * 100 == made.closing
    evil = [cell for row in sheet.iter_rows() for cell in row if str(cell.value).startswith("=")]
    assert len(evil) == 3
    assert {cell.data_type for cell in evil} <= {"s", "f"}
    raw = zipped(answer.data, "xl/worksheets/sheet1.xml")
    assert "<f>" not in raw and "<f " not in raw
    pdf = browser.client.get(f"{DESK}/people/{office.ipek.id}/statement.pdf").data
    written = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    assert "İpek Aydın" in written
    assert made.control in written
    assert "-70,00" in written
    assert browser.get(f"{DESK}/people/{office.ipek.id}/statement.exe")[0] == 404
    assert browser.get(f"{DESK}/people/{cast.fatma.id}/statement.pdf")[0] == 404


def tell_title(title: str) -> None:
    """Somebody gave a deal an evil name."""
    with atomic():
        db.session.execute(text("UPDATE deal SET title = :title"), {"title": title})


def zipped(content: bytes, name: str) -> str:
    """One file of an archive."""
    return zipfile.ZipFile(io.BytesIO(content)).read(name).decode()


def test_the_explanation_adds_up(app: Flask, office: Office) -> None:
    snapshot_id = office.approved(100_000_01)
    office.paid()
    office.reverse(snapshot_id, 9_00)
    with app.test_request_context():
        found = why(queries.line_row(office.line(snapshot_id, office.ipek)))
        steps = {step.kind: step.minor for step in found.steps}
        assert steps["base"] == 100_000_01
        assert steps["pool"] == 3_000_00
        assert steps["share"] == 2_100_00
        entries = [step.minor or 0 for step in found.steps if step.kind == "entry"]
        assert sum(entries) == steps["left"] == found.outstanding == -7_00
        assert "3.000,0003" in " ".join(step.text for step in found.steps)
        assert all(0 <= bar.x <= WIDE and bar.x + bar.width <= WIDE + 2 for bar in found.bars)


def test_a_rehearsal_with_the_same_policy_is_what_happened(office: Office) -> None:
    today = clock.today()
    for number, price in enumerate((1, 77_77, 100_000_33, 12_345_67)):
        office.approved(price, on=today, agent=office.kaan if number % 2 else office.ipek)
    found = rehearsal.rehearse(office.policy, today, today + timedelta(days=1))
    assert found.snapshots == 4
    assert [change.difference for change in found.changes] == [0] * len(found.changes)
    before = ask("SELECT count(*), sum(amount_minor)::bigint FROM commission_ledger_entry")
    better = office.put_in_force(
        code="other", percent=Decimal("6"), shares=[Share(1, 7000, role=AGENT), Share(2, 3000, role=SOURCE)]
    )
    other = rehearsal.rehearse(better, today, today + timedelta(days=1))
    db.session.rollback()
    gains = {change.name: change.difference for change in other.changes}
    assert gains["İpek Aydın"] > 0 > gains["Leyla Uçar"]
    assert abs(other.would_be - 2 * found.was) <= other.snapshots
    assert ask("SELECT count(*), sum(amount_minor)::bigint FROM commission_ledger_entry") == before


def test_quarters() -> None:
    assert rehearsal.quarter_before(date(2026, 11, 21)) == (date(2026, 7, 1), date(2026, 10, 1))
    assert rehearsal.quarter_before(date(2026, 2, 1)) == (date(2025, 10, 1), date(2026, 1, 1))
    assert rehearsal.quarter_before(date(2026, 4, 30)) == (date(2026, 1, 1), date(2026, 4, 1))
