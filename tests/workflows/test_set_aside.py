"""The warehouse follows our orders: set aside, taken with the parcel, put back, let go; and every repeat is harmless."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from jobs.schedule import TIMETABLE
from portal.accounts.roles import Role
from portal.core import clock
from portal.core.errors import BadInput
from portal.core.money import Money
from portal.core.ports import Outcome
from portal.core.state_machine import WrongMoment
from portal.core.unit_of_work import atomic
from portal.disputes.states import Resolution
from portal.escrow import queries as escrow_queries
from portal.orders import queries as orders_queries
from portal.shipping.ports import Scan, Tracked, TrackingAnswer
from portal.shipping.services import Piece
from portal.stock import history, queries
from portal.stock import services as stock
from portal.stock.services import Pick
from portal.workflows import arguments, delivery, returns, set_aside, tracking
from portal.workflows.standing import with_order
from tests import story
from tests.cast import Cast, actor, api
from tests.workflows import warehouse
from tests.workflows.warehouse import keep, lies, numbers, outs, promises
from tests.world import SandboxControl


def prepared(order_id: int, cast: Cast, pieces: int | None = None):  # type: ignore[no-untyped-def]
    """Deniz gives the packers some tape, or everything."""
    line = orders_queries.lines_of(order_id)[0]
    wanted = [Piece(line.id, pieces)] if pieces else None
    with atomic():
        return delivery.prepare_parcel(order_id, by=actor(cast.deniz), pieces=wanted)


def packed(order_id: int, cast: Cast, pieces: int | None = None):  # type: ignore[no-untyped-def]
    """And Cem packs it."""
    parcel = prepared(order_id, cast, pieces)
    with atomic():
        return delivery.pack_parcel(parcel.id, by=actor(cast.cem))


# Ordering and paying ----------------------------------------------------------------------------------------


def test_what_is_ordered_is_set_aside_for_half_an_hour(app: Flask, cast: Cast) -> None:
    kept = keep(tape=10)
    order = story.place(cast, (story.TAPE, 4), (story.PAPER, 1)).orders
    tape = next(o for o in order if o.seller_organisation_id == cast.deniz.organisation_id)
    assert (numbers(kept.tape), promises(tape.id)) == ((10, 4), [("OPEN", 4, 0, 0)])
    until = queries.reservations_of(set_aside.source_of(tape.id))[0].expires_at
    assert until and abs(until - clock.now() - timedelta(minutes=30)) < timedelta(minutes=1)


def test_what_the_warehouse_does_not_keep_is_not_its_affair(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 3))[0]
    story.shipped(order, cast)
    assert (promises(order.id), outs()) == ([], 0)


def test_more_than_is_free_is_refused_with_all_that_is_missing(app: Flask, cast: Cast) -> None:
    kept = keep(tape=3, film=1)
    story.place(cast, (story.TAPE, 1))
    with pytest.raises(set_aside.NotInTheWarehouse) as no:
        story.place(cast, (story.TAPE, 3), (story.FILM, 2))
    assert [(m["barcode"], m["wanted"], m["free"]) for m in no.value.details["missing"]] == [
        (story.TAPE, 3, 2), (story.FILM, 2, 1),
    ]  # fmt: skip
    assert (numbers(kept.tape), numbers(kept.film)) == ((3, 1), (1, 0))


def test_paying_makes_the_promise_last(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    story.days_pass(1, sandbox)
    assert set_aside.let_go_unpaid() == 0
    assert (numbers(kept.tape), promises(order.id)) == ((10, 4), [("OPEN", 4, 0, 0)])


def test_what_nobody_pays_is_free_after_half_an_hour_and_not_before(app: Flask, cast: Cast) -> None:
    kept = keep(tape=10)
    order = story.place(cast, (story.TAPE, 4)).orders[0]
    for minutes, ran_out, left in ((29, 0, 4), (31, 1, 0), (31, 0, 0)):
        with atomic():
            clock.move_to(minutes * 60)
        assert set_aside.look_after()["let_go"] == ran_out
        assert numbers(kept.tape) == (10, left)
    assert promises(order.id) == [("EXPIRED", 4, 0, 4)]
    assert any(periodic.run is set_aside.look_after for periodic in TIMETABLE)


def test_going_to_the_payment_page_counts_the_minutes_anew(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=10)
    checkout = story.place(cast, (story.TAPE, 4))
    with atomic():
        clock.move_to(31 * 60)
    set_aside.let_go_unpaid()
    story.open_page(cast, checkout)
    assert (numbers(kept.tape), promises(checkout.orders[0].id)) == ((10, 4), [("OPEN", 8, 0, 4)])
    with atomic():
        clock.move_to(50 * 60)
    assert set_aside.let_go_unpaid() == 0


def test_going_to_the_payment_page_too_late_is_refused_when_others_have_it(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    kept = keep(tape=4)
    late = story.place(cast, (story.TAPE, 4))
    with atomic():
        clock.move_to(31 * 60)
    set_aside.let_go_unpaid()
    story.place(cast, (story.TAPE, 1))
    with pytest.raises(set_aside.NotInTheWarehouse):
        story.open_page(cast, late)
    assert numbers(kept.tape) == (4, 1)


def test_paid_after_the_promise_ran_out_it_is_promised_even_if_short(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    kept = keep(tape=4)
    late = story.place(cast, (story.TAPE, 4))
    token = story.open_page(cast, late)
    with atomic():
        clock.move_to(31 * 60)
    set_aside.let_go_unpaid()
    story.place(cast, (story.TAPE, 3))
    assert sandbox.pay(token) == 200
    for _twice in range(2):
        assert story.deliver_webhook(app, sandbox.webhooks()[-1]) == 200
        story.drain("inbox")
    row = queries.item(kept.tape)
    assert row and (row.qty, row.reserved, row.oversold) == (4, 7, 3)


def test_cancelling_an_unpaid_basket_lets_go_of_all_its_orders(app: Flask, cast: Cast) -> None:
    kept = keep(tape=10)
    checkout = story.place(cast, (story.TAPE, 4), (story.PAPER, 1))
    with atomic():
        returns.cancel_order(checkout.orders[0].id, by=actor(cast.fatma), because="changed her mind")
    assert numbers(kept.tape) == (10, 0)


# Cancelling what is paid ------------------------------------------------------------------------------------


def test_cancelling_a_paid_order_frees_it(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    with atomic():
        returns.cancel_order(order.id, by=actor(cast.fatma), because="changed her mind")
    story.drain("provider_calls")
    assert (numbers(kept.tape), promises(order.id)) == ((10, 0), [("RELEASED", 4, 0, 4)])


def test_withdrawing_some_pieces_frees_exactly_those(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    packed(order.id, cast, 1)
    with atomic():
        delivery.withdraw_pieces(
            order.id, [Piece(orders_queries.lines_of(order.id)[0].id, 2)], by=actor(cast.deniz), because="torn"
        )
    assert (numbers(kept.tape), promises(order.id)) == ((9, 1), [("OPEN", 4, 1, 2)])


def test_an_order_refunded_before_it_ships_frees_what_is_in_no_parcel(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    kept = keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    parcel = prepared(order.id, cast, 1)
    for hold in escrow_queries.holds_of([order.id]):
        with atomic():
            returns.refund(hold.id, Money(hold.amount_kurus), by=actor(cast.ayse), because="goodwill")
    story.drain("provider_calls")
    assert orders_queries.any_order(order.id).state == "REFUNDED"
    assert numbers(kept.tape) == (10, 1)  # what is in the packers' hands stays theirs until somebody calls it off
    with atomic():
        delivery.cancel_parcel(parcel.id, by=actor(cast.deniz), because="refunded")
    assert numbers(kept.tape) == (10, 0)


# Parcels ----------------------------------------------------------------------------------------------------


def test_packing_takes_shelf_and_stock_and_uses_up_the_promise(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    parcel = packed(order.id, cast, 3)
    assert (numbers(kept.tape), lies(kept.tape), promises(order.id)) == ((7, 1), {"A-01": 7}, [("OPEN", 4, 3, 0)])
    with atomic():
        again = set_aside.take_for_parcel(parcel.id, [], by=actor(cast.cem))
    assert [(m.type, m.pieces, m.act_key, m.actor) for m in again] == [("OUT", -3, f"shipment:{parcel.id}", "Cem Işık")]
    with pytest.raises(WrongMoment), atomic():
        delivery.pack_parcel(parcel.id, by=actor(cast.cem))
    packed(order.id, cast)
    assert (numbers(kept.tape), outs()) == ((6, 0), 2)


def test_the_packer_says_from_which_shelf(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=2)
    with atomic():
        stock.receive(kept.tape, kept.high, 9, key="more", by=actor(cast.cem))
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    parcel = prepared(order.id, cast)
    for wrong in ([Pick(kept.tape, kept.high, 5)], [Pick(kept.film, kept.high, 1)]):
        with pytest.raises(BadInput), atomic():
            delivery.pack_parcel(parcel.id, by=actor(cast.cem), picks=wrong)
    with pytest.raises(stock.Shortage), atomic():
        delivery.pack_parcel(parcel.id, by=actor(cast.cem), picks=[Pick(kept.tape, kept.shelf, 3)])
    with atomic():
        delivery.pack_parcel(parcel.id, by=actor(cast.cem), picks=[Pick(kept.tape, kept.high, 3)])
    assert lies(kept.tape) == {"A-01": 1, "A-09": 6}  # the fourth came from the smaller rest
    with atomic():  # the device says it again, with other shelves: the parcel has left the shelves once
        assert len(set_aside.take_for_parcel(parcel.id, [Pick(kept.tape, kept.shelf, 1)], by=actor(cast.cem))) == 2


def test_a_shortage_packs_nothing_and_is_written_down(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=4)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    with atomic():
        stock.count(kept.tape, kept.shelf, 3, key="c", by=actor(cast.cem), because="one is gone")
    parcel = prepared(order.id, cast)
    with pytest.raises(stock.Shortage), set_aside.shortages_noted(by=actor(cast.cem)), atomic():
        delivery.pack_parcel(parcel.id, by=actor(cast.cem))
    noted = history.shortage_rows(history.shortages())
    assert [(s.barcode, s.wanted, s.there, s.source_key, s.actor) for s in noted] == [
        (story.TAPE, 4, 3, str(order.id), "Cem Işık")
    ]
    fresh, _order = with_order(parcel.id)
    assert (fresh.state, numbers(kept.tape), outs()) == ("PLANNED", (3, 4), 0)


def test_a_packed_parcel_that_is_cancelled_lies_on_its_shelves_again(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    kept = keep(tape=3)
    with atomic():
        stock.receive(kept.tape, kept.high, 2, key="more", by=actor(cast.cem))
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    parcel = packed(order.id, cast)
    assert numbers(kept.tape) == (1, 0)
    with atomic():
        delivery.cancel_parcel(parcel.id, by=actor(cast.deniz), because="wrong box")
    assert (numbers(kept.tape), lies(kept.tape)) == ((5, 4), {"A-01": 3, "A-09": 2})
    with pytest.raises(WrongMoment), atomic():
        delivery.cancel_parcel(parcel.id, by=actor(cast.deniz), because="again")
    packed(order.id, cast)
    assert (numbers(kept.tape), outs()) == ((1, 0), 4)


def test_a_planned_parcel_that_is_cancelled_moves_nothing(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=4)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    parcel = prepared(order.id, cast)
    with atomic():
        delivery.cancel_parcel(parcel.id, by=actor(cast.deniz), because="later")
    with pytest.raises(WrongMoment), atomic():
        set_aside.take_for_parcel(parcel.id, [], by=actor(cast.cem))
    assert (numbers(kept.tape), outs()) == ((4, 4), 0)


def test_what_the_carrier_brings_back_lies_on_the_returns_shelf_and_is_wanted_again(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    kept = keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    parcel = story.shipped(order, cast, carrier="mock")
    assert numbers(kept.tape) == (6, 0)
    for _twice in range(2):
        with atomic():
            fresh, locked = with_order(parcel.id)
            tracking.learn(fresh, locked, TrackingAnswer(Outcome.DONE, scans=(Scan(Tracked.RETURNED, "R", "iade"),)))
    assert (numbers(kept.tape), lies(kept.tape)) == ((10, 4), {"A-01": 6, "IADE": 4})


def test_what_is_lost_does_not_come_back_but_is_wanted_again(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=5)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    parcel = story.shipped(order, cast)
    with atomic():
        delivery.parcel_lost(parcel.id, by=actor(cast.deniz), because="nobody has it")
    row = queries.item(kept.tape)
    assert row and (row.qty, row.reserved, row.oversold) == (1, 4, 3)


def test_a_return_parcel_gives_back_what_was_sent(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    dispute = story.objected(order, cast, damaged=2)
    with atomic():
        arguments.settle(
            dispute.id, Resolution.REFUND, role=Role.SELLER, by=actor(cast.deniz), because="x", goods_come_back=True
        )
    back = dispute.return_shipment_id
    assert back
    assert numbers(kept.tape) == (6, 0)
    with atomic():
        delivery.goods_sent_back(back, carrier="Elden", tracking_number="", by=actor(cast.fatma))
    for _twice in range(2):
        with atomic():
            delivery.parcel_delivered(back, by=actor(cast.deniz), because="here")
    assert (numbers(kept.tape), lies(kept.tape)) == ((8, 0), {"A-01": 6, "IADE": 2})


def test_a_replacement_is_set_aside(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    kept = keep(tape=10)
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    dispute = story.objected(order, cast, damaged=1)
    with atomic():
        arguments.settle(dispute.id, Resolution.REPLACEMENT, role=Role.FINANCE, by=actor(cast.ayse), because="x")
    assert (numbers(kept.tape), promises(order.id)) == ((6, 1), [("OPEN", 5, 4, 0)])
    packed(order.id, cast)
    assert numbers(kept.tape) == (5, 0)


# Beginning to keep something --------------------------------------------------------------------------------


def test_orders_paid_before_we_kept_it_are_caught_up_with(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 4))[0]
    packed(order.id, cast, 1)
    unpaid = story.place(cast, (story.TAPE, 2)).orders[0]
    kept = keep(tape=10)
    assert (set_aside.catch_up(), set_aside.catch_up()) == (1, 0)
    assert (numbers(kept.tape), promises(order.id), promises(unpaid.id)) == ((10, 3), [("OPEN", 3, 0, 0)], [])
    assert warehouse.agrees()


def test_the_api_says_what_is_missing_and_keeps_nothing(app: Flask, cast: Cast) -> None:
    kept = keep(tape=3, film=5)
    machine = api(app, cast.fatma)
    wanted = {"lines": [{"barcode": story.FILM, "quantity": 2}, {"barcode": story.TAPE, "quantity": 4}]}
    for _twice in range(2):
        answer = machine.client.post(
            "/api/network/orders", json=wanted, headers=machine.headers(**{"Idempotency-Key": "one"})
        )
        said = answer.get_json()
        assert (answer.status_code, said["error"]) == (409, "not_enough_stock")
        assert [(m["barcode"], m["free"], m["wanted"]) for m in said["missing"]] == [(story.TAPE, 3, 4)]
    assert (numbers(kept.tape), numbers(kept.film)) == ((3, 0), (5, 0))
