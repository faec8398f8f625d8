"""A small sales office for tests: two agents and their leader, a policy, and deals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy import text

from portal.accounts import identity
from portal.accounts import services as accounts
from portal.accounts.models import Organisation, Person
from portal.accounts.roles import Role
from portal.commission import periods as looks
from portal.commission import queries
from portal.commission.models import (
    CommissionCorrection,
    CommissionPayoutBatch,
    CommissionPolicy,
    CommissionSnapshot,
    Deal,
)
from portal.commission.rules import Share
from portal.commission.services import corrections, deals, disputes, payouts, periods, policies, snapshots
from portal.commission.services.policies import Wording
from portal.commission.services.snapshots import Wish
from portal.commission.states import DealRole, Method, Rounding
from portal.core import clock
from portal.core.database import db
from portal.core.idempotency import digest_of
from portal.core.unit_of_work import atomic
from portal.demo import PASSWORD
from portal.disputes.pictures import redrawn
from tests.cast import Cast, actor
from tests.pictures import a_photo

AGENT, LEADER, SOURCE = DealRole.AGENT, DealRole.LEADER, DealRole.SOURCE
WORDS = "Satış temsilcisi net satışın %3'ünden pay alır."
LONG_AGO = date(2020, 1, 1)


class Office:
    """Ayşe makes, Burak checks; İpek sells, Kaan sells, Leyla leads. Every act in a unit of its own."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.ipek = self.newcomer("ipek@demo.tr", "İpek Aydın")
        self.kaan = self.newcomer("kaan@demo.tr", "Kaan Er")
        self.leyla = self.newcomer("leyla@demo.tr", "Leyla Uçar")
        self.maker, self.checker = actor(cast.ayse), actor(cast.burak)
        self.numbers = count(1)
        with atomic():
            for person, team in ((self.ipek, "Kuzey"), (self.kaan, "Güney"), (self.leyla, "Kuzey")):
                deals.enrol(person.id, team=team, by=self.maker)
        self.policy = self.put_in_force()

    def newcomer(self, email: str, name: str, role: Role = Role.BROKER) -> Person:
        """One more of the platform's people."""
        with atomic():
            platform = db.session.query(Organisation).filter_by(kind="PLATFORM").one()
            return accounts.add_person(platform, email=email, full_name=name, role=role, password=PASSWORD)

    def wording(self, **other: object) -> Wording:
        """3 % of the sale: 70 % of it for the agent, 20 % for the leader, the rest stays."""
        said = Wording(
            code="standard",
            name="Standart",
            wording=WORDS,
            method=Method.PERCENTAGE,
            valid_from=LONG_AGO,
            shares=[Share(1, 7000, role=AGENT), Share(2, 2000, role=LEADER)],
            percent=Decimal("3.0000"),
            rounding=Rounding.ROUND_HALF_UP,
        )
        return said._replace(**other)  # type: ignore[arg-type]

    def put_in_force(self, **other: object) -> CommissionPolicy:
        """A policy, proposed by Ayşe and put in force by Burak."""
        with atomic():
            policy = policies.propose(self.wording(**other), by=self.maker)
        with atomic():
            policies.put_in_force(policy, shown=policy.digest, by=self.checker)
        return policy

    def won(self, price: int | None = 100_000_00, *, on: date | None = None, agent: Person | None = None) -> Deal:
        """A won deal of İpek's, led by Leyla. Price in kuruş."""
        with atomic():
            return queries.one(Deal, self.open_and_win(price, on=on, agent=agent))

    def open_and_win(
        self, price: int | None = 100_000_00, *, on: date | None = None, agent: Person | None = None
    ) -> int:
        """The same in somebody else's unit; the deal's id."""
        cast = {AGENT: [(agent or self.ipek).id], LEADER: [self.leyla.id]}
        deal = deals.open_deal(f"Satış {next(self.numbers)}", by=self.maker, cast=cast, sale_price=price)
        deals.win(deal, on=on or clock.today(), by=self.maker)
        return deal.id

    def snapshot(self, price: int = 100_000_00, *, on: date | None = None, agent: Person | None = None) -> int:
        """A snapshot that waits for approval; its id."""
        deal = self.won(price, on=on, agent=agent)
        with atomic():
            return snapshots.create(
                [Wish(deal.id, f"deal-{deal.id}")], effective_on=on or clock.today(), by=self.maker
            )[0]

    def approve(self, *ids: int, dated_on: date | None = None) -> list[CommissionSnapshot]:
        """Burak agrees to what he was shown."""
        with atomic():
            shown = {i: queries.one(CommissionSnapshot, i).digest for i in ids}
            return snapshots.approve(shown, by=self.checker, dated_on=dated_on)

    def approved(self, price: int = 100_000_00, *, on: date | None = None, agent: Person | None = None) -> int:
        """An approved snapshot; its id."""
        snapshot_id = self.snapshot(price, on=on, agent=agent)
        self.approve(snapshot_id)
        return snapshot_id

    def prepared(self, *, on: date | None = None, key: str = "") -> CommissionPayoutBatch:
        """A payout batch of everything that is due."""
        with atomic():
            return payouts.prepare(key=key or f"batch-{next(self.numbers)}", pay_on=on or clock.today(), by=self.maker)

    def paid(self, *, on: date | None = None) -> CommissionPayoutBatch:
        """A batch that Burak has paid."""
        batch = self.prepared(on=on)
        with atomic():
            return payouts.pay(batch.id, shown=batch.digest, by=self.checker)

    def reversal(self, snapshot_id: int, amount: int | None = None, *, on: date | None = None) -> CommissionCorrection:
        """A reversal that waits for its second person."""
        with atomic():
            return corrections.propose_reversal(
                snapshot_id,
                key=f"correction-{next(self.numbers)}",
                dated_on=on or clock.today(),
                because="iade edildi",
                by=self.maker,
                amount_minor=amount,
            )

    def reverse(self, snapshot_id: int, amount: int | None = None, *, on: date | None = None) -> None:
        """Taken back, by two people."""
        asked = self.reversal(snapshot_id, amount, on=on)
        with atomic():
            corrections.do(asked.id, shown=asked.digest, by=self.checker)

    def line(self, snapshot_id: int, person: Person) -> int:
        """Somebody's line of a snapshot."""
        row = next(row for row in queries.line_rows(snapshot_id) if row.line.person_id == person.id)
        db.session.rollback()
        return row.line.id

    def account(self, person: Person) -> tuple[int, int, int, int, int]:
        """Earned, paid, reversed, adjusted, blocked."""
        sums = "earned_minor, paid_minor, reversed_minor, adjusted_minor, blocked_minor"
        row = ask(f"SELECT {sums} FROM commission_person_account WHERE person_id = {person.id}")
        return tuple(row[0]) if row else (0, 0, 0, 0, 0)  # type: ignore[return-value]


