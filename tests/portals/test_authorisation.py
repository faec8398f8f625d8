"""Who may do what: every route × every part × own and somebody else's, in one table made complete by the URL map."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.ports import cast_role
from portal.core.unit_of_work import atomic
from portal.disputes import services as disputes
from portal.disputes.pictures import redrawn
from portal.disputes.states import Resolution
from portal.escrow import queries as escrow_queries
from portal.marketplace import listing
from portal.marketplace.models import StorefrontReturn
from portal.media.models import MediaFile
from portal.orders import queries as orders_queries
from portal.packing import services as packing
from portal.packing.states import Source as PackingSource
from portal.receivables import queries as receivables_queries
from portal.receivables.models import CurrentAccount
from portal.receivables.ports import LedgerSources, Side
from portal.receivables.queries import Filter, Window
from portal.reports import services as reports
from portal.reports.models import ReportRun
from portal.schedules import services as schedules
from portal.shipping import services as shipping
from portal.workflows import aging_fetch, arguments, stock_push
from tests import story
from tests.cast import Browser, Cast, Machine, actor, api, sign_in
from tests.commission import a_living_desk
from tests.marketplace import Street
from tests.pictures import a_photo
from tests.receivables.source import Ledger
from tests.stock import Warehouse
from tests.world import SandboxControl

BUYER, SELLER, PACKER, FINANCE, BROKER, ADMIN = Role
NOBODY: tuple[Role, ...] = ()
EVERYBODY = tuple(Role)
WATCHERS = (FINANCE, BROKER, ADMIN)
OPERATORS = (FINANCE, ADMIN)
STOCKROOM = (PACKER, ADMIN)
STOCK = (*STOCKROOM, FINANCE, BROKER)


class Rule(NamedTuple):
    """Who is let in; `own` routes belong to an organisation: for another one of the same part they do not exist."""

    let_in: tuple[Role, ...]
    own: bool = False
    open: bool = False


OPEN = Rule(EVERYBODY, open=True)
# "METHOD endpoint": who. A route that is not here fails the test.
TABLE = {
    "GET accounts.home": OPEN, "GET accounts.sign_in": OPEN, "POST accounts.enter": OPEN, "POST accounts.leave": OPEN,
    "POST accounts.language": OPEN, "POST accounts.theme": OPEN, "GET healthz": OPEN, "GET openapi": OPEN, "GET favicon": OPEN,
    "POST accounts_api.token": OPEN, "GET accounts_api.me": Rule(EVERYBODY),
    "POST webhooks.payments": OPEN, "POST webhooks.shipments": OPEN,
    "GET cron.shipment_sync": OPEN, "POST cron.shipment_sync": OPEN, "POST webhooks.callback": OPEN,
    "GET cron.payout_reconciliation": OPEN, "POST cron.payout_reconciliation": OPEN, "POST cron.demo_clock": OPEN,
    "GET buyer.home": Rule((BUYER,)), "GET buyer.offers": Rule((BUYER,)), "POST buyer.place": Rule((BUYER,)),
    "GET buyer.order_list": Rule((BUYER,)), "GET buyer.checkout": Rule((BUYER,), own=True),
    "POST buyer.pay": Rule((BUYER,), own=True), "GET buyer.order": Rule((BUYER,), own=True),
    "POST buyer.cancel": Rule((BUYER,), own=True), "GET buyer.confirmation": Rule((BUYER,), own=True),
    "POST buyer.confirm": Rule((BUYER,), own=True),
    "GET seller.home": Rule((SELLER,)), "GET seller.order_list": Rule((SELLER,)), "GET seller.balance": Rule((SELLER,)),
    "GET seller.order": Rule((SELLER,), own=True), "POST seller.prepare": Rule((SELLER,), own=True),
    "POST seller.hand_over": Rule((SELLER,), own=True), "POST seller.delivered": Rule((SELLER,), own=True),
    "POST seller.cancel": Rule((SELLER,), own=True),
    "GET push.home": Rule((PACKER, ADMIN)), "GET push.log": Rule((PACKER, ADMIN)), "POST push.push_now": Rule((ADMIN,)),
    "POST push.compare": Rule((ADMIN,)), "POST push.again": Rule((ADMIN,)), "POST push.offer": Rule((ADMIN,)),
    "GET cron.stock_push_now": OPEN, "POST cron.stock_push_now": OPEN,
    "GET warehouse.home": Rule((PACKER,)), "GET warehouse.parcel": Rule((PACKER,)),
    "POST warehouse.pack": Rule((PACKER,)), "POST warehouse.hand_over": Rule((PACKER,)),
    "GET packing.queue": Rule((PACKER,)), "POST packing.take": Rule((PACKER,)), "GET packing.task": Rule((PACKER,)),
    "GET packing_scans.board": Rule((PACKER,)), "POST packing_scans.scans": Rule((PACKER,)), "POST packing_scans.scan": Rule((PACKER,)),
    "POST packing.weights": Rule((PACKER,)), "GET packing.missing": Rule((PACKER,)),
    "POST packing.report_missing": Rule((PACKER,)), "POST packing.leave": Rule((PACKER,)),
    "POST packing.confirm": Rule((PACKER,)), "GET packing.log": Rule((SELLER, PACKER), own=True),
    "GET packing_tools.scanner": Rule((PACKER,)), "GET packing_tools.picture": Rule((PACKER,)),
    "GET packing_tools.manifest": Rule((PACKER,)), "GET packing_tools.worker": Rule((PACKER,)),
    "GET stockroom.items": Rule(STOCK), "GET stockroom.item": Rule(STOCK), "GET stockroom.shelves": Rule(STOCK),
    "GET stockroom.shelf": Rule(STOCK), "GET stockroom.shortages": Rule(STOCK),
    "GET goods.receipt": Rule(STOCKROOM), "POST goods.received": Rule(STOCKROOM),
    "GET goods.count": Rule(STOCKROOM), "POST goods.counted": Rule(STOCKROOM),
    "GET goods.transfer": Rule(STOCKROOM), "POST goods.transferred": Rule(STOCKROOM),
    "GET goods.new_item": Rule((ADMIN,)), "POST goods.add_item": Rule((ADMIN,)), "POST goods.add_case": Rule((ADMIN,)),
    "POST goods.safety": Rule((ADMIN,)), "POST goods.add_shelf": Rule((ADMIN,)),
    "POST webhooks.storefronts": OPEN, "GET cron.marketplace_orders": OPEN, "POST cron.marketplace_orders": OPEN,
    "GET marketplace.package_list": Rule((PACKER, FINANCE, ADMIN)), "GET marketplace.package": Rule((PACKER, FINANCE, ADMIN)),
    "GET marketplace.return_list": Rule((PACKER, FINANCE, ADMIN)), "GET marketplace.listening": Rule((PACKER, FINANCE, ADMIN)),
    "POST marketplace.read_again": Rule((PACKER, ADMIN)), "POST marketplace.received": Rule((PACKER, ADMIN)),
    "POST marketplace.not_coming": Rule((PACKER, ADMIN)), "POST marketplace.listen_now": Rule((PACKER, ADMIN)),
    "GET seller.shipment_list": Rule((SELLER,)), "GET seller.shipment": Rule((SELLER,), own=True),
    "GET seller.despatch_note": Rule((SELLER,), own=True),
    "POST seller.despatch_again": Rule((SELLER,), own=True), "POST seller.lost": Rule((SELLER,), own=True),
    "POST seller.withdraw": Rule((SELLER,), own=True),
    "GET buyer.problem_form": Rule((BUYER,), own=True), "POST buyer.report": Rule((BUYER,), own=True),
    "GET doorstep.show": OPEN, "POST doorstep.confirm": OPEN, "GET doorstep.problem_form": OPEN, "POST doorstep.report": OPEN,
    "POST labels.printed": Rule((SELLER, PACKER)), "POST labels.packages": Rule((PACKER,)),
    "GET disputes.dispute_list": Rule((BUYER, SELLER, *WATCHERS)),
    "GET disputes.show": Rule((BUYER, SELLER, *WATCHERS), own=True),
    "GET disputes.photo": Rule((BUYER, SELLER, *WATCHERS), own=True),
    "POST disputes.say": Rule((BUYER, SELLER, FINANCE), own=True),
    "POST disputes.settle": Rule((BUYER, SELLER, FINANCE), own=True),
    "POST disputes.goods_on_the_road": Rule((BUYER, SELLER, FINANCE), own=True),
    "POST disputes.offer": Rule((SELLER,), own=True),
    "GET admin.parcels": Rule(WATCHERS), "POST admin.ask_carrier": Rule(OPERATORS), "POST admin.seen": Rule(OPERATORS),
    "GET finance.home": Rule(WATCHERS), "POST finance.reconcile": Rule((FINANCE,)),
    "GET finance.order_list": Rule(WATCHERS), "GET finance.order": Rule(WATCHERS), "GET finance.holds": Rule(WATCHERS),
    "GET finance.refund_form": Rule((FINANCE,)), "POST finance.refund": Rule((FINANCE,)),
    "GET finance.payout_list": Rule(WATCHERS), "GET finance.ledger": Rule(WATCHERS), "GET finance.entry": Rule(WATCHERS),
    "GET passport.show": Rule((BUYER, SELLER, *WATCHERS), own=True),
    "GET admin.home": Rule(WATCHERS), "GET admin.inbox_list": Rule(WATCHERS), "GET admin.message": Rule(WATCHERS),
    "POST admin.unmasked": Rule(OPERATORS), "POST admin.ask_about_message": Rule(WATCHERS),
    "POST admin.replay": Rule(OPERATORS), "POST admin.set_aside": Rule(OPERATORS),
    "GET admin.outbox_list": Rule(WATCHERS), "GET admin.intent": Rule(WATCHERS),
    "POST admin.ask_about_intent": Rule(WATCHERS), "POST admin.decide": Rule(OPERATORS),
    "GET admin.audit_trail": Rule(WATCHERS),
    "GET post.mail_list": Rule(WATCHERS), "GET post.letter": Rule(WATCHERS), "POST post.unmasked": Rule(OPERATORS),
    "POST post.again": Rule(OPERATORS), "GET post.trouble_list": Rule((ADMIN,)), "GET post.form": Rule(EVERYBODY),
    "POST post.write": Rule(EVERYBODY),
    "GET health.health": OPEN, "GET health.prometheus": OPEN,
    "GET media.show_all": Rule((SELLER, PACKER, *WATCHERS)), "GET media.thumbnail": Rule((SELLER, PACKER, *WATCHERS)),
    "GET media.original": Rule((SELLER, PACKER, *WATCHERS)),
    "GET privacy.show": Rule((ADMIN,)), "POST privacy.export": Rule((ADMIN,)),
    "GET reports.show_all": Rule((SELLER, *WATCHERS)), "GET reports.show": Rule((SELLER, *WATCHERS)),
    "POST reports.ask": Rule((SELLER, *WATCHERS)), "GET reports.run": Rule((SELLER, *WATCHERS), own=True),
    "GET reports.file": Rule((SELLER, *WATCHERS), own=True), "POST reports.schedule": Rule(OPERATORS),
    "POST reports.subscribe": Rule((SELLER, *WATCHERS)), "POST reports.add_reader": Rule(OPERATORS),
    "GET reports.api_list": Rule((SELLER, *WATCHERS)), "GET reports.api_show": Rule((SELLER, *WATCHERS)),
    "GET schedules.show_all": Rule(WATCHERS), "GET schedules.show": Rule(WATCHERS),
    "POST schedules.retime": Rule(OPERATORS), "POST schedules.run_now": Rule(OPERATORS),
    "POST schedules.switch_off": Rule(OPERATORS), "POST schedules.switch_on": Rule(OPERATORS),
    "POST network.place_order": Rule((BUYER,)), "GET network.show_order": Rule((BUYER, SELLER), own=True),
    "POST network.init_shipment": Rule((SELLER,), own=True),
    "POST network.pay": Rule((BUYER,), own=True), "POST network.confirm_delivery": Rule((BUYER,), own=True),
    "POST network.cancel_order": Rule((BUYER,), own=True),
    "GET commission.home": Rule(WATCHERS), "GET commission.deal_list": Rule(WATCHERS),
    "GET commission.agent_list": Rule(WATCHERS), "GET commission.snapshot_list": Rule(WATCHERS),
    "GET commission.snapshot": Rule(WATCHERS), "GET commission.line": Rule(WATCHERS),
    "GET commission.person_statement": Rule(WATCHERS), "GET commission.rehearsal_page": Rule(WATCHERS),
    "GET commission.diary": Rule(WATCHERS), "GET commission.policy_list": Rule(WATCHERS),
    "GET commission.payout_list": Rule(WATCHERS), "GET commission.payout": Rule(WATCHERS),
    "GET commission.correction_list": Rule(WATCHERS), "GET commission.period_locks": Rule(WATCHERS),
    "GET commission.dispute_list": Rule(WATCHERS), "GET commission.dispute": Rule(WATCHERS),
    "GET commission.dispute_paper": Rule(WATCHERS),
    "POST commission.open_deal": Rule(OPERATORS), "POST commission.close_deal": Rule(OPERATORS),
    "POST commission.enrol": Rule(OPERATORS), "POST commission.look_after": Rule(OPERATORS),
    "POST commission.create_snapshot": Rule(OPERATORS), "POST commission.propose_policy": Rule(OPERATORS),
    "POST commission.prepare_payout": Rule(OPERATORS), "POST commission.reverse": Rule(OPERATORS),
    "POST commission.adjust": Rule(OPERATORS), "POST commission.lock_period": Rule(OPERATORS),
    "POST commission.release_lock": Rule(OPERATORS), "POST commission.dispute_say": Rule(OPERATORS),
    "POST commission.resolve_dispute": Rule(OPERATORS), "POST commission.dispute_status": Rule(OPERATORS),
    "POST commission.escalate_overdue": Rule(OPERATORS),
    "POST commission.approve_snapshot": Rule(WATCHERS), "POST commission.approve_together": Rule(WATCHERS),
    "POST commission.reject_snapshot": Rule(WATCHERS), "POST commission.approve_policy": Rule(WATCHERS),
    "POST commission.reject_policy": Rule(WATCHERS), "POST commission.pay": Rule(WATCHERS),
    "POST commission.cancel_payout": Rule(WATCHERS), "POST commission.do_correction": Rule(WATCHERS),
    "POST commission.reject_correction": Rule(WATCHERS),
    "GET commission.hand_list": Rule(WATCHERS), "POST commission.note_second_account": Rule((ADMIN,)),
    "POST commission.note_stand_in": Rule((ADMIN,)), "POST commission.end_stand_in": Rule((ADMIN,)),
    "GET my_commission.home": Rule((BROKER,)), "GET my_commission.line": Rule((BROKER,)),
    "POST my_commission.object_to": Rule((BROKER,)), "GET my_commission.dispute": Rule((BROKER,)),
    "POST my_commission.dispute_say": Rule((BROKER,)), "GET my_commission.dispute_paper": Rule((BROKER,)),
    "GET my_commission.statement": Rule((BROKER,)),
    "GET aging.customers": Rule(WATCHERS), "GET aging.suppliers": Rule(WATCHERS), "GET aging.export_xlsx": Rule(WATCHERS),
    "GET aging.progress": Rule(WATCHERS), "GET aging.fetch_list": Rule(WATCHERS), "GET aging.changes": Rule(WATCHERS),
    "GET aging.account": Rule(WATCHERS), "GET aging.documents": Rule(WATCHERS), "GET aging.letter": Rule(WATCHERS),
    "POST aging.fetch": Rule(OPERATORS), "POST aging.look": Rule((FINANCE,)),
    **{f"GET aging_{side}.{route}": Rule(WATCHERS) for side in ("customers", "suppliers") for route in ("summary", "export_xlsx", "last_updated")},
    "GET aging_customers.fetch_hana_data": Rule(OPERATORS), "GET aging_suppliers.fetch_hana_data": Rule(OPERATORS),
}  # fmt: skip


def routes(app: Flask) -> dict[str, str]:
    """ "METHOD endpoint" → the rule with its placeholders."""
    return {
        f"{method} {rule.endpoint}": str(rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }


def test_the_table_names_every_route_and_no_other(app: Flask) -> None:
    assert routes(app).keys() == TABLE.keys()


# Asked by a page's script: a "no" is an answer there, and never another page.
FOR_SCRIPTS = ("GET packing_scans.board", "POST packing_scans.scans")
# What a route cannot do without, where an empty body would be refused before anything else.
BODIES = {"POST network.cancel_order": {"because": "x"}}
FORMS = {"POST aging.look": {"because": "x"}}


def fill(rule: str, names: dict[str, object]) -> str:
    """A rule with this order's ids in its places."""
    rule = rule.replace("<any(customers, suppliers):word>", "customers")
    for name, value in names.items():
        for kind in ("int:", "uuid:", ""):
            rule = rule.replace(f"<{kind}{name}>", str(value))
    assert "<" not in rule, rule
    return rule


