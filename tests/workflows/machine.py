"""Everything that can happen to an order, in any order: people, carriers and the provider as a state machine.

The services, the wire code and PostgreSQL are the real ones. The outside is the sandbox's own app, called within this
process (no sockets: 300 runs of 50 steps have to end within minutes), on a road where answers get lost, calls never
arrive, and senders die. Every run begins with emptied tables and orders of its own, so that a run can be repeated.
Letters are written down with the deed as always; nobody sends them here.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import httpx
import psycopg
from flask import Flask, g
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from portal import demo
from portal.accounts import queries as accounts_queries
from portal.accounts.roles import Role
from portal.core import clock, idempotency
from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.money import Money
from portal.core.ports import Outcome, cast_role, port
from portal.core.unit_of_work import atomic
from portal.despatch.ports import DespatchOffice
from portal.disputes.states import Resolution
from portal.escrow.ports import PaymentGateway
from portal.health.books import Trouble, ask_the_books
from portal.integrations.iyzico.adapter import IyzicoGateway
from portal.integrations.iyzico.client import IyzicoClient
from portal.integrations.manual.adapter import ManualCarrier
from portal.integrations.mock_carrier.adapter import MockCarrier
from portal.integrations.mock_carrier.client import MockClient
from portal.integrations.nilvera.adapter import NilveraOffice
from portal.integrations.nilvera.client import NilveraClient
from portal.orders import services as orders
from portal.outbox import queries as outbox_queries
from portal.outbox import services as outbox
from portal.sandbox.app import create_sandbox
from portal.sandbox.faults import Fault
from portal.sandbox.iyzico.books import APPROVED
from portal.sandbox.iyzico.books import Books as ProviderBooks
from portal.sandbox.world import SandboxSettings, World
from portal.settings import Settings
from portal.shipping.ports import Carriers, Scan, Tracked, TrackingAnswer
from portal.shipping.services import LineAnswer, Piece
from portal.stock import queries as stock_queries
from portal.workflows import arguments, checkout, delivery, payouts, provider_calls, returns, tracking
from portal.workflows.standing import with_order
from tests import story
from tests.cast import Cast, actor
from tests.workflows import machine_agents

Row = dict[str, Any]

# Two of Deniz', one of Ece's, and two whose prices leave nothing to round: one kuruş, and seven.
STEPS = 50  # after the first basket
ONE_KURUS, SEVEN_KURUS = "8699999999901", "8699999999907"
BARCODES = (story.TAPE, story.FILM, story.PAPER, ONE_KURUS, SEVEN_KURUS)
DAY = 86400

# What a run leaves behind; people, offers and accounts stay.
LEFT_BEHIND = (
    "checkout", "network_order", "network_order_line", "network_payment", "escrow_hold", "escrow_refund",
    "provider_payout", "reconciliation", "provider_intent", "provider_attempt", "journal_entry", "posting",
    "transition", "audit_event", "idempotency_key", "shipment", "shipment_watch", "carrier_scan", "delivery_link",
    "delivery_receipt", "delivery_receipt_line", "despatch_series", "despatch_note", "dispute", "dispute_message",
    "dispute_photo", "mail_message", "clock_shift", "reservation", "stock_shortage", "deal", "commission_person_account",
    "commission_audit_event",
)  # fmt: skip
# What a refusal must leave as it was, whole: every row of these, and how many there are of the others.
ROWS = {
    "orders": "network_order",
    "lines": "network_order_line",
    "holds": "escrow_hold",
    "refunds": "escrow_refund",
    "parcels": "shipment",
    "disputes": "dispute",
    "receipts": "delivery_receipt",
    "answers": "delivery_receipt_line",
    "intents": "provider_intent",
}
COUNTS = (
    "posting", "journal_entry", "transition", "carrier_scan", "mail_message", "despatch_note", "shipment_watch",
    "reservation", "stock_act", "stock_movement", "deal", "commission_snapshot", "commission_ledger_entry",
)  # fmt: skip
# What parcels moved is forgotten; what was received lies on its shelf again.
FULL_SHELVES_AGAIN = (
    "DELETE FROM stock_movement WHERE source_kind <> ''",
    "DELETE FROM stock_act WHERE source_kind <> ''",
    """UPDATE shelf_stock s SET qty = (SELECT coalesce(sum(m.pieces), 0) FROM stock_movement m
       WHERE (m.item_id, m.shelf_id) = (s.item_id, s.shelf_id))""",
    """UPDATE central_stock c SET reserved = 0,
       qty = (SELECT coalesce(sum(m.pieces), 0) FROM stock_movement m WHERE m.item_id = c.item_id)""",
)
EVERYTHING = "SELECT json_build_object({})::text".format(
    ", ".join(
        [f"'{name}', (SELECT coalesce(json_agg(t ORDER BY t.id), '[]') FROM {table} t)" for name, table in ROWS.items()]
        + [f"'{table}', (SELECT count(*) FROM {table})" for table in COUNTS]
    )
)

SHIPPABLE = ("PAID", "PARTIALLY_SHIPPED", "DISPUTED")
ENDED = ("COMPLETED", "CANCELLED", "REFUNDED")
GONE = ("CANCELLED", "RETURNED", "LOST")
OPEN_INTENTS = "('READY', 'SENDING', 'UNKNOWN')"


class Died(BaseException):
    """The sender's process is gone: nobody notes anything."""