def ask(sql: str) -> list[tuple[object, ...]]:
    """Rows from the database, as it is now."""
    found = [tuple(row) for row in db.session.execute(text(sql))]
    db.session.rollback()
    return found


def tell(sql: str) -> None:
    """What a person with psql would do."""
    with atomic():
        db.session.execute(text(sql))


Act = Callable[[], object]


def a_living_desk(cast: Cast) -> dict[str, object]:
    """One of everything, made by Ayşe and earned by Burak: the numbers for the addresses of the desk."""
    ayse, gul, burak = actor(cast.ayse), actor(cast.gul), actor(cast.burak)
    today = clock.today()
    shares = [Share(1, 10_000, role=AGENT)]
    with atomic():
        deals.enrol(cast.burak.id, team="Kuzey", by=ayse)
        said = Wording("standard", "Standart", WORDS, Method.FIXED, LONG_AGO, shares, fixed_minor=500_00)
        policy = policies.propose(said, by=ayse)
    with atomic():
        policies.put_in_force(policy, shown=policy.digest, by=gul)
    with atomic():
        deal = deals.open_deal("Satış", by=ayse, cast={AGENT: [cast.burak.id]}, sale_price=100)
        deals.win(deal, on=today, by=ayse)
        snapshot_id = snapshots.create([Wish(deal.id, "k")], effective_on=today, by=ayse)[0]
    with atomic():
        snapshots.approve({snapshot_id: queries.one(CommissionSnapshot, snapshot_id).digest}, by=gul)
    line_id = queries.line_rows(snapshot_id)[0].line.id
    db.session.rollback()
    with atomic():
        dispute = disputes.open_dispute(line_id, amount_minor=100_00, claim="eksik", by=burak)
        disputes.attach(dispute, redrawn(a_photo()), by=burak)
        batch = payouts.prepare(key="k", pay_on=today, by=ayse)
        correction = corrections.propose_reversal(
            snapshot_id, key="k", dated_on=today, because="x", by=ayse, amount_minor=1
        )
        long_ago = today - timedelta(days=9)
        identity.stands_in(cast.deniz.id, for_person_id=cast.ece.id, from_on=long_ago, until_on=None, by=gul)
        stand_in_id = identity.stand_ins()[0][0].id
    month = looks.month_of(today.replace(day=1) - timedelta(days=40))
    with atomic():
        lock = periods.lock(month, shown=digest_of(looks.what_if(month)), because="x", by=ayse)
    return {
        "deal_id": deal.id, "snapshot_id": snapshot_id, "line_id": line_id, "policy_id": policy.id,
        "batch_id": batch.id, "correction_id": correction.id, "lock_id": lock.id, "paper_id": 1,
        "person_id": cast.burak.id, "stand_in_id": stand_in_id, "file_kind": "xlsx", "objection": dispute.id,
    }  # fmt: skip