@pytest.fixture
def urls(app: Flask, cast: Cast, sandbox: SandboxControl) -> dict[str, str]:
    """Every route's address on Fatma's order at Deniz, which is on its way."""
    order = story.paid(app, cast, sandbox, (story.TAPE, 2))[0]
    tape = order.lines[0].id
    dispute = story.objected(order, cast, pieces=[(tape, 1)])
    with atomic():
        disputes.add_photo(dispute, redrawn(a_photo()), count=0, by=actor(cast.fatma))
        arguments.settle(
            dispute.id, Resolution.REFUND, role=SELLER, by=actor(cast.deniz), because="x", goods_come_back=True
        )
    parcel = story.shipped(order, cast)
    with atomic():
        link = shipping.give_link(parcel, person_id=cast.fatma.id)
        goods = [packing.Goods(str(tape), story.TAPE, "Koli bandı", 2)]
        of_deniz = {"goods": goods, "seller_organisation_id": cast.deniz.organisation_id}
        task = packing.Wanted(PackingSource.SHIPMENT, parcel.id, order.number, parcel.key, "Mavi Nokta", **of_deniz)  # type: ignore[arg-type]
        task_id = packing.begin(task, by=actor(cast.cem))
    returned = a_return(sandbox)
    stock_push.note_changes()
    run, media_id = a_report_and_a_picture(cast)
    fresh = orders_queries.any_order(order.id)
    desk = a_living_desk(cast)
    assert desk.pop("objection") == dispute.id, "both disputes are the first of their kind"
    names = {
        **desk,
        "order_id": order.id, "public_key": fresh.checkout.public_key, "shipment_id": parcel.id,
        "hold_id": escrow_queries.holds_of([order.id])[0].id, "entry_id": 1, "kind": "order", "subject_id": order.id,
        "message_id": 1, "intent_id": 1, "provider": "iyzico", "carrier": "mock",
        "listing_id": 1, "dispute_id": dispute.id, "photo_id": 1, "signed": link, "item_id": returned.item_id,
        "shelf_id": 1, "task_id": task_id, "barcode": "EMCMDOK",
        "package_id": returned.package_id, "return_id": returned.id, "storefront": "trendyol",
        "schedule_id": run.schedule_id or 0, "run_id": run.id, "code": "payouts", "mail_id": 1, "file_id": media_id,
        **aging_names(app),
    }  # fmt: skip
    return {route: fill(rule, names) for route, rule in routes(app).items()}


