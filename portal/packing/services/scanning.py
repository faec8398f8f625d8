"""One message of a scanner: decided by what was read, written only while it is still so."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from flask_babel import lazy_gettext as _l
from sqlalchemy import text

from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.i18n import noted
from portal.packing import rules
from portal.packing.models import MOST_PARCELS, PackingTask
from portal.packing.rules import Counted, Decision, Row
from portal.packing.services.tasks import hold
from portal.packing.states import COUNTS, PACKING, STILL_TO_PACK, Packing, Verdict

LONGEST_BARCODE = 200
Known = Callable[[Sequence[str]], Collection[str]]


class Heard(NamedTuple):
    """One thing a device says. `kind`: scan, undo, or box (the box `parcel` is opened); times are the device's.

    `refused`: the device has told the packer "no" already, by what it knew. The piece is not in the box, so it must not
    count, even if another packer has made room meanwhile.
    """

    id: uuid.UUID
    kind: str
    at: datetime
    barcode: str = ""
    parcel: uuid.UUID | None = None
    refused: bool = False


class Answer(NamedTuple):
    """What is said of it; sent again, the first answer. `number` is the box's, where it is about a box."""

    id: uuid.UUID
    verdict: str
    line_id: int | None = None
    pieces: int = 0
    number: int | None = None


class Said(NamedTuple):
    """The answers to a message, and the task as it is after it: pieces packed by line, and its version."""

    answers: list[Answer]
    packed: dict[int, int]
    version: int
    state: str


class ScanIdUsed(Refusal):
    """The device's id is known from another scan: one of the two is a mistake."""

    status = 422
    code = "scan_id_used"


# One statement, one picture of the task: what was read together was true together.
PICTURE = text(
    """SELECT t.state, t.version,
         (SELECT jsonb_agg(jsonb_build_object('id', l.id, 'barcode', l.barcode, 'wanted', l.wanted,
            'packed', l.packed, 'cases', l.cases) ORDER BY l.id) FROM packing_line l WHERE l.task_id = t.id) AS rows,
         (SELECT jsonb_object_agg(p.id, p.number) FROM packing_parcel p WHERE p.task_id = t.id) AS parcels,
         (SELECT coalesce(jsonb_object_agg(s.id, jsonb_build_object('task', s.task_id, 'barcode', s.barcode,
            'verdict', s.verdict, 'line', s.line_id, 'pieces', s.pieces)), '{}')
          FROM packing_scan s WHERE s.id = ANY(:ids)) AS known
       FROM packing_task t WHERE t.id = :task"""
)
# What still counts, the device's own scans last: taking back begins with them.
STILL_COUNTS = text(
    """SELECT s.id, s.line_id, s.parcel_id, s.pieces FROM packing_scan s
       WHERE s.task_id = :task AND s.verdict IN ('OK', 'CASE')
         AND NOT EXISTS (SELECT FROM packing_scan u WHERE u.undoes = s.id)
       ORDER BY s.device = :device, s.seq"""
)
# Boxes, scans and counts in one statement, and only while the task still is the one that was read.
WRITE = text(
    """WITH mine AS (
         UPDATE packing_task SET version = version + 1 WHERE id = :task AND version = :version RETURNING id),
       boxes AS (
         INSERT INTO packing_parcel (id, task_id, number, opened_by)
         SELECT (b->>'id')::uuid, mine.id, (b->>'number')::bigint, :actor
         FROM mine CROSS JOIN jsonb_array_elements(CAST(:boxes AS jsonb)) b),
       said AS (
         INSERT INTO packing_scan (id, task_id, barcode, verdict, line_id, parcel_id, pieces, undoes, device, device_at,
           actor, actor_person_id)
         SELECT (s->>'id')::uuid, mine.id, s->>'barcode', s->>'verdict', (s->>'line')::bigint, (s->>'parcel')::uuid,
           (s->>'pieces')::bigint, (s->>'undoes')::uuid, :device, (s->>'at')::timestamptz, :actor, :person
         FROM mine CROSS JOIN jsonb_array_elements(CAST(:scans AS jsonb)) WITH ORDINALITY AS e(s, n) ORDER BY n
         RETURNING line_id, pieces),
       counted AS (
         UPDATE packing_line l SET packed = l.packed + d.pieces
         FROM (SELECT line_id, sum(pieces) AS pieces FROM said WHERE line_id IS NOT NULL GROUP BY line_id) d
         WHERE l.id = d.line_id)
       SELECT count(*) FROM mine"""
)


def hear(task_id: int, heard: Sequence[Heard], *, device: str, by: Actor, known: Known) -> Said:
    """Decide what a device says, in its order; every id is decided once, and answered the same when it is sent again.

    Nobody waits in the common case. Who was overtaken by another packer holds the task, reads again and decides anew.
    `known` answers which barcodes are things we keep; it is asked only about those that are not in this task.
    """
    for overtaken in (False, True):
        if overtaken:
            hold(task_id)
        page = _Page(task_id, heard, device=device, by=by, known=known)
        if page.write():
            break
    return page.said()


