"""The demo company's commission: two quarters of deals, a locked month, things that wait, and an objection."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy import select

from portal.accounts import services as accounts
from portal.accounts.models import Organisation, Person
from portal.accounts.roles import Role
from portal.commission import periods as looks
from portal.commission import queries
from portal.commission.models import CommissionAgent, CommissionPolicy, CommissionSnapshot
from portal.commission.rules import Share
from portal.commission.services import corrections, deals, disputes, payouts, periods, policies, snapshots
from portal.commission.services.policies import Wording
from portal.commission.services.snapshots import Wish
from portal.commission.states import DealRole, Method, Rounding
from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.idempotency import digest_of
from portal.core.unit_of_work import atomic
from portal.demo import PASSWORD

WORDS = (
    "Satış temsilcisi, müşterinin teslim alıp itiraz etmediği malların bedeli üzerinden %3 hakediş havuzundan %70, "
    "müşteriyi getiren %10, ekip lideri %15 pay alır; sahibi olmayan pay şirkette kalır."
)
AGENTS = [("ipek@demo.tr", "İpek Aydın", "Kuzey"), ("kaan@demo.tr", "Kaan Er", "Güney")]
# How many days ago, who sold it, for how many kuruş, what.
DEALS = [
    (150, "ipek@demo.tr", 184_500_00, "Marmara Gıda yıllık ambalaj"),
    (128, "kaan@demo.tr", 96_250_50, "Ege Lojistik koli"),
    (101, "ipek@demo.tr", 42_999_90, "Boğaz Kırtasiye dönem başı"),
    (84, "kaan@demo.tr", 230_000_00, "Toros Market streç film"),
    (62, "broker@demo.tr", 75_400_25, "Anadolu Eczane deposu"),
    (40, "ipek@demo.tr", 61_333_33, "Karadeniz Fındık etiket"),
    (36, "kaan@demo.tr", 118_020_00, "Akdeniz Narenciye kasası"),
    (12, "ipek@demo.tr", 88_888_88, "Haliç Matbaa kâğıt"),
    (9, "kaan@demo.tr", 154_300_00, "Kapadokya Otel sarf"),
    (6, "broker@demo.tr", 33_750_00, "Pera Kafe kraft çanta"),
    (3, "ipek@demo.tr", 47_615_45, "Üsküdar Fırın poşet"),
    (2, "kaan@demo.tr", 205_010_00, "Çukurova Tekstil koli"),
]
APPROVED = 10  # the rest waits for a second person


class Cast:
    """The demo's people by their e-mail."""

    def __init__(self) -> None:
        self.people = {person.email: person for person in db.session.scalars(select(Person))}

    def actor(self, email: str) -> Actor:
        """As history will name them."""
        person = self.people[email]
        return Actor(person.full_name, person.id)

    def id(self, email: str) -> int:
        """Somebody's number."""
        return self.people[email].id


def load() -> None:
    """Fill the demo company's commission once; each step in a unit of its own, as people would do it."""
    with atomic():
        empty = db.session.scalar(select(CommissionAgent.person_id).limit(1)) is None
        if empty:
            _people()
    if not empty:
        return
    cast = Cast()
    _policy(cast)
    ids = _deals(cast)
    for snapshot_id in ids[:APPROVED]:
        with atomic():
            shown = {snapshot_id: queries.one(CommissionSnapshot, snapshot_id).digest}
            snapshots.approve(shown, by=cast.actor("admin@demo.tr"))
    _money(cast, ids)


def _people() -> None:
    platform = db.session.execute(select(Organisation).where(Organisation.kind == "PLATFORM")).scalar_one()
    for email, name, _team in AGENTS:
        accounts.add_person(platform, email=email, full_name=name, role=Role.BROKER, password=PASSWORD)
    db.session.flush()
    cast = Cast()
    finance = cast.actor("finance@demo.tr")
    for email, _name, team in [*AGENTS, ("broker@demo.tr", "", "Kuzey")]:
        deals.enrol(cast.id(email), team=team, by=finance)
    buyer = db.session.execute(select(Organisation.id).where(Organisation.kind == "BUYER").limit(1)).scalar_one()
    deals.look_after(buyer, cast.id("ipek@demo.tr"), from_on=clock.today() - timedelta(days=365), by=finance)


