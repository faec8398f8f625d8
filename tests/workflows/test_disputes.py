"""Something is wrong with some pieces: exactly the rest is released, and every argument ends once, one way."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
from flask import Flask

from portal.accounts.models import Person
from portal.accounts.roles import Role
from portal.core.database import db
from portal.core.errors import BadInput, NotAllowed, NotFound, Refusal
from portal.core.unit_of_work import atomic
from portal.disputes import queries as disputes_queries
from portal.disputes.models import PieceDispute
from portal.disputes.services import NothingOffered
from portal.disputes.states import Resolution
from portal.escrow import queries as escrow_queries
from portal.mail import queries as mail_queries
from portal.orders import queries as orders_queries
from portal.outbox.models import ProviderIntent
from portal.shipping import queries as shipping_queries
from portal.shipping.models import DeliveryReceipt, Shipment
from portal.shipping.services import AlreadyAnswered, DoesNotAddUp, LineAnswer, Piece
from portal.workflows import arguments, delivery, payouts
from tests import story
from tests.cast import Cast, actor
from tests.workflows import parcels
from tests.world import SandboxControl

TAPE = 21475  # kuruş a roll
RELEASE, REFUND, REPLACEMENT = Resolution.RELEASE, Resolution.REFUND, Resolution.REPLACEMENT
Money = tuple[int, int, int]
APPROVALS = ProviderIntent.operation == "approve_item"


def money_of(order_id: int) -> Money:
    """Held, released and refunded, in rolls of tape, once every call has been made."""
    parcels.calls_settle()
    holds = escrow_queries.holds_of([order_id])
    sums = [
        sum(getattr(hold, f"{where}_kurus") for hold in holds) // TAPE for where in ("held", "released", "refunded")
    ]
    return sums[0], sums[1], sums[2]


def disputes_of(order_id: int) -> list[PieceDispute]:
    """The order's arguments as they are now."""
    db.session.rollback()
    return disputes_queries.of_order(order_id)


def arrived(app: Flask, cast: Cast, sandbox: SandboxControl, pieces: int = 4) -> Shipment:
    """A parcel at Fatma's."""
    parcel = parcels.handed_over(parcels.tapes(app, cast, sandbox, pieces), cast)
    parcels.arrives(parcel, cast)
    return parcel


def said(parcel: Shipment, accepted: int, damaged: int = 0, missing: int = 0) -> LineAnswer:
    """About the parcel's only line."""
    return LineAnswer(parcel.items[0]["line_id"], accepted, damaged, missing)


def argued(
    app: Flask, cast: Cast, sandbox: SandboxControl, pieces: int = 4, damaged: int = 1, missing: int = 0
) -> PieceDispute:
    """All accepted but one damaged piece; the (first) argument about it."""
    parcel = arrived(app, cast, sandbox, pieces)
    parcels.answer(parcel, cast, said(parcel, pieces - damaged - missing, damaged, missing))
    return disputes_of(parcel.order_id)[0]


def settle(dispute: PieceDispute, how: Resolution, person: Person, role: Role, *, back: bool = False) -> None:
    """Somebody ends it."""
    with atomic():
        by, because = actor(person), "so agreed"
        arguments.settle(dispute.id, how, role=role, by=by, because=because, goods_come_back=back)


def stands(order_id: int) -> tuple[Money, str]:
    """Where money and order are."""
    return money_of(order_id), orders_queries.any_order(order_id).state


