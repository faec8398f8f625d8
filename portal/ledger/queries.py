"""What the books say."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from portal.accounts.models import Organisation, Person
from portal.core.database import db
from portal.core.money import Money
from portal.ledger.models import DEBIT_KINDS, Account, JournalEntry, Posting, SellerBalanceLedger

DebitAccount = aliased(Account)
CreditAccount = aliased(Account)
DebitOwner = aliased(Organisation)
CreditOwner = aliased(Organisation)
DebitPerson = aliased(Person)
CreditPerson = aliased(Person)


class PostingRow(NamedTuple):
    """One line of the ledger browser."""

    id: int
    entry_id: int
    kind: str
    effective_on: date
    recorded_at: datetime
    debit: str
    credit: str
    amount_kurus: int
    order_id: int | None
    hold_id: int | None
    because: str
    actor: str
    reversal_of: int | None
    debit_name: str
    credit_name: str


class AccountRow(NamedTuple):
    """An account with its balance on its own growing side."""

    id: int
    code: str
    kind: str
    organisation_id: int | None
    balance_kurus: int
    name: str


class LedgerFilter(NamedTuple):
    """What the accountant is looking for; None means everything."""

    account: str | None = None
    order_id: int | None = None
    entry_id: int | None = None
    until_on: date | None = None


def balance(code: str, *, as_of: date | None = None) -> Money:
    """What is on an account, today or at the end of an Istanbul business day: the sum of its postings."""
    account = db.session.execute(select(Account).where(Account.code == code)).scalar_one_or_none()
    if account is None:
        return Money(0)
    credited = db.session.scalar(_moved(account, as_of)) or 0
    return Money(int(credited) if account.grows_by_credit else -int(credited))


def balances(*, as_of: date | None = None) -> list[AccountRow]:
    """Every account with its balance: the trial balance."""
    sign = case((Account.kind.in_(DEBIT_KINDS), -1), else_=1)
    amount = case((Posting.credit_account_id == Account.id, Posting.amount_kurus), else_=-Posting.amount_kurus)
    touching = or_(Posting.credit_account_id == Account.id, Posting.debit_account_id == Account.id)
    asked = (
        select(
            Account.id,
            Account.code,
            Account.kind,
            Account.organisation_id,
            func.coalesce(func.sum(sign * amount).filter(_until(as_of)), 0),
            func.max(_name(Account, Organisation, Person)),
        )
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .outerjoin(Person, Person.id == Account.person_id)
        .outerjoin(Posting, touching)
        .outerjoin(JournalEntry, JournalEntry.id == Posting.entry_id)
        .group_by(Account.id)
        .order_by(Account.code)
    )
    return [AccountRow(row[0], row[1], row[2], row[3], int(row[4]), row[5]) for row in db.session.execute(asked)]


def postings(filter: LedgerFilter) -> Any:
    """The ledger browser's rows, newest first; the caller pages."""
    wanted = (
        select(
            Posting.id,
            Posting.entry_id,
            JournalEntry.kind,
            JournalEntry.effective_on,
            JournalEntry.recorded_at,
            DebitAccount.code.label("debit"),
            CreditAccount.code.label("credit"),
            Posting.amount_kurus,
            Posting.order_id,
            Posting.hold_id,
            JournalEntry.because,
            JournalEntry.actor,
            JournalEntry.reversal_of,
            _name(DebitAccount, DebitOwner, DebitPerson),
            _name(CreditAccount, CreditOwner, CreditPerson),
        )
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .join(DebitAccount, DebitAccount.id == Posting.debit_account_id)
        .join(CreditAccount, CreditAccount.id == Posting.credit_account_id)
        .outerjoin(DebitOwner, DebitOwner.id == DebitAccount.organisation_id)
        .outerjoin(CreditOwner, CreditOwner.id == CreditAccount.organisation_id)
        .outerjoin(DebitPerson, DebitPerson.id == DebitAccount.person_id)
        .outerjoin(CreditPerson, CreditPerson.id == CreditAccount.person_id)
        .order_by(Posting.id.desc())
    )
    if filter.account:
        wanted = wanted.where(or_(DebitAccount.code == filter.account, CreditAccount.code == filter.account))
    if filter.order_id:
        wanted = wanted.where(Posting.order_id == filter.order_id)
    if filter.entry_id:
        wanted = wanted.where(Posting.entry_id == filter.entry_id)
    if filter.until_on:
        wanted = wanted.where(JournalEntry.effective_on <= filter.until_on)
    return wanted


def rows_of(wanted: Select[Any]) -> list[PostingRow]:
    """Run a posting query."""
    return [PostingRow(*row) for row in db.session.execute(wanted)]


def seller_balance(organisation_id: int, *, as_of: date | None = None) -> Money:
    """What we owe the seller: released and not yet paid out."""
    asked = select(func.coalesce(func.sum(SellerBalanceLedger.amount_kurus), 0)).where(
        SellerBalanceLedger.organisation_id == organisation_id
    )
    if as_of is not None:
        asked = asked.where(SellerBalanceLedger.effective_on <= as_of)
    return Money(int(db.session.scalar(asked) or 0))


def seller_rows(organisation_id: int, *, as_of: date | None = None) -> Select[Any]:
    """The seller's sub-ledger, newest first."""
    wanted = (
        select(SellerBalanceLedger)
        .where(SellerBalanceLedger.organisation_id == organisation_id)
        .order_by(SellerBalanceLedger.posting_id.desc())
    )
    return wanted if as_of is None else wanted.where(SellerBalanceLedger.effective_on <= as_of)


def _moved(account: Account, as_of: date | None) -> Select[Any]:
    amount = case((Posting.credit_account_id == account.id, Posting.amount_kurus), else_=-Posting.amount_kurus)
    touching = or_(Posting.credit_account_id == account.id, Posting.debit_account_id == account.id)
    return (
        select(func.sum(amount)).join(JournalEntry, JournalEntry.id == Posting.entry_id).where(touching, _until(as_of))
    )


def _until(as_of: date | None) -> Any:
    return and_(True) if as_of is None else JournalEntry.effective_on <= as_of


def _name(account: Any, owner: Any, person: Any) -> Any:
    """KIND, or KIND:owner: what the screen makes a name of."""
    return account.kind + func.coalesce(":" + owner.name, ":" + person.full_name, "")