class _Page:
    """The task as it was read, and what this message makes of it."""

    def __init__(self, task_id: int, heard: Sequence[Heard], *, device: str, by: Actor, known: Known) -> None:
        self.task_id, self.device, self.by = task_id, device, by
        self._read([h.id for h in heard])
        self.others = self._strangers(heard, known)
        self.answers: list[Answer] = []
        self.boxes: list[dict[str, Any]] = []
        self.scans: list[dict[str, Any]] = []
        self._history: list[Counted] | None = None
        for one in heard:
            self.answers.append(self._answer(one))

    def write(self) -> bool:
        """Write it down; False when somebody was faster and nothing was written."""
        if not self.boxes and not self.scans:
            return True
        if self.state == Packing.SHORT and any(scan["line"] for scan in self.scans):
            self._found_after_all()
        written = db.session.scalar(
            WRITE,
            {
                "task": self.task_id,
                "version": self.version,
                "boxes": _json(self.boxes),
                "scans": _json(self.scans),
                "device": self.device,
                "actor": self.by.name,
                "person": self.by.person_id,
            },
        )
        self.version += 1
        return bool(written)

    def said(self) -> Said:
        """What the device hears."""
        return Said(self.answers, {row.id: row.packed for row in self.rows}, self.version, self.state)

    def _read(self, ids: list[uuid.UUID]) -> None:
        row = db.session.execute(PICTURE, {"task": self.task_id, "ids": ids}).one_or_none()
        if row is None:
            raise NotFound
        self.state, self.version = row.state, row.version
        self.rows = [Row(**line) for line in row.rows]
        self.parcels = {uuid.UUID(key): int(number) for key, number in row.parcels.items()}
        self.known_scans = {uuid.UUID(key): said for key, said in row.known.items()}

    def _strangers(self, heard: Sequence[Heard], known: Known) -> set[str]:
        """Of the barcodes that are not in this task, those we keep."""
        asked = {one.barcode for one in heard if one.kind == "scan" and not rules.is_ours(one.barcode, self.rows)}
        if not asked:
            return set()
        spelled = sorted({spelling for code in asked for spelling in (code, rules.plain(code))})
        return {rules.plain(code) for code in known(spelled)}

    def _answer(self, one: Heard) -> Answer:
        if one.kind == "box":
            return self._open_box(one)
        if one.id in self.known_scans:
            return self._first_answer(one)
        answer = self._decided(one)
        said = {"barcode": one.barcode, "verdict": answer.verdict, "line": answer.line_id, "pieces": answer.pieces}
        self.known_scans[one.id] = {"task": self.task_id, **said}
        return answer

    def _first_answer(self, one: Heard) -> Answer:
        said = self.known_scans[one.id]
        if (said["task"], said["barcode"]) != (self.task_id, one.barcode):
            raise ScanIdUsed(_l("This scan's number was already used for another scan."), id=str(one.id))
        return Answer(one.id, said["verdict"], said["line"], said["pieces"])

    def _decided(self, one: Heard) -> Answer:
        parcel, undoes = one.parcel, None
        if self.state not in STILL_TO_PACK:
            decision = Decision(Verdict.CLOSED)
        elif one.kind == "undo":
            decision, last = rules.undo(self.history)
            if last is not None:
                self.history.pop()
                parcel, undoes = last.parcel_id, last.scan_id
        else:
            self._insist_on_box(one)
            decision = rules.decide(self.rows, one.barcode, known=self.others)
            if one.refused and decision.verdict in COUNTS:
                decision = Decision(Verdict.TOO_MANY)
        rules.count(self.rows, decision)
        self._remember(one, decision, parcel, undoes)
        return Answer(one.id, decision.verdict, decision.line_id, decision.pieces)

    def _remember(self, one: Heard, decision: Decision, parcel: uuid.UUID | None, undoes: uuid.UUID | None) -> None:
        counts = decision.line_id is not None
        self.scans.append(
            {
                "id": str(one.id),
                "barcode": one.barcode,
                "verdict": decision.verdict,
                "line": decision.line_id,
                "parcel": str(parcel) if counts else None,
                "pieces": decision.pieces,
                "undoes": None if undoes is None else str(undoes),
                "at": one.at.isoformat(),
            }
        )
        if self._history is not None and decision.line_id is not None and parcel is not None and decision.pieces > 0:
            self._history.append(Counted(one.id, decision.line_id, parcel, decision.pieces))

    def _open_box(self, one: Heard) -> Answer:
        assert one.parcel is not None
        if one.parcel not in self.parcels and self.state in STILL_TO_PACK:
            number = len(self.parcels) + 1
            if number > MOST_PARCELS:
                raise BadInput(fields={"parcel": _l("At most %(most)s parcels.", most=MOST_PARCELS)})
            self.parcels[one.parcel] = number
            self.boxes.append({"id": str(one.parcel), "number": number})
        return Answer(one.id, "BOX", number=self.parcels.get(one.parcel))

    def _insist_on_box(self, one: Heard) -> None:
        if one.parcel not in self.parcels:
            raise BadInput(fields={"parcel": _l("This parcel is not open.")})

    @property
    def history(self) -> list[Counted]:
        """What can be taken back, the next one last. Read once, and only when something is taken back."""
        if self._history is None:
            rows = db.session.execute(STILL_COUNTS, {"task": self.task_id, "device": self.device})
            before = [Counted(*row) for row in rows]
            mine = [
                Counted(uuid.UUID(s["id"]), s["line"], uuid.UUID(s["parcel"]), s["pieces"])
                for s in self.scans
                if s["line"] is not None
            ]
            self._history = before + mine
        return self._history

    def _found_after_all(self) -> None:
        task = hold(self.task_id)
        assert isinstance(task, PackingTask)
        if task.state == Packing.SHORT:
            PACKING.move(task, Packing.OPEN, actor=self.by, reason=noted("packing goes on"))


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
