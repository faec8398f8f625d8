"""The chart of accounts: few, and each with a plain meaning."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.core.database import db
from portal.ledger.models import Account

ESCROW = "escrow"  # buyers' money we hold in trust
COMMISSION = "commission"  # what the platform earned
PROVIDER_FEE = "provider_fee"  # what the payment provider kept
BANK = "bank"  # the platform's own bank account
AGENT_COST = "agent_cost"  # what sales agents cost the platform (hakediş)
KINDS = {ESCROW: "ESCROW", COMMISSION: "COMMISSION", PROVIDER_FEE: "FEE", BANK: "BANK", AGENT_COST: "AGENT_COST"}


def provider(name: str) -> str:
    """Money that lies with a payment provider."""
    return f"provider:{name}"


def seller(organisation_id: int) -> str:
    """What we owe a seller, released and not yet paid out."""
    return f"seller:{organisation_id}"


def agent(person_id: int) -> str:
    """What we owe a sales agent: earned and not yet paid. Below zero when paid commission was taken back."""
    return f"agent:{person_id}"


def ids_of(codes: set[str]) -> dict[str, int]:
    """The accounts' rows; one met for the first time is opened."""
    known = _known(codes)
    missing = codes - known.keys()
    if missing:
        db.session.execute(
            insert(Account)
            .values([{"person_id": None, **_new(code)} for code in sorted(missing)])
            .on_conflict_do_nothing()
        )
        known = _known(codes)
    return known


def _known(codes: set[str]) -> dict[str, int]:
    rows = db.session.execute(select(Account.code, Account.id).where(Account.code.in_(codes)))
    return {code: account_id for code, account_id in rows}


def _new(code: str) -> dict[str, object]:
    kind, _, name = code.partition(":")
    if kind == "seller":
        return {"code": code, "kind": "SELLER", "organisation_id": int(name), "limited": True}
    if kind == "provider":
        return {"code": code, "kind": "PROVIDER", "organisation_id": None, "limited": False}
    if kind == "agent":
        return {"code": code, "kind": "AGENT", "organisation_id": None, "person_id": int(name), "limited": False}
    return {"code": code, "kind": KINDS[code], "organisation_id": None, "limited": False}