class Mood(StrEnum):
    """What becomes of one call to the outside."""

    FINE = "FINE"
    REFUSED = "REFUSED"
    NOT_REACHED = "NOT_REACHED"
    SILENT_BEFORE = "SILENT_BEFORE"
    SILENT_AFTER = "SILENT_AFTER"
    DIES_BEFORE = "DIES_BEFORE"
    DIES_AFTER = "DIES_AFTER"


class Road(httpx.BaseTransport):
    """The way to the sandbox within this process: each call meets the next mood, and after the last all is well."""

    def __init__(self, sandbox: Flask, world: World) -> None:
        self.inner = httpx.WSGITransport(app=sandbox)
        self.world = world
        self.moods: deque[Mood] = deque()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one call."""
        mood = self.moods.popleft() if self.moods else Mood.FINE
        match mood:
            case Mood.NOT_REACHED:
                raise httpx.ConnectError("no road", request=request)
            case Mood.SILENT_BEFORE:
                raise httpx.ReadTimeout("lost on the way there", request=request)
            case Mood.DIES_BEFORE:
                raise Died
            case Mood.REFUSED:
                self.world.faults.add(Fault("*", "*", "refuse"))
        answer = self.inner.handle_request(request)
        answer.read()
        self.world.faults.clear()
        match mood:
            case Mood.SILENT_AFTER:
                raise httpx.ReadTimeout("lost on the way back", request=request)
            case Mood.DIES_AFTER:
                raise Died
        return answer


class Books(NamedTuple):
    """Everything our tables say, at one moment."""

    text: str
    rows: dict[str, list[Row]]

    def of(self, name: str, **having: Any) -> list[Row]:
        """Rows with these values."""
        return [row for row in self.rows[name] if all(row[key] == value for key, value in having.items())]

    def one(self, name: str, row_id: int) -> Row:
        """A row by its id."""
        return next(row for row in self.rows[name] if row["id"] == row_id)


class Stage:
    """One portal, one database and one outside world for many runs, and a count of what happened."""

    def __init__(self, app: Flask, cast: Cast, settings: Settings) -> None:
        self.app, self.cast = app, cast
        sandbox = create_sandbox(
            SandboxSettings(settings.iyzico_api_key, settings.iyzico_secret_key, settings.iyzico_base_url)
        )
        self.world: World = sandbox.extensions["world"]
        self.provider = ProviderBooks(self.world)
        self.road = Road(sandbox, self.world)
        self._cast_roles(settings)
        # A second line to the database, for looking only at what is committed.
        self.line = psycopg.connect(
            settings.database_url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True
        )
        self.line.execute("SET synchronous_commit = off")
        self.happened: Counter[str] = Counter()
        self.runs = self.whole_runs = self.steps = 0
        self._open_the_shop()

    def _cast_roles(self, settings: Settings) -> None:
        iyzico = IyzicoClient(
            base_url=settings.iyzico_base_url,
            api_key=settings.iyzico_api_key,
            secret_key=settings.iyzico_secret_key,
            transport=self.road,
        )
        mock = MockClient(
            base_url=settings.mock_carrier_base_url, token=settings.mock_carrier_token, transport=self.road
        )
        office = NilveraClient(
            base_url=settings.nilvera_base_url, api_key=settings.nilvera_api_key, transport=self.road
        )
        cast_role(self.app, PaymentGateway, IyzicoGateway(iyzico))
        cast_role(self.app, Carriers, Carriers({"manual": ManualCarrier(), "mock": MockCarrier(mock)}, {}))
        cast_role(self.app, DespatchOffice, NilveraOffice(office))

    def _open_the_shop(self) -> None:
        """Strange prices, which the warehouse does not keep; full shelves of all else; the provider knows the sellers."""
        if not stock_queries.kept([story.TAPE]):
            with atomic():
                demo.fill_shelves()
        for barcode, kurus in ((ONE_KURUS, 1), (SEVEN_KURUS, 7)):
            self.line.execute(
                "INSERT INTO offer (seller_organisation_id, barcode, name, unit_price_kurus) VALUES (%s, %s, %s, %s)",
                (self.cast.deniz.organisation_id, barcode, f"Örnek parça, {kurus} kuruş", kurus),
            )
        story.register_sellers()
        machine_agents.an_agent(self.cast)
        # The cast stays as it is now, whatever session comes and goes.
        for person in self.cast.everybody:
            db.session.refresh(person)
            db.session.expunge(person)
        db.session.remove()

    def sweep(self) -> None:
        """Empty the tables: history too, which only an administrator's session can."""
        db.session.remove()
        g.pop("clock_shift", None)
        with self.line.transaction():
            self.line.execute("SET LOCAL session_replication_role = replica")
            self.line.execute(f"TRUNCATE {', '.join(LEFT_BEHIND)} RESTART IDENTITY CASCADE")
            for statement in FULL_SHELVES_AGAIN:
                self.line.execute(statement)
            self.line.execute("UPDATE ledger_account SET balance_kurus = 0 WHERE balance_kurus <> 0")
        for kind in [kind for kind in self.world.store.rows if kind not in ("seller", "seller_key")]:
            del self.world.store.rows[kind]
        self.world.faults.clear()
        self.road.moods.clear()

    def books(self) -> Books:
        """What is committed now, by plain SQL."""
        row = self.line.execute(EVERYTHING).fetchone()
        assert row
        return Books(row[0], json.loads(row[0]))

    def close(self) -> None:
        """Hang up."""
        self.sweep()
        self.line.close()


