"""What carriers tell us, and when we ask them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.database import DB_NOW, db
from portal.core.queue import wake
from portal.shipping import rules
from portal.shipping.models import CarrierScan, Shipment, ShipmentWatch
from portal.shipping.ports import Scan

TOPIC = "shipment_sync"
# A carrier that does not answer is asked again after 1, 2, 4, 8 and 16 minutes (spec §2); then an operator decides.
RETRIES = 5
FIRST_RETRY = timedelta(minutes=1)
# A carrier that answers is asked again after this; webhooks come in between. Yurtiçi refuses the same question
# within a minute.
ASK_EVERY = timedelta(minutes=30)
# While one worker asks, others leave the parcel alone this long.
LEASE = timedelta(minutes=2)


def watch(shipment: Shipment) -> None:
    """Ask the carrier about this parcel from now on."""
    db.session.execute(insert(ShipmentWatch).values(shipment_id=shipment.id).on_conflict_do_nothing())


def stop_watching(shipment: Shipment) -> None:
    """Nothing more to ask: it has arrived, or will not."""
    _note(shipment.id, is_open=False, needs_person=False)


def claim_watch() -> ShipmentWatch | None:
    """Take the next parcel to be asked about; others skip it while we ask."""
    due = (
        select(ShipmentWatch.shipment_id)
        .where(ShipmentWatch.is_open, ~ShipmentWatch.needs_person, ShipmentWatch.next_ask_at <= DB_NOW)
        .order_by(ShipmentWatch.next_ask_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return db.session.execute(
        update(ShipmentWatch)
        .where(ShipmentWatch.shipment_id == due.scalar_subquery())
        .values(asked=ShipmentWatch.asked + 1, next_ask_at=DB_NOW + LEASE)
        .returning(ShipmentWatch)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def still_watching(watched: ShipmentWatch) -> bool:
    """The fence: whether ours is still the latest question about this parcel."""
    now = db.session.execute(
        select(ShipmentWatch.asked, ShipmentWatch.is_open)
        .where(ShipmentWatch.shipment_id == watched.shipment_id)
        .with_for_update()
    ).one()
    return (now.asked, now.is_open) == (watched.asked, True)


def hear(shipment: Shipment, scans: Sequence[Scan]) -> list[Scan]:
    """Keep what a carrier says, each thing once, in whatever order it comes. Returns what is new.

    The parcel's carrier status only ever goes further; late and lower words are kept in the history.
    """
    new = []
    for scan in scans:
        moved = rules.further(shipment.carrier_status, scan.status)
        if _kept(shipment, scan, moved):
            new.append(scan)
            if moved:
                shipment.carrier_status = scan.status
                shipment.carrier_words = scan.words[:200]
    db.session.flush()
    return new


def _kept(shipment: Shipment, scan: Scan, moved: bool) -> bool:
    kept = db.session.execute(
        insert(CarrierScan)
        .values(
            shipment_id=shipment.id,
            status=scan.status.value,
            code=scan.code[:100],
            words=scan.words[:500],
            place=scan.place[:200],
            occurred_at=scan.occurred_at,
            dedupe_key=rules.scan_key(scan),
            moved=moved,
        )
        .on_conflict_do_nothing(constraint="said_twice_is_said_once")
        .returning(CarrierScan.id)
    ).scalar()
    return kept is not None


def heard_nothing_new(watched: ShipmentWatch) -> None:
    """They answered: the count of failures begins anew, and we ask again in a while."""
    wait = ASK_EVERY * random.uniform(0.9, 1.1)  # noqa: S311 (jitter, not a secret)
    _note(watched.shipment_id, failures=0, last_note="", last_answer_at=clock.now(), next_ask_at=DB_NOW + wait)


def did_not_answer(watched: ShipmentWatch, why: str) -> bool:
    """Silence or nonsense: asked again, each time later. True when it is now up to a person."""
    failures = watched.failures + 1
    given_up = failures > RETRIES
    wait = FIRST_RETRY * 2 ** (failures - 1) * random.uniform(0.8, 1.2)  # noqa: S311 (jitter, not a secret)
    _note(
        watched.shipment_id,
        failures=failures,
        last_note=why[:500],
        needs_person=given_up,
        next_ask_at=DB_NOW + wait,
    )
    return given_up


def ask_again(shipment_ids: Sequence[int] | None = None) -> int:
    """Ask now: about some parcels with fresh patience (an operator wants it), or all that are on their way and wait for
    no operator. Returns how many."""
    wanted = update(ShipmentWatch).where(ShipmentWatch.is_open)
    if shipment_ids is not None:
        wanted = wanted.where(ShipmentWatch.shipment_id.in_(shipment_ids)).values(failures=0, needs_person=False)
    else:
        wanted = wanted.where(~ShipmentWatch.needs_person)
    asked = cast("CursorResult[Any]", db.session.execute(wanted.values(next_ask_at=DB_NOW)))
    wake(TOPIC)
    return asked.rowcount


def _note(shipment_id: int, **columns: Any) -> None:
    db.session.execute(
        update(ShipmentWatch)
        .where(ShipmentWatch.shipment_id == shipment_id)
        .values(**columns)
        .execution_options(synchronize_session=False)
    )


def loudest(scans: Sequence[Scan]) -> Scan | None:
    """The scan somebody has to look at, if there is one."""
    return next((scan for scan in scans if scan.status in rules.ALARMING), None)
