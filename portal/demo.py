"""The demo company: a buyer, two sellers, the platform's people, and things to buy."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from portal.accounts import services as accounts
from portal.accounts.models import Organisation, Person
from portal.accounts.roles import Role
from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.database import db
from portal.core.i18n import noted
from portal.core.ports import known
from portal.orders.models import Offer
from portal.receivables import queries as receivables_queries
from portal.receivables import services as receivables
from portal.receivables.ports import LedgerSources, Side
from portal.reports import catalogue
from portal.reports import services as reports
from portal.schedules import services as schedules
from portal.schedules.models import Schedule
from portal.stock import services as stock
from portal.workflows import payment_calls

PASSWORD = "emanet-demo-2026"  # noqa: S105 (printed at start: the demo has no secrets)

ORGANISATIONS = {
    "buyer": dict(
        kind="BUYER", name="Mavi Nokta Market", legal_title="Mavi Nokta Gıda Pazarlama A.Ş.",
        tax_office="Kadıköy", tax_number="3130557669", iban="TR330006100519786457841326",
        email="satinalma@mavinokta.example", phone="+905321112233",
        address="Caferağa Mah. Moda Cad. No: 14", district="Kadıköy", city="İstanbul", postal_code="34710",
    ),
    "seller": dict(
        kind="SELLER", name="Deniz Ambalaj", legal_title="Deniz Ambalaj Sanayi ve Ticaret Ltd. Şti.",
        tax_office="Bornova", tax_number="7870233582", iban="TR180006200119000006672315",
        email="siparis@denizambalaj.example", phone="+905332223344",
        address="Kemalpaşa Cad. No: 92", district="Bornova", city="İzmir", postal_code="35060",
    ),
    "seller2": dict(
        kind="SELLER", name="Ece Kırtasiye", legal_title="Ece Kırtasiye ve Büro Malzemeleri A.Ş.",
        tax_office="Çankaya", tax_number="6080712084", iban="TR330006100519786457841326",
        email="siparis@ecekirtasiye.example", phone="+905343334455",
        address="Tunalı Hilmi Cad. No: 7", district="Çankaya", city="Ankara", postal_code="06680",
    ),
    "platform": dict(
        kind="PLATFORM", name="Emanet", legal_title="Emanet Ticaret Teknolojileri A.Ş.",
        tax_office="Beşiktaş", tax_number="8590921777", iban="TR180006200119000006672315",
        email="destek@emanet.example", phone="+902120000000",
        address="Barbaros Bulvarı No: 1", district="Beşiktaş", city="İstanbul", postal_code="34353",
    ),
}  # fmt: skip

PEOPLE = [
    ("buyer@demo.tr", "Fatma Yıldız", Role.BUYER, "buyer"),
    ("seller@demo.tr", "Deniz Kaya", Role.SELLER, "seller"),
    ("seller2@demo.tr", "Ece Şahin", Role.SELLER, "seller2"),
    ("packer@demo.tr", "Cem Işık", Role.PACKER, "platform"),
    ("finance@demo.tr", "Ayşe Demir", Role.FINANCE, "platform"),
    ("broker@demo.tr", "Burak Öztürk", Role.BROKER, "platform"),
    ("admin@demo.tr", "Gül Arslan", Role.ADMIN, "platform"),
]

OFFERS = {
    "seller": [
        ("8690000000011", "Oluklu koli 40×30×30, 25'li", 1_249_90),
        ("8690000000028", "Streç film 50 cm × 300 m", 389_50),
        ("8690000000035", "Koli bandı şeffaf, 6'lı", 214_75),
        ("8690000000042", "Havalı naylon 100 cm × 50 m", 742_00),
        ("8690000000059", "Palet köşebendi, 50'li", 563_20),
        ("8690000000066", "İpli kraft çanta orta boy, 100'lü", 1_875_00),
    ],
    "seller2": [
        ("8690000000110", "A4 fotokopi kâğıdı, 5 paket", 899_90),
        ("8690000000127", "Tükenmez kalem mavi, 50'li", 324_99),
        ("8690000000134", "Arşiv klasörü geniş, 10'lu", 1_150_00),
        ("8690000000141", "Etiket 100×150 mm, 500'lü rulo", 276_33),
        ("8690000000158", "Şeffaf poşet dosya, 100'lü", 118_45),
    ],
}


def load(*, shelves: bool = True) -> None:
    """Fill an empty database with the demo company, with goods on its shelves or without; a filled one is left alone."""
    if db.session.scalar(select(Organisation.id).limit(1)):
        return
    _company()
    if shelves:
        fill_shelves()


def _company() -> None:
    """Who there is, and what they sell."""
    organisations = {}
    for name, facts in ORGANISATIONS.items():
        organisations[name] = accounts.open_organisation(**facts)
    db.session.flush()
    for email, full_name, role, organisation in PEOPLE:
        accounts.add_person(organisations[organisation], email=email, full_name=full_name, role=role, password=PASSWORD)
    for name, offers in OFFERS.items():
        for barcode, title, price in offers:
            seller = organisations[name]
            db.session.add(Offer(seller_organisation_id=seller.id, barcode=barcode, name=title, unit_price_kurus=price))
        payment_calls.register_seller(organisations[name], by=SYSTEM, provider="iyzico")


# Where the goods lie: two shelves a seller, the second one a reserve high up.
SHELVES = {"seller": ("A-01", "A-09"), "seller2": ("B-01", "B-09")}
ON_THE_SHELF, IN_RESERVE, IN_A_CASE = 2_000, 3_000, 12


def fill_shelves() -> None:
    """The sellers' goods lie in the warehouse, with plenty of everything; each also comes in cases of twelve."""
    for name, offers in OFFERS.items():
        near, high = (stock.add_shelf(code) for code in SHELVES[name])
        for barcode, title, _price in offers:
            item = stock.add_item(barcode, title)
            stock.add_case(item, f"1{barcode}", IN_A_CASE)
            for shelf, pieces in ((near, ON_THE_SHELF), (high, IN_RESERVE)):
                key = f"demo:{barcode}:{shelf.code}"
                stock.receive(item.id, shelf.id, pieces, key=key, by=SYSTEM, because=noted("the demo company moves in"))