def test_exactly_what_was_accepted_is_released(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = arrived(app, cast, sandbox)
    parcels.answer(parcel, cast, said(parcel, 2, 1, 1), note="ezik, biri yok")
    assert parcels.states(parcel) == ("OBJECTED", "DISPUTED")
    found = [(d.problem, d.pieces, d.amount_kurus, d.state) for d in disputes_of(parcel.order_id)]
    assert found == [("DAMAGED", 1, TAPE, "OPEN"), ("MISSING", 1, TAPE, "OPEN")]
    assert parcels.count(ProviderIntent, APPROVALS) == 2
    assert money_of(parcel.order_id) == (2, 2, 0)
    assert list(sandbox.effects("approve").values()) == [1, 1]
    assert orders_queries.any_order(parcel.order_id).payout_status == "INITIATED"


@pytest.mark.parametrize(
    ("role", "how", "money"),
    [
        (Role.BUYER, RELEASE, (0, 4, 0)),
        (Role.SELLER, REFUND, (0, 3, 1)),
        (Role.FINANCE, RELEASE, (0, 4, 0)),
        (Role.FINANCE, REFUND, (0, 3, 1)),
    ],
)
def test_whoever_gives_in_the_money_follows_once(
    app: Flask, cast: Cast, sandbox: SandboxControl, role: Role, how: Resolution, money: Money
) -> None:
    dispute = argued(app, cast, sandbox)
    person = {Role.BUYER: cast.fatma, Role.SELLER: cast.deniz, Role.FINANCE: cast.ayse}[role]
    settle(dispute, how, person, role)
    (ended,) = disputes_of(dispute.order_id)
    assert (ended.state, ended.resolution, ended.settled_by) == ("SETTLED", how, person.full_name)
    assert stands(dispute.order_id) == (money, "COMPLETED")
    assert orders_queries.any_order(dispute.order_id).payout_status == "RELEASED"
    for again in Resolution:
        with pytest.raises(Refusal):
            settle(dispute, again, cast.ayse, Role.FINANCE)
    assert money_of(dispute.order_id) == money


def test_an_order_of_which_nothing_was_kept_is_refunded(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    first = argued(app, cast, sandbox, 2, missing=1)
    for dispute in disputes_of(first.order_id):
        settle(dispute, REFUND, cast.deniz, Role.SELLER)
    assert stands(first.order_id) == ((0, 0, 2), "REFUNDED")


def test_the_two_arguments_of_a_parcel_end_apart(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    damaged, missing = disputes_of(argued(app, cast, sandbox, missing=1).order_id)
    settle(damaged, RELEASE, cast.fatma, Role.BUYER)
    assert stands(damaged.order_id) == ((1, 3, 0), "DISPUTED")
    settle(missing, REFUND, cast.deniz, Role.SELLER)
    assert stands(damaged.order_id) == ((0, 3, 1), "COMPLETED")


@pytest.mark.parametrize("role", [Role.BUYER, Role.FINANCE])
def test_new_pieces_end_it_once_accepted(app: Flask, cast: Cast, sandbox: SandboxControl, role: Role) -> None:
    dispute = argued(app, cast, sandbox)
    if role is Role.BUYER:
        with atomic():
            arguments.offer_replacement(dispute.id, by=actor(cast.deniz))
    settle(dispute, REPLACEMENT, cast.fatma if role is Role.BUYER else cast.ayse, role)
    assert stands(dispute.order_id) == ((1, 3, 0), "PARTIALLY_SHIPPED")
    second = parcels.handed_over(orders_queries.any_order(dispute.order_id), cast)
    assert (second.items[0]["quantity"], stands(dispute.order_id)) == (1, ((1, 3, 0), "SHIPPED"))
    parcels.arrives(second, cast)
    assert stands(dispute.order_id) == ((1, 3, 0), "DELIVERED")
    parcels.answer(second, cast, said(second, 1))
    assert stands(dispute.order_id) == ((0, 4, 0), "COMPLETED")


def test_a_new_piece_may_be_broken_again_or_never_come(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    dispute = argued(app, cast, sandbox)
    order = orders_queries.any_order(dispute.order_id)
    settle(dispute, REPLACEMENT, cast.ayse, Role.FINANCE)
    second = parcels.handed_over(order, cast)
    parcels.answer(second, cast, said(second, 0, 1))
    settle(disputes_of(order.id)[1], REPLACEMENT, cast.ayse, Role.FINANCE)
    with atomic():
        gone = [Piece(dispute.order_line_id, 1)]
        delivery.withdraw_pieces(order.id, gone, by=actor(cast.deniz), because="sold out")
    assert stands(order.id) == ((0, 3, 1), "COMPLETED")


def test_who_may_not_end_it(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    dispute = argued(app, cast, sandbox)
    refused = {Role.BUYER: {REFUND}, Role.SELLER: {RELEASE, REPLACEMENT}}
    for role, person in {
        Role.BUYER: cast.fatma,
        Role.SELLER: cast.deniz,
        Role.BROKER: cast.burak,
        Role.ADMIN: cast.gul,
    }.items():
        for how in refused.get(role, set(Resolution)):
            with pytest.raises(NotAllowed):
                settle(dispute, how, person, role, back=how is REFUND)
    with pytest.raises(NothingOffered):
        settle(dispute, REPLACEMENT, cast.fatma, Role.BUYER)
    with pytest.raises(BadInput), atomic():
        arguments.settle(dispute.id, REFUND, role=Role.SELLER, by=actor(cast.deniz), because=" ")
    assert [d.state for d in disputes_of(dispute.order_id)] == ["OPEN"]
    assert money_of(dispute.order_id) == (1, 3, 0)


def test_the_refund_waits_for_the_goods(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    dispute = argued(app, cast, sandbox)
    settle(dispute, REFUND, cast.deniz, Role.SELLER, back=True)
    back = shipping_queries.parcels_of(dispute.order_id)[-1]
    assert (back.direction, back.items[0]["quantity"]) == ("RETURN", 1)
    assert disputes_of(dispute.order_id)[0].state == "AWAITING_RETURN"
    with pytest.raises(NotFound), atomic():
        delivery.pack_parcel(back.id, by=actor(cast.cem))  # what the buyer sends back, the buyer packs
    with atomic():
        delivery.goods_sent_back(back.id, carrier="Elden", tracking_number="", by=actor(cast.fatma))
    assert stands(dispute.order_id) == ((1, 3, 0), "DISPUTED")
    parcels.arrives(back, cast)
    parcels.arrives(back, cast)
    assert stands(dispute.order_id) == ((0, 3, 1), "COMPLETED")
    assert (parcels.fresh(back).delivery_note_uuid, len(sandbox.despatches())) == (None, 1)
    assert list(sandbox.effects("refund").values()) == [1]


def test_goods_that_never_come_are_for_finance_to_decide_and_may_be_called_again(
    app: Flask, cast: Cast, sandbox: SandboxControl
) -> None:
    dispute = argued(app, cast, sandbox)
    settle(dispute, REFUND, cast.deniz, Role.SELLER, back=True)
    story.days_pass(8, sandbox)
    with app.app_context():
        assert arguments.escalate_overdue() == 1
    assert disputes_of(dispute.order_id)[0].state == "ESCALATED"
    settle(dispute, REFUND, cast.ayse, Role.FINANCE, back=True)
    again = shipping_queries.parcels_of(dispute.order_id)[-1]
    with atomic():
        delivery.goods_sent_back(again.id, carrier="Elden", tracking_number="", by=actor(cast.fatma))
    parcels.arrives(again, cast)
    assert stands(dispute.order_id) == ((0, 3, 1), "COMPLETED")


def test_what_never_came_cannot_come_back(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox, (story.TAPE, 2))[0]
    dispute = story.objected(order, cast, damaged=0, missing=1)
    with pytest.raises(BadInput):
        settle(dispute, REFUND, cast.deniz, Role.SELLER, back=True)
    assert [d.state for d in disputes_of(order.id)] == ["OPEN"]


def test_goods_are_called_back_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    dispute = argued(app, cast, sandbox)
    settle(dispute, REFUND, cast.deniz, Role.SELLER, back=True)
    with pytest.raises(Refusal):
        settle(dispute, REFUND, cast.deniz, Role.SELLER, back=True)
    assert len(shipping_queries.parcels_of(dispute.order_id)) == 2


def test_after_the_agreed_days_finance_decides(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    dispute = argued(app, cast, sandbox)
    story.days_pass(7, sandbox)
    with app.app_context():
        assert arguments.escalate_overdue() == 0
    story.days_pass(1, sandbox)
    with app.app_context():
        assert [arguments.escalate_overdue() for _ in range(2)] == [1, 0]
    assert [d.state for d in disputes_of(dispute.order_id)] == ["ESCALATED"]
    settle(dispute, REFUND, cast.ayse, Role.FINANCE)
    assert stands(dispute.order_id) == ((0, 3, 1), "COMPLETED")


def test_a_refused_refund_is_asked_for_again(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    dispute = argued(app, cast, sandbox)
    assert money_of(dispute.order_id) == (1, 3, 0)
    settle(dispute, REFUND, cast.deniz, Role.SELLER)
    sandbox.fault("refund", "refuse")
    assert money_of(dispute.order_id) == (1, 3, 0)
    assert orders_queries.any_order(dispute.order_id).payout_status != "RELEASED"
    for _ in range(2):
        with app.app_context():
            payouts.reconcile(by=actor(cast.ayse))
        assert money_of(dispute.order_id) == (0, 3, 1)
    assert list(sandbox.effects("refund").values()) == [1]


def test_an_answer_is_given_once(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = arrived(app, cast, sandbox)
    for _ in range(3):
        parcels.answer(parcel, cast, said(parcel, 3, 1))
    for other in (said(parcel, 4), said(parcel, 3, 0, 1), said(parcel, 2, 2)):
        with pytest.raises(AlreadyAnswered):
            parcels.answer(parcel, cast, other)
    assert (parcels.count(DeliveryReceipt), money_of(parcel.order_id)) == (1, (1, 3, 0))


def test_answers_that_cannot_be_change_nothing(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel, foreign = arrived(app, cast, sandbox), arrived(app, cast, sandbox)
    mine, theirs = said(parcel, 4), said(foreign, 4)
    wrong = [
        [], [theirs], [mine, theirs], [mine, mine], [mine._replace(accepted=3)], [mine._replace(damaged=1)],
        [mine._replace(accepted=5, damaged=-1)], [mine._replace(accepted=2), mine._replace(accepted=2)],
        [mine._replace(accepted=-4, missing=8)],
    ]  # fmt: skip
    for answers in wrong:
        with pytest.raises(DoesNotAddUp):
            parcels.answer(parcel, cast, *answers)
    with pytest.raises(NotFound), atomic():
        delivery.confirm_delivery(parcel.order_id, by=actor(cast.fatma), because="x", answers={foreign.id: [theirs]})
    assert parcels.states(parcel) == parcels.states(foreign) == ("DELIVERED", "DELIVERED")
    assert (parcels.count(DeliveryReceipt), parcels.count(ProviderIntent, APPROVALS)) == (0, 0)


def test_of_many_answers_at_once_one_is_written_down(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    parcel = arrived(app, cast, sandbox)

    def answers(line: LineAnswer) -> bool:
        with suppress(AlreadyAnswered):
            parcels.answer(parcel, cast, line)
            return True
        return False

    crowd = [partial(answers, line) for line in (said(parcel, 2, 1, 1), said(parcel, 2, 2))] * 8
    heard = parcels.all_at_once(app, crowd)
    assert (sum(heard), parcels.count(DeliveryReceipt)) == (8, 1)
    assert sum(dispute.pieces for dispute in disputes_of(parcel.order_id)) == 2
    assert money_of(parcel.order_id) == (2, 2, 0)


def test_ece_does_not_see_what_deniz_argues_about(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    dispute = argued(app, cast, sandbox, 1)
    assert disputes_queries.dispute(dispute.id, seller_id=cast.deniz.organisation_id).dispute.id == dispute.id
    with pytest.raises(NotFound):
        disputes_queries.dispute(dispute.id, seller_id=cast.ece.organisation_id)
    assert disputes_queries.counts(seller_id=cast.ece.organisation_id) == {}


def test_each_side_hears_of_it_by_one_letter(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    damaged = argued(app, cast, sandbox, missing=1)
    story.drain("mail")
    letters = sandbox.mail()
    with_links = [(letter["to"], "/delivery/" in letter["text"], "/disputes/" in letter["text"]) for letter in letters]
    assert sorted(with_links) == sorted([([cast.fatma.email], True, False), *[([cast.deniz.email], False, True)] * 2])
    assert len(mail_queries.mails_about("shipment", [str(damaged.shipment_id)])) == 1
