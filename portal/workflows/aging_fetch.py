"""The ERP's ledger comes in: read chunk by chunk outside any transaction, staged, reconciled, shown at once or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from time import monotonic, sleep

from flask import Flask, current_app
from loguru import logger

from portal.core import clock
from portal.core.actor import Actor
from portal.core.i18n import noted
from portal.core.ports import port
from portal.core.unit_of_work import atomic
from portal.receivables import queries
from portal.receivables import services as receivables
from portal.receivables.models import AgingFetch
from portal.receivables.ports import ErpBalance, LedgerSource, LedgerSources, LedgerUnreadable, Reading, Side
from portal.receivables.services import Claim, LostTheReading, Staging, checks
from portal.receivables.states import UNFINISHED, Step

WAIT_SECONDS = 0.2


def read_next() -> bool:
    """Read the ledger somebody asked for; False when nobody waits."""
    with atomic():
        fetch = receivables.claim_asked()
    if fetch is None:
        return False
    _read(fetch)
    return True


def read_now(side: Side, as_of: date | None = None, *, by: Actor, patience_seconds: int) -> AgingFetch:
    """Read the ledger here and now, and answer how it went.

    Where the same reading is already under way it is waited for, so that two who ask get one reading. Refuses with
    `AnotherReading` when one for another day is running or this one does not end in time.
    """
    live = as_of is None
    with atomic():
        asked = receivables.ask(side, as_of or clock.today(), live=live, by=by)
        mine = receivables.claim(asked.id)
    if mine is not None:
        _read(mine)
    return _when_ended(asked.id, patience_seconds)


def read_every_side(*, by: Actor) -> int:
    """Ask for every side that has a source; the workers read. Returns how many were asked for."""
    sides = port(LedgerSources).sides
    asked = 0
    for side in [side for side in Side if sides.get(side)]:
        with atomic():
            if queries.under_way(side) is None:
                receivables.ask(side, clock.today(), live=True, by=by)
                asked += 1
    return asked


def _when_ended(fetch_id: int, patience_seconds: int) -> AgingFetch:
    deadline = monotonic() + patience_seconds
    while True:
        with atomic():
            fetch = queries.fetch(fetch_id)
        if fetch.state not in UNFINISHED:
            return fetch
        if monotonic() > deadline:
            raise receivables.AnotherReading(fetch)
        sleep(WAIT_SECONDS)


def _read(fetch: Claim) -> None:
    """However it ends, the last good data are shown until better ones are whole."""
    try:
        with _alive(fetch):
            _stage_and_judge(fetch)
    except LedgerUnreadable as why:
        logger.warning("aging fetch {}: {} {} {}", fetch.id, why.reason, why.clue, why.where)
        _give_up(fetch, failure=why.reason.value, note=noted("The ERP gave no whole answer."))
    except LostTheReading:
        logger.warning("aging fetch {}: another reader has taken over", fetch.id)
    except Exception:
        # A mistake of ours must not leave the reading hanging until its lease runs out; it still crashes loudly.
        _give_up(fetch, failure="OUR_MISTAKE", note=noted("Something went wrong on our side while reading."))
        raise
    else:
        with atomic():
            receivables.put_away_old_readings(fetch.side.value)


def _stage_and_judge(fetch: Claim) -> None:
    source = port(LedgerSources).of(fetch.side)
    staging = Staging(fetch)
    with atomic():
        receivables.hold(fetch, source=source.name, date_basis=source.date_basis.value)
    with source.reading(fetch.side, fetch.as_of_on) as reading:
        if _only_what_changed(fetch, source, reading):
            return
        for accounts in reading.accounts():
            with atomic():
                staging.name(accounts)
                receivables.hold(fetch, step=Step.ACCOUNTS, accounts=len(staging.cards))
        for months in reading.months():
            with atomic():
                staging.add(months)
                staging.lay_down()
        with atomic():
            staging.lay_down(all_of_it=True)
            receivables.hold(fetch, step=Step.CHECKING)
        _open_items(staging, reading)
        answers = (reading.totals(), reading.findings(), _balances(reading), reading.erp_months())
    with atomic():
        staging.sum_up()
        reasons = checks.suspicions(staging, *answers)
        finished = receivables.finish(fetch, reasons)
        if finished.is_current:
            staging.describe()


def _only_what_changed(fetch: Claim, source: LedgerSource, reading: Reading) -> bool:
    """Where the settings say so and a reading of today is shown: False means that the whole ledger has to be read."""
    if not current_app.config["AGING_CHANGED_ONLY"]:
        return False
    with atomic():
        base = receivables.base_of(fetch, source=source.name, date_basis=source.date_basis.value)
    if base is None:
        return False
    sums = [row for chunk in reading.fingerprints() for row in chunk]
    totals = reading.totals()
    with atomic():
        receivables.hold(fetch, step=Step.CHECKING)
        changed = receivables.changed_since(base, fetch.side, sums)
    if not sums or changed is None:
        return False
    items = reading.open_items() if base.open_items else None
    said = receivables.Renewal(
        changed,
        sums,
        [row for chunk in reading.accounts(changed) for row in chunk] if changed else [],
        [row for chunk in reading.months(changed) for row in chunk] if changed else [],
        totals,
        reading.findings(),
        _balances(reading),
        reading.erp_months(),
        None if items is None else [row for chunk in items for row in chunk],
    )
    try:
        with atomic():
            receivables.fold_in(fetch, base, said)
    except receivables.ReadTheWhole as why:
        logger.info("aging fetch {}: reading the whole ledger: {}", fetch.id, why)
        return False
    return True


def _open_items(staging: Staging, reading: Reading) -> None:
    for items in reading.open_items() or ():
        with atomic():
            receivables.stage_open_items(staging, items)


def _balances(reading: Reading) -> list[ErpBalance] | None:
    found = reading.erp_balances()
    return None if found is None else [row for chunk in found for row in chunk]


def _give_up(fetch: Claim, *, failure: str, note: str) -> None:
    try:
        with atomic():
            receivables.give_up(fetch, failure=failure, note=note)
    except LostTheReading:
        logger.warning("aging fetch {}: given up by two", fetch.id)


@contextmanager
def _alive(fetch: Claim) -> Iterator[None]:
    """While the ERP thinks, say every few seconds that the reader lives; a dead process says nothing."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    over = threading.Event()

    def keep_saying() -> None:
        while not over.wait(receivables.LEASE_SECONDS / 4):
            try:
                with app.app_context(), atomic():
                    receivables.hold(fetch)
            except LostTheReading:
                return  # ended, or taken over: the reader itself finds out with its next word
            except Exception:
                logger.opt(exception=True).warning("aging fetch {}: could not renew its lease", fetch.id)

    pulse = threading.Thread(target=keep_saying, daemon=True, name=f"aging-fetch-{fetch.id}")
    pulse.start()
    try:
        yield
    finally:
        over.set()
        pulse.join()
