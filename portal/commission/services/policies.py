"""Policies are proposed by one person, put in force by another, and then only succeeded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from flask_babel import lazy_gettext as _l

from portal.commission import queries
from portal.commission.models import CommissionPolicy, CommissionPolicyShare
from portal.commission.rules import WHOLE_BPS, Share
from portal.commission.services import diary, hands
from portal.commission.states import POLICY, Method, PolicyState, Rounding
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.core.idempotency import digest_of

RATE_DIGITS = Decimal("0.0001")


class Wording(NamedTuple):
    """Everything a policy says. `percent` has at most four digits after the point; `fixed_minor` is kuruş."""

    code: str
    name: str
    wording: str
    method: Method
    valid_from: date
    shares: Sequence[Share]
    percent: Decimal | None = None
    rounding: Rounding | None = None
    fixed_minor: int | None = None
    valid_until: date | None = None


class AnotherBeginsThatDay(Refusal):
    """Two wordings of one policy cannot begin on the same day."""

    code = "another_begins_that_day"


def propose(said: Wording, *, by: Actor) -> CommissionPolicy:
    """A new wording; nothing changes until a second person has put it in force. Refuses nonsense (422)."""
    _sensible(said)
    before = queries.policy_on(said.code, said.valid_from)
    policy = CommissionPolicy(
        code=said.code.strip(),
        name=said.name.strip(),
        wording=said.wording.strip(),
        method=said.method.value,
        percent=said.percent,
        rounding_rule=said.rounding.value if said.rounding else None,
        fixed_commission_minor=said.fixed_minor,
        valid_from=said.valid_from,
        valid_until=said.valid_until,
        succeeds_id=before.id if before else None,
        digest=digest_of([str(part) for part in said[:5]] + [str(part) for part in said[6:]] + _digits(said.shares)),
        **hands.made(by),
    )
    db.session.add(policy)
    POLICY.begin(policy, actor=by, reason=noted("proposed"))
    for position, share in enumerate(said.shares, start=1):
        role = share.role.value if share.role else None
        db.session.add(
            CommissionPolicyShare(
                policy_id=policy.id, position=position, person_id=share.person_id, role=role, share_bps=share.bps
            )
        )
    diary.write("proposed", "policy", policy.id, by=by, code=policy.code, wording=policy.wording)
    return policy


def put_in_force(policy: CommissionPolicy, *, shown: str, by: Actor, override_because: str = "") -> None:
    """A second person agrees. Snapshots made before keep their policy.

    A person the policy gives a share to by name cannot put it in force.
    """
    earners = [share.person_id for share in queries.shares_of(policy.id) if share.person_id is not None]
    hands.let_check(policy, shown=shown, by=by, earners=earners, override_because=override_because)
    same_day = queries.policy_on(policy.code, policy.valid_from)
    if same_day is not None and same_day.valid_from == policy.valid_from:
        raise AnotherBeginsThatDay(_l("Another wording of this policy begins on that day already."))
    how = hands.checked(by, shown=shown, override_because=override_because)
    POLICY.move(policy, PolicyState.ACTIVE, actor=by, reason=override_because or noted("put in force"), **how)
    diary.write("put in force", "policy", policy.id, by=by, because=override_because, before={"state": "PROPOSED"})


def reject(policy: CommissionPolicy, *, by: Actor, because: str) -> None:
    """It will not come into force; says why."""
    POLICY.move(policy, PolicyState.REJECTED, actor=by, reason=hands.reason(because))
    diary.write("rejected", "policy", policy.id, by=by, because=because, before={"state": "PROPOSED"})


def _digits(shares: Sequence[Share]) -> list[str]:
    return [f"{share.position}:{share.person_id}:{share.role}:{share.bps}" for share in shares]


def _sensible(said: Wording) -> None:
    wrong: dict[str, object] = {}
    if not said.code.strip() or not said.name.strip():
        wrong["name"] = _l("Give it a name.")
    if not said.wording.strip():
        wrong["wording"] = _l("Write it down as it stands in the contract.")
    if said.method == Method.PERCENTAGE:
        rate = said.percent
        if rate is None or not 0 <= rate <= 100 or rate != rate.quantize(RATE_DIGITS) or said.rounding is None:
            wrong["percent"] = _l("A percentage from 0 to 100 with four digits at most, and how it rounds.")
    elif said.fixed_minor is None or said.fixed_minor < 0:
        wrong["fixed"] = _l("Write the amount like 1.254,30.")
    if not said.shares or min(s.bps for s in said.shares) < 0 or sum(s.bps for s in said.shares) > WHOLE_BPS:
        wrong["shares"] = _l("The shares are more than nothing and no more than 100 percent together.")
    if said.valid_until is not None and said.valid_until <= said.valid_from:
        wrong["valid_until"] = _l("It ends after it begins.")
    if wrong:
        raise BadInput(fields=wrong)
