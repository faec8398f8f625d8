"""Pieces that left their shelf for a package and must come back."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, NotFound
from portal.core.i18n import noted
from portal.marketplace.models import StorefrontPackage, StorefrontReturn
from portal.marketplace.states import RETURN, Coming


def expect_back(
    package: StorefrontPackage, item_id: int, pieces: int, *, taken_for: str, by: Actor, because: str
) -> None:
    """So many more pieces of an item must come back: the warehouse sees them until they lie on a shelf again."""
    expected = StorefrontReturn(package_id=package.id, item_id=item_id, pieces=pieces, taken_for=taken_for)
    db.session.add(expected)
    RETURN.begin(expected, actor=by, reason=because)


def held_return(return_id: int) -> StorefrontReturn:
    """One expected return, held against others who put the same pieces away."""
    found = db.session.scalar(
        select(StorefrontReturn)
        .where(StorefrontReturn.id == return_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound
    return found


def came_back(expected: StorefrontReturn, pieces: int, *, by: Actor) -> None:
    """So many of them lie on a shelf again. Refuses more than are expected."""
    left = expected.pieces - expected.received
    if not 1 <= pieces <= left:
        raise BadInput(fields={"pieces": _l("From %(least)s to %(most)s pieces.", least=1, most=left)})
    to = Coming.RECEIVED if pieces == left else Coming.EXPECTED
    RETURN.move(expected, to, actor=by, reason=noted("back on a shelf"), received=expected.received + pieces)


def not_coming(expected: StorefrontReturn, *, by: Actor, because: str) -> None:
    """What is left of them will not come back. Refuses without a reason."""
    if not because.strip():
        raise BadInput(fields={"because": _l("Say why, so that others understand it later.")})
    RETURN.move(expected, Coming.LOST, actor=by, reason=because.strip())


def expected_of(package: StorefrontPackage) -> dict[int, int]:
    """Pieces by item that were ever expected back from this package, whatever became of them."""
    rows = (
        select(StorefrontReturn.item_id, func.sum(StorefrontReturn.pieces))
        .where(StorefrontReturn.package_id == package.id)
        .group_by(StorefrontReturn.item_id)
    )
    return {item_id: int(pieces) for item_id, pieces in db.session.execute(rows)}


def still_expected_for(taken_for: str) -> dict[int, int]:
    """Pieces by item, of those taken for a source, that the warehouse still waits for."""
    rows = (
        select(StorefrontReturn.item_id, func.sum(StorefrontReturn.pieces - StorefrontReturn.received))
        .where(StorefrontReturn.taken_for == taken_for, StorefrontReturn.state == Coming.EXPECTED)
        .group_by(StorefrontReturn.item_id)
    )
    return {item_id: int(pieces) for item_id, pieces in db.session.execute(rows)}


def received_for(taken_for: str) -> dict[int, int]:
    """Pieces by item that came back of those taken for a source."""
    rows = (
        select(StorefrontReturn.item_id, func.sum(StorefrontReturn.received))
        .where(StorefrontReturn.taken_for == taken_for)
        .group_by(StorefrontReturn.item_id)
    )
    return {item_id: int(pieces) for item_id, pieces in db.session.execute(rows)}