def a_return(sandbox: SandboxControl) -> StorefrontReturn:
    """A marketplace's customer sent something back."""
    street, warehouse = Street(sandbox), Warehouse()
    warehouse.receive(2)
    (key,) = street.order()
    street.pull()
    street.pack(key, warehouse.tape, warehouse.a1, 2)
    street.becomes(key, "Returned")
    street.pull()
    return listing.return_rows(listing.returns())[0].expected


def a_report_and_a_picture(cast: Cast) -> tuple[ReportRun, int]:
    """Deniz's own scheduled report, made; and a picture in the media index."""
    with atomic():
        made = schedules.open_schedule(
            name="payouts", kind="REPORT", task="payouts", parameters={}, cron="0 8 * * *", every_seconds=None,
            zone="UTC", catch_up="ONCE", by=actor(cast.gul),
        )  # fmt: skip
        reports.subscribe(made, cast.deniz, by=actor(cast.gul))
        schedules.run_now(made, by=actor(cast.gul))
        claimed = schedules.claim("test")
        assert claimed
        reports.slot(claimed)
        picture = MediaFile(
            path="x.jpg", name="x.jpg", kind="PICTURE", media_type="image/jpeg", size_bytes=1, thumbnail=b"x",
            modified_at=made.created_at,
        )  # fmt: skip
        db.session.add(picture)
    story.drain("reports")
    return db.session.scalars(select(ReportRun)).one(), picture.id