def _policy(cast: Cast) -> None:
    said = Wording(
        code="standard",
        name="Standart hakediş",
        wording=WORDS,
        method=Method.PERCENTAGE,
        valid_from=date(clock.today().year - 1, 1, 1),
        shares=[
            Share(1, 7000, role=DealRole.AGENT),
            Share(2, 1000, role=DealRole.SOURCE),
            Share(3, 1500, role=DealRole.LEADER),
        ],
        percent=Decimal("3.0000"),
        rounding=Rounding.ROUND_HALF_UP,
    )
    with atomic():
        first = policies.propose(said, by=cast.actor("finance@demo.tr"))
    with atomic():
        agreed = queries.one(CommissionPolicy, first.id)
        policies.put_in_force(agreed, shown=agreed.digest, by=cast.actor("broker@demo.tr"))
    next_year = date(clock.today().year + 1, 1, 1)
    better = said._replace(
        name="Standart hakediş, yeni yıl",
        wording=WORDS.replace("%3 ", "%3,25 "),
        percent=Decimal("3.2500"),
        rounding=Rounding.BANKERS,
        valid_from=next_year,
    )
    with atomic():
        policies.propose(better, by=cast.actor("finance@demo.tr"))


def _deals(cast: Cast) -> list[int]:
    finance, made = cast.actor("finance@demo.tr"), []
    for days, email, price, title in DEALS:
        on = clock.today() - timedelta(days=days)
        with atomic():
            # Burak leads the early deals only, so that there is something he may check.
            leads = {DealRole.LEADER: [cast.id("broker@demo.tr")]} if days > 5 and email != "broker@demo.tr" else {}
            players = {DealRole.AGENT: [cast.id(email)], **leads}
            deal = deals.open_deal(title, by=finance, cast=players, sale_price=price)
            deals.win(deal, on=on, by=finance)
            made += snapshots.create([Wish(deal.id, f"demo:{deal.id}")], effective_on=on, by=finance)
    return made


def _money(cast: Cast, ids: list[int]) -> None:
    """Everything old is paid; a month is locked; İpek objects; one correction and one batch wait."""
    finance, admin, ipek = cast.actor("finance@demo.tr"), cast.actor("admin@demo.tr"), cast.actor("ipek@demo.tr")
    numbers = count(1)
    old = looks.month_of(looks.month_of(clock.today()) - timedelta(days=40))
    with atomic():
        batch = payouts.prepare(key=f"demo:{next(numbers)}", pay_on=clock.today() - timedelta(days=30), by=finance)
    with atomic():
        payouts.pay(batch.id, shown=batch.digest, by=admin)
    with atomic():
        shown = digest_of(looks.what_if(old))
        periods.lock(old, shown=shown, because="ay sonu kapanışı", by=finance)
    # Approved after the payout, so something is outstanding.
    with atomic():
        late = snapshots.create([_one_more(cast)], effective_on=clock.today() - timedelta(days=1), by=finance)[0]
    with atomic():
        snapshots.approve({late: queries.one(CommissionSnapshot, late).digest}, by=admin)
    mine = next(row for row in queries.line_rows(late) if row.line.person_id == ipek.person_id)
    db.session.rollback()
    with atomic():
        claim = "Bu müşteriyi ben getirdim; müşteriyi getiren payı (%10) eksik."
        opened = disputes.open_dispute(mine.line.id, amount_minor=250_00, claim=claim, by=ipek)
        disputes.say(opened, "Fuar ziyaret formu bende, isterseniz fotoğrafını ekleyeyim.", by=ipek)
    with atomic():
        corrections.propose_reversal(
            ids[9],
            key=f"demo:{next(numbers)}",
            dated_on=clock.today(),
            because="müşteri 5.000 TL'lik malı geri verdi",
            by=finance,
            amount_minor=150_00,
        )
    with atomic():
        payouts.prepare(key=f"demo:{next(numbers)}", pay_on=clock.today(), by=finance)


def _one_more(cast: Cast) -> Wish:
    finance = cast.actor("finance@demo.tr")
    players = {DealRole.AGENT: [cast.id("ipek@demo.tr")], DealRole.LEADER: [cast.id("broker@demo.tr")]}
    deal = deals.open_deal("Galata Restoran paket servis", by=finance, cast=players, sale_price=72_450_75)
    deals.win(deal, on=clock.today() - timedelta(days=1), by=finance)
    return Wish(deal.id, f"demo:{deal.id}")
