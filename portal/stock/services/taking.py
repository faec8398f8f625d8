"""Goods leave their shelves for an order: looked at once, written once, however many lines and shelves there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm.util import identity_key

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput
from portal.core.i18n import noted
from portal.stock.models import Reservation, StockMovement
from portal.stock.services import acts, choosing
from portal.stock.services.acts import Act, OnShelves, Place, Source
from portal.stock.services.changes import tell
from portal.stock.services.choosing import Pick
from portal.stock.services.refusals import counted
from portal.stock.states import RESERVATION, Moved, Reserved


class _Promise(NamedTuple):
    """What an order has still set aside of an item."""

    id: int
    item_id: int
    left: int


class _Seen(NamedTuple):
    """What there was when the items were held: whether the act is done, what lies where, what is promised."""

    done: bool
    on_shelves: OnShelves
    promises: list[_Promise]


Chooser = Callable[[OnShelves], Counter[Place]]

# Read after the items are held, in a statement of its own: what it sees, nobody changes before we are done.
PICTURE = text(
    """SELECT EXISTS (SELECT FROM stock_act WHERE key = :key) AS done,
         (SELECT coalesce(jsonb_agg(jsonb_build_array(item_id, shelf_id, qty)), '[]') FROM shelf_stock
          WHERE item_id = ANY(:items)) AS shelves,
         (SELECT coalesce(jsonb_agg(jsonb_build_array(id, item_id, pieces - taken - released) ORDER BY line_key, id), '[]')
          FROM reservation WHERE source_kind = :kind AND source_key = :source AND state = 'OPEN'
            AND item_id = ANY(:items)) AS promises"""
)
# The act is the gate: where it was done before, no row of all this is touched. One statement, because busy items are
# held meanwhile: every further round trip would be waited for by everybody who wants one of them.
WRITE = text(
    """WITH act AS (
         INSERT INTO stock_act (key, kind, goods, source_kind, source_key, actor, actor_person_id, because, at)
         VALUES (:key, :act_kind, CAST(:goods AS jsonb), :kind, :source, :actor, :person, :because, :at)
         ON CONFLICT (key) DO NOTHING RETURNING key),
       out AS (
         SELECT act.key, d.* FROM act CROSS JOIN
           unnest(CAST(:items AS bigint[]), CAST(:shelves AS bigint[]), CAST(:pieces AS bigint[])) WITH ORDINALITY
             AS d(item_id, shelf_id, pieces, n)),
       promised AS (
         SELECT d.* FROM act CROSS JOIN
           unnest(CAST(:promises AS bigint[]), CAST(:promised_items AS bigint[]), CAST(:taken AS bigint[]),
             CAST(:becomes AS text[])) AS d(id, item_id, pieces, becomes)),
       shelves AS (
         UPDATE shelf_stock s SET qty = s.qty - out.pieces FROM out
         WHERE (s.item_id, s.shelf_id) = (out.item_id, out.shelf_id)),
       central AS (
         UPDATE central_stock c SET qty = c.qty - d.pieces, reserved = c.reserved - d.promised,
           updated_at = clock_timestamp()
         FROM (SELECT item_id, sum(pieces) AS pieces, coalesce((SELECT sum(p.pieces) FROM promised p
                 WHERE p.item_id = out.item_id), 0) AS promised FROM out GROUP BY item_id) d
         WHERE c.item_id = d.item_id),
       promises AS (
         UPDATE reservation r SET taken = r.taken + promised.pieces, state = promised.becomes
         FROM promised WHERE r.id = promised.id),
       noted AS (
         INSERT INTO transition (subject_kind, subject_id, from_state, to_state, actor, actor_person_id, reason, at)
         SELECT :subject, promised.id::text, 'OPEN', promised.becomes, :actor, :person, :reason, :at FROM promised)
       INSERT INTO stock_movement (idempotency_key, act_key, type, item_id, shelf_id, pieces, source_kind, source_key,
         actor, actor_person_id, because, at)
       SELECT out.key || ':' || out.item_id || ':' || out.shelf_id, out.key, :type, out.item_id, out.shelf_id,
         -out.pieces, :kind, :source, :actor, :person, :because, :at
       FROM out ORDER BY out.n RETURNING *"""
)


def take(picks: Sequence[Pick], *, source: Source, key: str, by: Actor, because: str = "") -> list[StockMovement]:
    """A packer took these pieces for an order, all or none: shelf, central stock and what was set aside fall together,
    once per `key`. What lies on the shelf is taken even where the order had set nothing aside. Refuses with a
    `Shortage` when something is not where it was to be taken from.
    """
    act = Act(key, "TAKE", by, because, Source(source.kind, source.key))
    wanted = Counter[Place]()
    for pick in picks:
        wanted[pick.item_id, pick.shelf_id] += counted(pick.pieces)
    if not wanted:
        raise BadInput(_l("Nothing was picked."))
    items = sorted({item_id for item_id, _shelf_id in wanted})

    def exactly_these(on_shelves: OnShelves) -> Counter[Place]:
        acts.insist(act, wanted, on_shelves)
        return wanted

    acts.lock(items)
    return _take(act, [(*place, pieces) for place, pieces in wanted.items()], items, exactly_these)


def take_wherever(
    goods: Mapping[int, int],
    *,
    source: Source,
    key: str,
    by: Actor,
    because: str = "",
    picks: Sequence[Pick] = (),
    held: bool = False,
) -> list[StockMovement]:
    """Like `take`, for whoever knows items and pieces but not every shelf: those are chosen here, and answered.

    `picks` says of some of the pieces from where they come. The goods are the act, not the shelves: again with the
    same goods and other picks, the answer is the first one. `held`: the caller holds the items already.
    """
    act = Act(key, "TAKE_WHEREVER", by, because, Source(source.kind, source.key))
    if not goods:
        raise BadInput(_l("Nothing was picked."))

    def from_anywhere(on_shelves: OnShelves) -> Counter[Place]:
        chosen = choosing.chosen(picks, goods)
        acts.insist(act, chosen, on_shelves)
        rest = Counter(goods) - choosing.by_item(chosen)
        return chosen + choosing.anywhere(act, rest, on_shelves, chosen)

    if not held:
        acts.lock(goods)
    return _take(act, [(item_id, counted(pieces)) for item_id, pieces in goods.items()], sorted(goods), from_anywhere)


def _take(act: Act, goods: Sequence[tuple[int, ...]], items: Sequence[int], choose: Chooser) -> list[StockMovement]:
    """Once: look, choose, write. Done before, the first answer. The items are held."""
    seen = _look(act, items)
    movements = [] if seen.done else _write(act, goods, choose(seen.on_shelves), seen.promises)
    if not movements:
        # Done before, or in this very moment by somebody else (then the act was the database's to give, once).
        acts.insist_same(act, goods)
        return acts.movements_of(act)
    tell()
    return movements


def _look(act: Act, items: Sequence[int]) -> _Seen:
    asked = {"key": act.key, "items": list(items), "kind": act.source.kind, "source": act.source.key}
    row = db.session.execute(PICTURE, asked).one()
    on_shelves: OnShelves = defaultdict(dict)
    for item_id, shelf_id, qty in row.shelves:
        on_shelves[item_id][shelf_id] = qty
    return _Seen(row.done, on_shelves, [_Promise(*promise) for promise in row.promises])


def _write(
    act: Act, goods: Sequence[tuple[int, ...]], wanted: Counter[Place], promises: Sequence[_Promise]
) -> list[StockMovement]:
    """Everything in one statement; nothing, and no movement, where the act was done before."""
    used = _used(promises, choosing.by_item(wanted))
    places = sorted(wanted.items())
    said: dict[str, Any] = {
        "key": act.key,
        "act_kind": act.kind,
        "goods": acts.goods_json(goods),
        "kind": act.source.kind,
        "source": act.source.key,
        "type": Moved.OUT.value,
        "actor": act.by.name,
        "person": act.by.person_id,
        "because": act.because,
        "at": clock.now(),
        "items": [item_id for (item_id, _shelf_id), _pieces in places],
        "shelves": [shelf_id for (_item_id, shelf_id), _pieces in places],
        "pieces": [pieces for _place, pieces in places],
        "promises": [promise.id for promise, _part in used],
        "promised_items": [promise.item_id for promise, _part in used],
        "taken": [part for _promise, part in used],
        "becomes": [_becomes(promise, part).value for promise, part in used],
        "subject": RESERVATION.subject,
        "reason": noted("taken"),
    }
    movements = list(db.session.scalars(select(StockMovement).from_statement(WRITE), said))
    for promise, _part in used:
        in_hand = db.session.identity_map.get(identity_key(Reservation, promise.id))
        if in_hand is not None:
            db.session.expire(in_hand)
    return movements


def _used(promises: Sequence[_Promise], taken: Mapping[int, int]) -> list[tuple[_Promise, int]]:
    """What was set aside and now leaves, line by line; pieces beyond it had been promised to nobody."""
    remaining, used = dict(taken), []
    for promise in promises:
        part = min(promise.left, remaining[promise.item_id])
        if part:
            remaining[promise.item_id] -= part
            used.append((promise, part))
    return used


def _becomes(promise: _Promise, part: int) -> Reserved:
    to = Reserved.TAKEN if part == promise.left else Reserved.OPEN
    assert RESERVATION.allows(Reserved.OPEN, to)
    return to
