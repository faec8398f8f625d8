"""Many buyers and many packers at once, over real connections: nothing is sold or taken twice, nobody waits in a circle."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text, update

from portal.accounts import queries as accounts_queries
from portal.core import clock
from portal.core.database import DB_NOW, db
from portal.core.errors import Refusal
from portal.core.unit_of_work import atomic
from portal.inbox.models import InboxMessage
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.settings import Settings
from portal.shipping.services import Piece
from portal.stock import services as stock
from portal.workflows import checkout, delivery, set_aside
from tests import story
from tests.cast import Cast, actor
from tests.workflows.warehouse import agrees, keep, numbers, outs
from tests.world import SandboxControl

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]

CROWD, PER_ORDER = 32, 8
# `make faults` lets 64 packers come; `make test` half of them.
PACKERS = 64 if os.environ.get("RUNS") else 32
ENOUGH_FOR = PACKERS * 50 // 64
TAPE, FILM = story.TAPE, story.FILM


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A connection for everybody."""
    return replace(settings, database_pool=PACKERS)


def at_once(app: Flask, how_many: int, act: Callable[[int], object]) -> Counter[str]:
    """So many people, each with a connection of their own, at the same moment; what each was told."""
    answers: list[str] = []
    meet = threading.Barrier(how_many)

    def one(number: int) -> None:
        with app.app_context():
            db.session.execute(text("SELECT 1"))
            db.session.rollback()
            meet.wait(60)
            answers.append(told(lambda: act(number)))
            db.session.remove()

    crowd = [threading.Thread(target=one, args=(number,)) for number in range(how_many)]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
    db.session.rollback()
    return Counter(answers)


def told(act: Callable[[], object]) -> str:
    """A refusal's code; a crash as what it is, so that a deadlock is seen."""
    try:
        act()
    except Refusal as no:
        return no.code
    except Exception as crash:
        return type(crash).__name__ + str(crash)[:300]
    return "done"


def buys(cast: Cast, *lines: tuple[str, int]) -> Callable[[int], None]:
    """Fatma's company orders."""
    buyer_id, by = cast.fatma.id, actor(cast.fatma)

    def buy(_number: int) -> None:
        with atomic():
            buyer = accounts_queries.active_person(buyer_id)
            assert buyer
            checkout.place([orders.WantedLine(*line) for line in lines], buyer=buyer, by=by)

    return buy