def aging_names(app: Flask) -> dict[str, object]:
    """A customer who owes, read from the ERP; and a reading that is doubted."""
    books = Ledger()
    cast_role(app, LedgerSources, LedgerSources(dict.fromkeys(Side, (books,))))
    books.add("120.1", date(2026, 1, 1), 100_00)
    books.add("320.1", date(2026, 1, 1), 100_00, debit=False)
    for side in (Side.SUPPLIERS, Side.CUSTOMERS, Side.CUSTOMERS):
        fetch = aging_fetch.read_now(side, by=SYSTEM, patience_seconds=1)
        books.totals_out_micro = 10**6 if side is Side.CUSTOMERS else 0
    books.totals_out_micro = 0
    account = next(
        iter(receivables_queries.all_rows(receivables_queries.view(Side.CUSTOMERS, Window.of(None, None)), Filter()))
    )
    assert account[0] == "120.1"
    card = db.session.scalars(select(CurrentAccount.id).where(CurrentAccount.code == "120.1")).one()
    db.session.rollback()
    return {"fetch_id": fetch.id, "account_id": card, "bucket": "before"}


def ask(visitor: Browser | Machine, route: str, url: str) -> int:
    """The HTTP status this visitor gets."""
    method = route.split(maxsplit=1)[0]
    if isinstance(visitor, Machine):
        return visitor.client.open(
            url, method=method, headers=visitor.headers(), json=BODIES.get(route, {})
        ).status_code
    data = {"csrf_token": visitor.token, **FORMS.get(route, {})} if method == "POST" else None
    return visitor.client.open(url, method=method, data=data).status_code