def first_readings() -> None:
    """The ERP's accounts are read as soon as a worker is there, where nobody has read them yet."""
    for side in Side:
        if known(LedgerSources).sides.get(side) and receivables_queries.newest(side) is None:
            receivables.ask(side, clock.today(), live=True, by=SYSTEM)


class Sending(NamedTuple):
    """A report somebody gets by mail: what, when (a cron line, Istanbul time), and to whom."""

    report: str
    name: str
    cron: str
    readers: tuple[str, ...]
    parameters: dict[str, str]


FINANCE, BROKER, ADMIN, SELLER = "finance@demo.tr", "broker@demo.tr", "admin@demo.tr", "seller@demo.tr"
SENDINGS = (
    Sending("daily_operations", "Dünün işlemleri", "0 8 * * *", (FINANCE, ADMIN), {}),
    Sending("payouts", "Dünün ödemeleri", "15 8 * * *", (FINANCE, SELLER), {}),
    Sending("stock", "Tükenen stok", "30 7 * * 1-5", (ADMIN,), {"which": "empty"}),
    Sending("collection_aging", "Pazartesi tahsilat listesi", "0 8 * * 1", (FINANCE, BROKER), {"who": "owing"}),
    Sending("supplier_balance", "Pazartesi tedarikçi bakiyeleri", "5 8 * * 1", (FINANCE,), {}),
    Sending("seller_balances", "Aybaşı satıcı bakiyeleri", "30 8 1 * *", (FINANCE,), {}),
    Sending("commission_statement", "Geçen ayın hakedişleri", "0 9 1 * *", (FINANCE, BROKER), {}),
)


def report_schedules() -> None:
    """The finance people's reports by mail, where nothing is sent yet. Nothing is sent before its first slot."""
    if db.session.scalar(select(Schedule.id).where(Schedule.kind == "REPORT").limit(1)):
        return
    people = {person.email: person for person in db.session.scalars(select(Person))}
    for one in SENDINGS:
        schedule = schedules.open_schedule(
            name=one.name, kind="REPORT", task=one.report, cron=one.cron, every_seconds=None, zone="Europe/Istanbul",
            catch_up="ONCE", parameters=catalogue.report(one.report).values(one.parameters), by=SYSTEM,
        )  # fmt: skip
        for email in one.readers:
            reports.subscribe(schedule, people[email], by=SYSTEM)