def parcels_to_pack(app: Flask, cast: Cast, sandbox: SandboxControl, *barcodes: str, many: int = PACKERS) -> list[int]:
    """So many parcels with one piece of each of these, of eight to a paid order; every second one the other way round."""
    found = []
    for _ in range(many // PER_ORDER):
        order = story.paid(app, cast, sandbox, *[(barcode, PER_ORDER) for barcode in barcodes])[0]
        lines = [line.id for line in orders_queries.lines_of(order.id)]
        for number in range(PER_ORDER):
            pieces = [Piece(line_id, 1) for line_id in lines[:: 1 if number % 2 else -1]]
            with atomic():
                found.append(delivery.prepare_parcel(order.id, by=actor(cast.deniz), pieces=pieces).id)
    return found


def packs(cast: Cast, parcels: list[int]) -> Callable[[int], None]:
    """A packer confirms the parcel of his number, as the page does it."""
    cem = actor(cast.cem)

    def pack(number: int) -> None:
        with set_aside.shortages_noted(by=cem), atomic():
            delivery.pack_parcel(parcels[number % len(parcels)], by=cem)

    return pack


def test_32_buyers_check_out_the_last_10_pieces(app: Flask, cast: Cast) -> None:
    kept = keep(tape=10)
    assert at_once(app, CROWD, buys(cast, (TAPE, 1))) == {"done": 10, "not_enough_stock": 22}
    assert numbers(kept.tape) == (10, 10)
    assert agrees()


def test_looking_before_promising_sells_the_last_pieces_more_than_once(app: Flask, cast: Cast) -> None:
    """The naive twin: ask what is free, then order. Everybody is told that ten are free."""
    kept = keep(tape=10)
    sold: list[int] = []

    def buy(number: int) -> None:
        with atomic():
            free = db.session.scalar(
                text("SELECT qty - reserved FROM central_stock WHERE item_id = :i"), {"i": kept.tape}
            )
            time.sleep(0.05)
            if free and free >= 1:
                stock.reserve(kept.tape, 1, stock.Source("NAIVE", str(number)), even_if_short=True)
                sold.append(1)

    at_once(app, CROWD, buy)
    assert len(sold) > 10
    assert agrees()


def test_baskets_with_the_same_goods_in_opposite_order_do_not_wait_in_a_circle(app: Flask, cast: Cast) -> None:
    kept = keep(tape=100, film=100)
    one, other = buys(cast, (TAPE, 1), (FILM, 1)), buys(cast, (FILM, 1), (TAPE, 1))
    assert at_once(app, CROWD, lambda number: (one, other)[number % 2](number)) == {"done": CROWD}
    assert (numbers(kept.tape), numbers(kept.film)) == ((100, CROWD), (100, CROWD))


def test_packers_at_once_on_one_barcode_with_too_few_pieces(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=PACKERS)
    parcels = parcels_to_pack(app, cast, sandbox, TAPE)
    with atomic():
        stock.count(kept.tape, kept.shelf, ENOUGH_FOR, key="c", by=actor(cast.cem), because="some are gone")
    short = PACKERS - ENOUGH_FOR
    assert at_once(app, PACKERS, packs(cast, parcels)) == {"done": ENOUGH_FOR, "shortage": short}
    assert (numbers(kept.tape), outs()) == ((0, short), ENOUGH_FOR)
    assert count("SELECT count(*) FROM stock_shortage") == short
    assert agrees()


def test_packers_with_the_same_goods_in_opposite_order_do_not_wait_in_a_circle(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    kept = keep(tape=PACKERS, film=PACKERS)
    parcels = parcels_to_pack(app, cast, sandbox, TAPE, FILM)
    assert at_once(app, PACKERS, packs(cast, parcels)) == {"done": PACKERS}
    assert (numbers(kept.tape), numbers(kept.film), outs()) == ((0, 0), (0, 0), 2 * PACKERS)
    assert agrees()


def test_one_parcel_packed_by_32_at_once_and_resent_three_times_is_one_movement(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    kept = keep(tape=50)
    parcels = parcels_to_pack(app, cast, sandbox, TAPE, many=PER_ORDER)[:1]
    assert at_once(app, CROWD, packs(cast, parcels)) == {"done": 1, "wrong_moment": CROWD - 1}
    answers: list[list[int]] = []

    def resend(_number: int) -> None:
        with atomic():
            answers.append([m.id for m in set_aside.take_for_parcel(parcels[0], [], by=actor(cast.cem))])

    for _ in range(3):
        assert at_once(app, CROWD, packs(cast, parcels)) == {"wrong_moment": CROWD}
        assert at_once(app, CROWD, resend) == {"done": CROWD}
    assert all(answer == answers[0] and len(answer) == 1 for answer in answers)
    assert (numbers(kept.tape), outs()) == ((49, 7), 1)
    assert agrees()


def test_packing_cancelling_withdrawing_and_ordering_at_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    """Whoever is first: afterwards the books agree, which the end of every test asks."""
    kept = keep(tape=200, film=200)
    parcels = parcels_to_pack(app, cast, sandbox, TAPE, FILM, many=16)
    pack, buy, deniz = packs(cast, parcels), buys(cast, (FILM, 1), (TAPE, 2)), actor(cast.deniz)

    def somebody(number: int) -> None:
        match number % 4:
            case 0:
                buy(number)
            case 1:
                with atomic():
                    delivery.cancel_parcel(parcels[number // 2], by=deniz, because="at once")
            case _:
                pack(number // 2)

    said = at_once(app, CROWD, somebody)
    assert set(said) <= {"done", "wrong_moment"}
    assert said["done"] >= 16
    assert (
        numbers(kept.tape)[0]
        == 200 - outs() // 2 + count("SELECT count(*) FROM stock_movement WHERE type = 'RETURN'") // 2
    )
    assert agrees()


def test_paid_at_the_moment_the_promise_runs_out(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    """Whoever is first, what is paid is set aside in the end."""
    kept = keep(tape=20)
    tokens = []
    for _ in range(4):
        checkout_ = story.place(cast, (TAPE, 2))
        tokens.append(story.open_page(cast, checkout_))
        assert sandbox.pay(tokens[-1]) == 200
    for webhook in sandbox.webhooks():
        assert story.deliver_webhook(app, webhook) == 200
    with atomic():
        clock.move_to(31 * 60)

    def somebody(number: int) -> int:
        return set_aside.let_go_unpaid() if number % 2 else story.drain("inbox")

    assert at_once(app, 12, somebody) == {"done": 12}
    with atomic():  # in such a crowd the provider may have answered too late for the first try
        db.session.execute(update(InboxMessage).values(next_attempt_at=DB_NOW))
    story.drain("inbox")
    assert numbers(kept.tape) == (20, 8)
    assert count("SELECT count(*) FROM network_order WHERE state = 'PAID'") == 4
    assert agrees()


def count(sql: str) -> int:
    """One number, as it is now."""
    db.session.rollback()
    found = db.session.scalar(text(sql))
    db.session.rollback()
    return int(found or 0)