def is_api(url: str) -> bool:
    """Whether machines come here."""
    return url.startswith("/api/")


@pytest.mark.parametrize("name", ["fatma", "deniz", "cem", "ayse", "burak", "gul"])
def test_every_part_is_let_in_where_the_table_says_and_nowhere_else(
    app: Flask, cast: Cast, urls: dict[str, str], name: str
) -> None:
    person = getattr(cast, name)
    browser, machine = sign_in(app, person), api(app, person)
    for route, rule in TABLE.items():
        if rule.open:
            continue
        status = ask(machine if is_api(urls[route]) else browser, route, urls[route])
        if Role(person.role) in rule.let_in:
            assert status not in (401, 403, 404, 500), (route, status)
        else:
            assert status == 403, (route, status)


def test_strangers_are_sent_to_the_door(app: Flask, cast: Cast, urls: dict[str, str]) -> None:
    browser = sign_in(app, cast.fatma)
    browser.client.post("/sign-out", data={"csrf_token": browser.token})
    token = browser.client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    stranger = Browser(browser.client, token)
    for route, rule in TABLE.items():
        if rule.open:
            continue
        status = ask(stranger, route, urls[route])
        assert status == (401 if is_api(urls[route]) or route in FOR_SCRIPTS else 303), (route, status)