def picked(rows: Sequence[Row], which: int, *states: str) -> Row:
    """One of the rows; mostly one that is in such a state, sometimes any."""
    likely = [row for row in rows if row["state"] in states]
    chosen = likely if likely and which % 8 else rows
    return chosen[which // 8 % len(chosen)]


def when(name: str, *states: str) -> Callable[[Any], Any]:
    """The deed has a point: there is something in such a state. Every eighth time it is tried all the same."""

    def there_is(self: EverythingThatCanHappen) -> bool:
        rows = self.some(name)
        return any(row["state"] in states for row in rows) or bool(rows and self.turn % 8 == 0)

    return precondition(there_is)


def something_to_ship(self: EverythingThatCanHappen) -> bool:
    """Pieces are left; every eighth time it is tried all the same."""
    open_orders = {order["id"] for order in self.some("orders") if order["state"] in SHIPPABLE}
    return self.turn % 8 == 0 or any(_to_ship(x) for x in self.some("lines") if x["order_id"] in open_orders)


WHICH = st.integers(0, 511)
FEW = st.sampled_from([1, 1, 2, 2, 3, 4, 6])
PIECES = st.sampled_from([1, 0, 2, 0])
BASKET = st.dictionaries(st.sampled_from(BARCODES), FEW, min_size=1, max_size=3)
MOODS = st.lists(st.sampled_from([Mood.FINE, *Mood]), max_size=5)
WORDS = st.tuples(st.sampled_from(list(Tracked)), st.sampled_from(["", " (tekrar)"]))


class EverythingThatCanHappen(RuleBasedStateMachine):
    """One basket's life under every deed the portal knows."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.cast = stage.cast
        self.shift = 0
        self.asked: dict[str, tuple[int, list[Piece] | None, str, int]] = {}
        self.sound = False
        self.checked = ""
        self.reconciled = ""
        self.turn = self.done = 0
        self.stage.sweep()
        self.books = self.stage.books()
        self.stage.runs += 1

    # How a deed is done -------------------------------------------------------------------------------------

    def attempt(self, name: str, deed: Callable[[], Any], *, alone: bool = False) -> Any:
        """A deed in its unit of work, as a request would do it. A refusal leaves everything as it was.

        `alone`: it opens its own units of work. Returns what it returned, or the Refusal.
        """
        self.sound = False
        self.stage.steps += 1
        self.turn += 1
        result: Any
        try:
            if alone:
                result = deed()
            else:
                with atomic():
                    result = deed()
        except Refusal as no:
            result = no
        db.session.remove()
        after = self.stage.books()
        refused = isinstance(result, Refusal)
        if refused and not alone:
            assert after.text == self.books.text, f"{name} was refused ({result.code}) and left traces"
        self.books = after
        self.stage.happened[f"{name}: {result.code if refused else 'done'}"] += 1
        return result

    @property
    def seller(self) -> Any:
        """Who sells."""
        return actor(self.cast.deniz)

    @property
    def buyer(self) -> Any:
        """Who buys."""
        return actor(self.cast.fatma)

    @property
    def finance(self) -> Any:
        """Who keeps the books."""
        return actor(self.cast.ayse)

    def some(self, name: str) -> list[Row]:
        """Rows of the books."""
        return self.books.rows[name]

    def days_pass(self, days: int) -> None:
        """Here and at the provider."""
        self.shift += days * DAY
        with atomic():
            clock.move_to(self.shift)
        self.stage.world.move_clock(self.shift)
        db.session.remove()

    def all_calls_are_due(self, *, backwards: bool = False) -> None:
        """Patience is over for every call, in the order in which they were wanted or the other way round."""
        sign = -1 if backwards else 1
        self.stage.line.execute(
            "UPDATE provider_intent SET next_attempt_at = clock_timestamp() - interval '1 day'"
            f" + {sign} * id * interval '1 millisecond' WHERE state IN {OPEN_INTENTS}"
        )

    def work(self, most: int) -> None:
        """Take due calls through their steps; a sender may die on the way."""
        try:
            for _ in range(most):
                if not provider_calls.dispatch_next():
                    break
        except Died:
            self.stage.happened["a sender died"] += 1
            db.session.rollback()

    # The basket ---------------------------------------------------------------------------------------------

    @initialize(lines=BASKET, many=st.integers(0, 7))
    def first_basket(self, lines: dict[str, int], many: int) -> None:
        """Every run begins with one."""
        self._paid(lines, many)

    @precondition(lambda self: all(order["state"] in ENDED for order in self.some("orders")))
    @rule(lines=BASKET, many=st.integers(0, 7))
    def next_basket(self, lines: dict[str, int], many: int) -> None:
        """Another one, once the last has come to its end."""
        self._paid(lines, many)

    def _paid(self, lines: dict[str, int], many: int) -> None:
        """Fatma orders and pays: the money is in trust. Now and then there are thirty of the first thing."""
        if many == 0:
            lines = {**lines, next(iter(lines)): 30}

        def deed() -> None:
            with atomic():
                buyer = accounts_queries.active_person(self.cast.fatma.id)
                assert buyer
                wanted = [orders.WantedLine(b, n) for b, n in lines.items()]
                placed = checkout.place(wanted, buyer=buyer, by=self.buyer)
            organisation = accounts_queries.organisation(self.cast.fatma.organisation_id)
            url = checkout.payment_page(placed, buyer, organisation, ip="127.0.0.1", by=self.buyer)
            token = url.rsplit("/", 1)[1]
            self.stage.provider.pay(token, success=True)
            answer = port(PaymentGateway).payment_by_token(token)
            assert answer.outcome is Outcome.DONE and answer.state
            with atomic():
                checkout.learn(answer.state)

        known = len(self.some("orders"))
        self.attempt("paid", deed, alone=True)
        assert {order["state"] for order in self.some("orders")[known:]} == {"PAID"}

    # The seller, the packer, the road -----------------------------------------------------------------------

    @precondition(something_to_ship)
    @rule(
        which=WHICH, wanted=st.lists(st.tuples(WHICH, FEW), max_size=3), mock=st.booleans(), key=st.sampled_from("AB")
    )
    def prepare(self, which: int, wanted: list[tuple[int, int]], mock: bool, key: str) -> None:
        """A parcel with some pieces, or with everything that is left; under a key, as the API asks for one."""
        order = picked(self.some("orders"), which, *SHIPPABLE)
        lines = self.books.of("lines", order_id=order["id"])
        counted: Counter[int] = Counter()
        for line, quantity in wanted:
            chosen = lines[line % len(lines)]
            counted[chosen["id"]] += min(quantity, _to_ship(chosen) or quantity) if which % 8 else quantity
        pieces = [Piece(*piece) for piece in counted.items()] or None
        carrier = "mock" if mock else "manual"
        key = f"{key}{self.turn if which % 4 else 0:03}"
        answer = self._keyed(key, order["id"], pieces, carrier, "prepare")
        if not isinstance(answer, Refusal):
            self.asked.setdefault(key, (order["id"], pieces, carrier, answer["parcel"]))

    @precondition(lambda self: self.turn % 4 == 0 and self.asked)
    @rule(which=WHICH)
    def prepare_again(self, which: int) -> None:
        """The same request under the same key: the same parcel, and nothing else."""
        key = sorted(self.asked)[which % len(self.asked)]
        order_id, pieces, carrier, parcel = self.asked[key]
        before = self.books.text
        assert self._keyed(key, order_id, pieces, carrier, "prepare again") == {"parcel": parcel}
        assert self.books.text == before

    def _keyed(self, key: str, order_id: int, pieces: list[Piece] | None, carrier: str, name: str) -> Any:
        who: dict[str, Any] = {"person_id": self.cast.deniz.id, "action": "init shipment", "key": key}

        def deed() -> Any:
            known = idempotency.first_answer(**who, content=[order_id, pieces, carrier])
            if known is not None:
                return known
            parcel = delivery.prepare_parcel(
                order_id, by=self.seller, pieces=pieces, init_key=key, carrier_code=carrier
            )
            idempotency.remember_answer(**who, answer={"parcel": parcel.id})
            return {"parcel": parcel.id}

        return self.attempt(name, deed)

    @when("parcels", "PLANNED")
    @rule(which=WHICH)
    def pack(self, which: int) -> None:
        """The box is closed."""
        parcel = picked(self.some("parcels"), which, "PLANNED")
        self.attempt("pack", lambda: delivery.pack_parcel(parcel["id"], by=actor(self.cast.cem)))

    @when("parcels", "PACKED")
    @rule(which=WHICH)
    def hand_over(self, which: int) -> None:
        """Somebody carries it."""
        parcel = picked(self.some("parcels"), which, "PACKED")
        self.attempt("hand over", lambda: self._handed_over(parcel["id"]))

    def _handed_over(self, parcel_id: int) -> None:
        delivery.hand_over_parcel(parcel_id, carrier="Elden", tracking_number="", by=self.seller)

    @precondition(something_to_ship)
    @rule(which=WHICH, quantity=FEW, arrives=st.booleans())
    def send(self, which: int, quantity: int, arrives: bool) -> None:
        """A short way to a parcel on the road, so that fifty steps lead somewhere: some pieces of every line."""
        self._send(which, quantity, arrives=arrives)

    def _send(self, which: int, quantity: int, *, arrives: bool) -> None:
        order = picked(self.some("orders"), which, *SHIPPABLE)
        left = {x["id"]: _to_ship(x) for x in self.books.of("lines", order_id=order["id"])}
        pieces = [Piece(line_id, min(quantity, n)) for line_id, n in left.items() if n] or None

        def deed() -> None:
            parcel = delivery.prepare_parcel(order["id"], by=self.seller, pieces=pieces)
            delivery.pack_parcel(parcel.id, by=actor(self.cast.cem))
            self._handed_over(parcel.id)
            if arrives:
                delivery.parcel_delivered(parcel.id, by=self.seller, because="brought by hand")

        self.attempt("send", deed)

    @when("parcels", "PLANNED", "PACKED")
    @rule(which=WHICH)
    def cancel_parcel(self, which: int) -> None:
        """It does not go out."""
        parcel = picked(self.some("parcels"), which, "PLANNED", "PACKED")
        self.attempt("cancel parcel", lambda: delivery.cancel_parcel(parcel["id"], by=self.seller, because="broken"))

    @when("parcels", "PACKED", "HANDED_OVER", "DELIVERED")
    @rule(which=WHICH, said=st.lists(WORDS, min_size=1, max_size=3))
    def carrier_says(self, which: int, said: list[tuple[Tracked, str]]) -> None:
        """Words of a carrier: early, late, again, alarming, unknown."""
        parcel = picked(self.some("parcels"), which, "PACKED", "HANDED_OVER", "DELIVERED")
        scans = tuple(Scan(status, status.lower(), f"{status.title()}{more}") for status, more in said)

        def deed() -> None:
            shipment, order = with_order(parcel["id"])
            tracking.learn(shipment, order, TrackingAnswer(Outcome.DONE, "T1", "", scans))

        self.attempt("carrier says", deed)

    @when("parcels", "HANDED_OVER")
    @rule(which=WHICH)
    def brought_by_hand(self, which: int) -> None:
        """The seller says it was delivered."""
        parcel = picked(self.some("parcels"), which, "HANDED_OVER")
        self.attempt("deliver", lambda: delivery.parcel_delivered(parcel["id"], by=self.seller, because="brought"))

    @when("parcels", "HANDED_OVER")
    @rule(which=WHICH)
    def give_up(self, which: int) -> None:
        """The seller gives a parcel up."""
        parcel = picked(self.some("parcels"), which, "HANDED_OVER")
        self.attempt("give up", lambda: delivery.parcel_lost(parcel["id"], by=self.seller, because="lost"))

    @precondition(something_to_ship)
    @rule(which=WHICH, line=WHICH, quantity=FEW)
    def withdraw(self, which: int, line: int, quantity: int) -> None:
        """The seller cannot supply some pieces."""
        order = picked(self.some("orders"), which, *SHIPPABLE)
        lines = self.books.of("lines", order_id=order["id"])
        left = [x for x in lines if _to_ship(x)] if line % 8 else lines
        chosen = (left or lines)[line % len(left or lines)]
        pieces = [Piece(chosen["id"], min(quantity, _to_ship(chosen) or quantity) if which % 8 else quantity)]
        self.attempt(
            "withdraw", lambda: delivery.withdraw_pieces(order["id"], pieces, by=self.seller, because="sold out")
        )

    # The buyer ----------------------------------------------------------------------------------------------

    @when("parcels", "HANDED_OVER", "DELIVERED")
    @rule(which=WHICH)
    def confirm_everything(self, which: int) -> None:
        """ "Teslim aldım": all that is on its way."""
        order = picked(self.some("orders"), which, "SHIPPED", "PARTIALLY_SHIPPED", "DELIVERED")
        self._confirm("confirm everything", order["id"], None)

    @when("parcels", "HANDED_OVER", "DELIVERED")
    @rule(which=WHICH)
    def confirm_parcel(self, which: int) -> None:
        """One parcel, complete."""
        parcel = picked(self.some("parcels"), which, "HANDED_OVER", "DELIVERED")
        self._confirm("confirm a parcel", parcel["order_id"], [parcel["id"]])

    def _confirm(self, name: str, order_id: int, parcels: list[int] | None) -> Any:
        return self.attempt(
            name, lambda: delivery.confirm_delivery(order_id, parcels, by=self.buyer, because="teslim aldım")
        )

    @when("parcels", "HANDED_OVER", "DELIVERED")
    @rule(which=WHICH, broken=PIECES, missing=PIECES, wrong=st.integers(0, 15))
    def answer_line_by_line(self, which: int, broken: int, missing: int, wrong: int) -> None:
        """So many of each line are damaged, so many missing; now and then it does not add up."""
        parcel = picked(self.some("parcels"), which, "HANDED_OVER", "DELIVERED")
        answers = _line_by_line(parcel, broken, missing)
        if wrong == 0:
            answers[0] = answers[0]._replace(accepted=answers[0].accepted + 1)
        result = self._answer("answer line by line", parcel, answers)
        assert wrong or isinstance(result, Refusal)

    @precondition(something_to_ship)
    @rule(which=WHICH, quantity=FEW, broken=PIECES, missing=PIECES)
    def send_and_be_answered(self, which: int, quantity: int, broken: int, missing: int) -> None:
        """A short way to an argument."""
        self._send(which, quantity, arrives=False)
        parcels = self.books.of("parcels", state="HANDED_OVER", direction="OUT")
        if parcels:
            self._answer("answer line by line", parcels[-1], _line_by_line(parcels[-1], broken, missing))

    def _answer(self, name: str, parcel: Row, answers: list[LineAnswer]) -> Any:
        return self.attempt(
            name,
            lambda: delivery.confirm_delivery(
                parcel["order_id"], by=self.buyer, because="looked", answers={parcel["id"]: answers}, note="gördüm"
            ),
        )

    @precondition(lambda self: self.turn % 4 == 0 and self.some("receipts"))
    @rule(which=WHICH)
    def answer_again(self, which: int) -> None:
        """The same answer changes nothing. (Money a refused call left behind may be asked for again.)"""
        receipt, answers = self._an_answer(which)
        before = self.books
        parcel = before.one("parcels", receipt["shipment_id"])
        assert not isinstance(self._answer("answer again", parcel, answers), Refusal)
        for name in ("lines", "parcels", "disputes", "receipts", "answers"):
            assert self.books.rows[name] == before.rows[name], name

    @precondition(lambda self: self.turn % 4 == 0 and self.some("receipts"))
    @rule(which=WHICH)
    def answer_otherwise(self, which: int) -> None:
        """Another answer to the same parcel is refused."""
        receipt, (first, *others) = self._an_answer(which)
        if first.accepted:
            other = first._replace(accepted=first.accepted - 1, missing=first.missing + 1)
        else:
            other = first._replace(accepted=first.objected, damaged=0, missing=0)
        parcel = self.books.one("parcels", receipt["shipment_id"])
        assert isinstance(self._answer("answer otherwise", parcel, [other, *others]), Refusal)

    def _an_answer(self, which: int) -> tuple[Row, list[LineAnswer]]:
        receipt = self.some("receipts")[which % len(self.some("receipts"))]
        said = self.books.of("answers", receipt_id=receipt["id"])
        return receipt, [LineAnswer(x["order_line_id"], x["accepted"], x["damaged"], x["missing"]) for x in said]

    @precondition(lambda self: self.turn % 8 == 3 and self.books.of("orders", state="PAID"))
    @rule(which=WHICH)
    def cancel_order(self, which: int) -> None:
        """The buyer changes his mind. Rarely: else most runs would end here."""
        order = picked(self.some("orders"), which, "PAID")
        self.attempt("cancel order", lambda: returns.cancel_order(order["id"], by=self.buyer, because="changed"))

    @rule(days=st.integers(1, 4))
    def silence(self, days: int) -> None:
        """Days pass; whoever said nothing has agreed."""
        self.days_pass(days)
        self.attempt("silence", delivery.accept_undisputed, alone=True)
        today = str(clock.today())
        db.session.remove()
        for parcel in self.books.of("parcels", state="DELIVERED"):
            assert (parcel["accept_by_on"] or today) >= today, "silence was not taken as consent"

    # Arguments ----------------------------------------------------------------------------------------------

    @when("disputes", "OPEN", "ESCALATED", "AWAITING_RETURN")
    @rule(which=WHICH, resolution=st.sampled_from([Resolution.REFUND, *Resolution]), goods=st.booleans())
    def finance_decides(self, which: int, resolution: Resolution, goods: bool) -> None:
        """An argument ends as finance says, or the goods are called back first; some come at once."""
        known = len(self.some("parcels"))
        self._settle(which, resolution, Role.FINANCE, goods)
        if len(self.some("parcels")) > known and which % 2:
            self._travels_back(self.some("parcels")[-1], arrives=which % 4 == 1)

    @when("disputes", "OPEN", "ESCALATED", "AWAITING_RETURN")
    @rule(which=WHICH, resolution=st.sampled_from(Resolution), role=st.sampled_from([Role.SELLER, Role.BUYER]))
    def give_in(self, which: int, resolution: Resolution, role: Role) -> None:
        """Seller or buyer gives in, as far as it is theirs."""
        self._settle(which, resolution, role, goods=which % 4 == 1)

    def _settle(self, which: int, resolution: Resolution, role: Role, goods: bool) -> None:
        dispute = picked(self.some("disputes"), which, "OPEN", "ESCALATED", "AWAITING_RETURN")
        self.attempt(
            f"settle {resolution}",
            lambda: arguments.settle(
                dispute["id"], resolution, role=role, by=self.finance, because="looked", goods_come_back=goods
            ),
        )

    @precondition(lambda self: any(d["state"] != "SETTLED" and not d["offer"] for d in self.some("disputes")))
    @rule(which=WHICH)
    def offer_replacement(self, which: int) -> None:
        """The seller would send new pieces."""
        dispute = picked(self.some("disputes"), which, "OPEN", "ESCALATED")
        self.attempt("offer", lambda: arguments.offer_replacement(dispute["id"], by=self.seller))

    @when("disputes", "OPEN")
    @rule(days=st.integers(1, 8))
    def escalate(self, days: int) -> None:
        """Days pass without an agreement."""
        self.days_pass(days)
        self.attempt("escalate", arguments.escalate_overdue, alone=True)

    @precondition(lambda self: any(p["direction"] == "RETURN" for p in self.some("parcels")))
    @rule(which=WHICH, arrives=st.booleans())
    def goods_travel_back(self, which: int, arrives: bool) -> None:
        """The buyer sends them, the seller has them."""
        self._travels_back(
            picked(self.books.of("parcels", direction="RETURN"), which, "PLANNED", "HANDED_OVER"), arrives
        )

    def _travels_back(self, parcel: Row, arrives: bool) -> None:
        def deed() -> None:
            if parcel["state"] in ("PLANNED", "PACKED"):
                delivery.goods_sent_back(parcel["id"], carrier="Elden", tracking_number="", by=self.buyer)
            if arrives or parcel["state"] not in ("PLANNED", "PACKED"):
                delivery.parcel_delivered(parcel["id"], by=self.seller, because="back")

        self.attempt("goods travel back", deed)

    # Money --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.turn % 8 == 0 or len(self.books.of("refunds", for_pieces=False)) < 2)
    @rule(which=WHICH, how=st.sampled_from(["one kuruş", "half", "all but one kuruş", "all", "too much"]))
    def price_reduction(self, which: int, how: str) -> None:
        """Finance gives back an arbitrary part of a hold."""
        busy = {refund["hold_id"] for refund in self.books.of("refunds", state="REQUESTED")}
        free = [hold for hold in self.some("holds") if hold["id"] not in busy]
        hold = picked(free if free and which % 8 else self.some("holds"), which, "HELD", "RELEASED")
        left = hold["amount_kurus"] - hold["refunded_kurus"]
        kurus = {"one kuruş": 1, "half": left // 2, "all but one kuruş": left - 1, "all": left, "too much": left + 1}
        amount = Money(kurus[how])
        self.attempt(
            "price reduction", lambda: returns.refund(hold["id"], amount, by=self.finance, because="scratched")
        )

    @precondition(lambda self: self.turn % 4 == 0)
    @rule()
    def commission_is_checked(self) -> None:
        """Burak agrees to what İpek earned, and to what is taken back of it."""
        self.attempt("check commission", lambda: machine_agents.agree_to_everything(actor(self.cast.burak)))

    @when("intents", "READY", "SENDING", "UNKNOWN")
    @rule(moods=MOODS, most=st.sampled_from([1, 2, 4, 8]), backwards=st.booleans())
    def calls_are_made(self, moods: list[Mood], most: int, backwards: bool) -> None:
        """The dispatcher works; the provider has its moods."""
        self.stage.road.moods.extend(moods)
        self.all_calls_are_due(backwards=backwards)
        self.attempt("calls", lambda: self.work(most), alone=True)
        self.stage.road.moods.clear()

    @precondition(lambda self: self.turn % 3 == 0 and self.books.text != self.reconciled)
    @rule(moods=MOODS)
    def reconcile(self, moods: list[Mood]) -> None:
        """Ayşe asks the provider what is true, and books what was paid out."""
        self.stage.road.moods.extend(mood for mood in moods if mood not in (Mood.DIES_BEFORE, Mood.DIES_AFTER))
        self.attempt("reconcile", lambda: payouts.reconcile(by=self.finance), alone=True)
        self.stage.road.moods.clear()
        self.reconciled = self.books.text

    @precondition(lambda self: self.books.of("intents", needs_person=True))
    @rule(which=WHICH, again=st.booleans())
    def somebody_decides(self, which: int, again: bool) -> None:
        """A person reads the provider's list: it was done, or it was not."""
        waiting = self.books.of("intents", needs_person=True)
        self._decide(waiting[which % len(waiting)], again=again)

    def _decide(self, waiting: Row, *, again: bool) -> None:
        key = waiting["idempotency_key"]
        done = any(r["conversation"] == key for item in self.stage.world.store.all("item") for r in item["refunds"])

        def deed() -> None:
            if done or not again:
                provider_calls.settle_by_hand(waiting["id"], done=done, by=self.finance, because="their list")
            else:
                intent = outbox_queries.intent_for_update(waiting["id"])
                outbox.send_again_by_hand(intent, by=self.finance, because="their list")

        assert not isinstance(self.attempt("somebody decides", deed), Refusal)

    # What is always true ------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        """Per line, after every step."""
        self.done += 1
        if self.books.text != self.checked:
            for line in self.some("lines"):
                _pieces_add_up(self.books, line)
                _money_adds_up(self.books, line)
            for order in self.some("orders"):
                _order_stands_where_its_pieces_are(self.books, order)
            self.checked = self.books.text
        if self.turn % 20 == 0:
            assert troubles() == []
        self.sound = True

    def teardown(self) -> None:
        """In the end everybody answers: what is decided is paid, and the provider's books say the same as ours."""
        try:
            if sys.exc_info()[0] is None:  # else a step failed, or Hypothesis has cut the run off
                self._the_end()
                self.stage.whole_runs += self.done > STEPS
        finally:
            self.stage.road.moods.clear()
            db.session.remove()

    @precondition(lambda self: self.turn % 32 == 31)
    @rule()
    def everybody_answers(self) -> None:
        """A quiet day in between. (And a failure of the last day is found earlier, so that it can be shown shortly.)"""
        self._the_end()

    def _the_end(self) -> None:
        self._until_all_is_quiet()
        self.nothing_is_lost()
        for line in self.some("lines"):
            _nothing_waits_that_could_go(self.books, line)
        for order in self.some("orders"):
            _decided_orders_are_settled(self.books, order)
        for hold in self.some("holds"):
            _the_provider_agrees(self.stage.provider, hold)
        self.attempt("check commission", lambda: machine_agents.agree_to_everything(actor(self.cast.burak)))
        self.stage.happened["an order with commission"] += machine_agents.earned_what_was_kept(self.stage.line)
        assert troubles() == []

    def _until_all_is_quiet(self) -> None:
        for _round in range(8):
            for waiting in self.books.of("intents", needs_person=True):
                self._decide(waiting, again=True)
            self.all_calls_are_due()
            self.attempt("calls in the end", lambda: self.work(1000), alone=True)
            self.attempt("reconcile in the end", lambda: payouts.reconcile(by=self.finance), alone=True)
            if not self._open_calls():
                break
        assert self._open_calls() == []
        assert self.books.of("refunds", state="REQUESTED") == []
        assert self.books.of("holds", state="RELEASING") == []

    def _open_calls(self) -> list[Row]:
        return [x for x in self.some("intents") if x["state"] not in ("SUCCEEDED", "FAILED", "CANCELLED")]


def troubles() -> list[Trouble]:
    """What the nightly questions find."""
    found = ask_the_books()
    db.session.remove()
    return found


def _line_by_line(parcel: Row, broken: int, missing: int) -> list[LineAnswer]:
    """Of each line in it so many are damaged, so many missing, and the rest is accepted."""
    answers = []
    for item in parcel["items"]:
        damaged = min(broken, item["quantity"])
        lost = min(missing, item["quantity"] - damaged)
        answers.append(LineAnswer(item["line_id"], item["quantity"] - damaged - lost, damaged, lost))
    return answers


def _to_ship(line: Row) -> int:
    return int(line["quantity"] - line["shipped_quantity"] - line["cancelled_quantity"])


def _undecided(line: Row) -> int:
    return int(line["quantity"] - line["accepted_quantity"] - line["refunded_quantity"] - line["cancelled_quantity"])


def _kurus(rows: Sequence[Row], column: str = "amount_kurus") -> int:
    return sum(row[column] for row in rows)


def _pieces_add_up(books: Books, line: Row) -> None:
    """The counters are what parcels, answers and arguments say, counted anew."""
    counters = ("shipped", "accepted", "disputed", "refunded", "cancelled", "replaced")
    n = {name: line[f"{name}_quantity"] for name in counters}
    assert min(n.values()) >= 0, n
    assert n["shipped"] + n["cancelled"] <= line["quantity"], n
    assert n["accepted"] + n["disputed"] + n["refunded"] <= n["shipped"], n
    out = [p for p in books.of("parcels", order_id=line["order_id"], direction="OUT") if p["state"] not in GONE]
    inside = sum(item["quantity"] for p in out for item in p["items"] if item["line_id"] == line["id"])
    assert inside == n["shipped"] + n["replaced"], ("in parcels", inside, n)
    arguments_ = books.of("disputes", order_line_id=line["id"])
    ended = {r: sum(d["pieces"] for d in arguments_ if d["resolution"] == r) for r in Resolution}
    said = _kurus(books.of("answers", order_line_id=line["id"]), "accepted")
    assert n["accepted"] == said + ended[Resolution.RELEASE], ("accepted", said, ended, n)
    assert n["refunded"] == ended[Resolution.REFUND], ("refunded", ended, n)
    assert n["replaced"] == ended[Resolution.REPLACEMENT], ("replaced", ended, n)
    assert n["disputed"] == sum(d["pieces"] for d in arguments_ if d["state"] != "SETTLED"), ("disputed", n)


class LineBooks(NamedTuple):
    """Where a line's money is, counted from its holds and refunds."""

    total: int
    held: int
    let_go: int  # ever released, or being released
    for_pieces: int  # given back for whole pieces, or on its way back
    reductions: int  # given back by finance, or on its way back, out of trust
    waiting: int  # held, not being released, and not on its way back


def line_books(books: Books, line: Row) -> LineBooks:
    """Counted, not asked."""
    holds = books.of("holds", order_line_id=line["id"])
    ids = {hold["id"] for hold in holds}
    mine = [r for r in books.rows["refunds"] if r["hold_id"] in ids and r["state"] != "REFUSED"]
    after_release = _kurus([r for r in mine if r["after_release"] and r["state"] == "DONE"])
    on_its_way = _kurus([r for r in mine if not r["after_release"] and r["state"] == "REQUESTED"])
    releasing = _kurus([h for h in holds if h["state"] == "RELEASING"], "held_kurus")
    held = _kurus(holds, "held_kurus")
    assert held + _kurus(holds, "released_kurus") + _kurus(holds, "refunded_kurus") == line["total_kurus"]
    return LineBooks(
        total=line["total_kurus"],
        held=held,
        let_go=_kurus(holds, "released_kurus") + after_release + releasing,
        for_pieces=_kurus([r for r in mine if r["for_pieces"]]),
        reductions=_kurus([r for r in mine if not r["for_pieces"] and not r["after_release"]]),
        waiting=held - releasing - on_its_way,
    )


def _money_adds_up(books: Books, line: Row) -> None:
    """Released + refunded + held = paid; nobody gets more than the pieces say, and what is undecided stays."""
    money = line_books(books, line)
    price = line["unit_price_kurus"]
    given_up = line["refunded_quantity"] + line["cancelled_quantity"]
    assert money.let_go <= line["accepted_quantity"] * price, ("let go too much", money, line)
    assert money.for_pieces <= given_up * price, ("gave back too much", money, line)
    assert money.waiting >= _undecided(line) * price - money.reductions, ("undecided money is gone", money, line)


def _order_stands_where_its_pieces_are(books: Books, order: Row) -> None:
    lines = books.of("lines", order_id=order["id"])
    decided = not any(_undecided(line) for line in lines)
    if order["state"] in ("COMPLETED", "CANCELLED"):
        assert decided, (order["state"], lines)
    if decided and any(line["accepted_quantity"] for line in lines):
        assert order["state"] in ("COMPLETED", "REFUNDED"), (order["state"], lines)


def _nothing_waits_that_could_go(books: Books, line: Row) -> None:
    """All is quiet: no whole lot is held that is not needed for undecided pieces."""
    money = line_books(books, line)
    too_much = money.waiting - _undecided(line) * line["unit_price_kurus"]
    could_go = [h for h in books.of("holds", order_line_id=line["id"], state="HELD") if h["held_kurus"] <= too_much]
    assert could_go == [], (money, line)


def _decided_orders_are_settled(books: Books, order: Row) -> None:
    lines = books.of("lines", order_id=order["id"])
    if any(_undecided(line) for line in lines):
        return
    assert order["state"] in ("COMPLETED", "REFUNDED", "CANCELLED"), order
    ids = [hold["id"] for hold in books.of("holds", order_id=order["id"])]
    reduced = any(not r["for_pieces"] for r in books.rows["refunds"] if r["hold_id"] in ids and r["state"] == "DONE")
    for line in lines:
        money, price = line_books(books, line), line["unit_price_kurus"]
        assert money.held == 0, (money, line)
        if not reduced:
            assert money.let_go == line["accepted_quantity"] * price, (money, line)
            assert money.for_pieces == (line["refunded_quantity"] + line["cancelled_quantity"]) * price, (money, line)


def _the_provider_agrees(provider: ProviderBooks, hold: Row) -> None:
    """Approved there and released here are the same, and so is what went back."""
    item = provider.item(hold["provider_item_key"])
    theirs = (item["status"] == APPROVED, item["refunded"])
    ours = (hold["released_at"] is not None, hold["refunded_kurus"])
    assert theirs == ours, ("the provider says otherwise", theirs, ours, hold)