def test_somebody_elses_does_not_exist(app: Flask, cast: Cast, urls: dict[str, str]) -> None:
    """Ece is a seller, too, and another buyer buys, too: for both, Fatma's order at Deniz is a 404."""
    other_buyer = another_buyer(cast)
    for person in (cast.ece, other_buyer):
        browser, machine = sign_in(app, person), api(app, person)
        for route, rule in TABLE.items():
            if rule.own and Role(person.role) in rule.let_in:
                status = ask(machine if is_api(urls[route]) else browser, route, urls[route])
                assert status == 404, (route, person.email, status)


def test_what_does_not_exist_looks_the_same(app: Flask, cast: Cast, urls: dict[str, str]) -> None:
    machine = api(app, another_buyer(cast))
    foreign = machine.client.get(urls["GET network.show_order"], headers=machine.headers()).get_json()
    absent = machine.client.get("/api/network/orders/999999", headers=machine.headers()).get_json()
    assert {k: v for k, v in foreign.items() if k != "request_id"} == {
        k: v for k, v in absent.items() if k != "request_id"
    }


def test_every_form_needs_its_token_and_its_own_site(app: Flask, cast: Cast, urls: dict[str, str]) -> None:
    browser = sign_in(app, cast.gul)
    for route, url in urls.items():
        if route.startswith("POST") and not is_api(url) and route != "POST webhooks.callback":
            assert browser.client.post(url).status_code == 400, route
            answer = browser.client.post(
                url, data={"csrf_token": browser.token}, headers={"Sec-Fetch-Site": "cross-site"}
            )
            assert answer.status_code == 400, route


def another_buyer(cast: Cast):  # type: ignore[no-untyped-def]
    """A buyer of another company."""
    from portal.accounts import services
    from portal.demo import PASSWORD

    with atomic():
        company = services.open_organisation(
            kind="BUYER", name="Başka Market", legal_title="Başka Market Ltd.", tax_office="Şişli",
            tax_number="0720039666", email="x@baska.example", phone="+905550000000", address="Şişli", city="İstanbul",
        )  # fmt: skip
        person = services.add_person(
            company, email="baska@demo.tr", full_name="Hakan Uz", role=Role.BUYER, password=PASSWORD
        )
    assert actor(person).person_id
    return person
