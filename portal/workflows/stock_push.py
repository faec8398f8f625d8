"""Storefronts believe what is free: what changed goes at once, and every ten minutes everything is compared."""

from __future__ import annotations

from typing import NamedTuple

from flask import current_app
from loguru import logger

from portal.core.actor import SYSTEM, Actor
from portal.core.i18n import noted
from portal.core.ports import Outcome, known, port
from portal.core.queue import wake
from portal.core.unit_of_work import atomic
from portal.marketplace.ports import StockSubmitted, Storefront, Storefronts
from portal.marketplace.push import services as push
from portal.marketplace.push.services import Turn
from portal.stock import services as stock

TOPIC = "stock_push"
# One push ends after so many batches, so that its line in the log comes to an end on the busiest day, too.
MOST_BATCHES = 50
CHANGES_AT_A_TIME = 5000


class Compared(NamedTuple):
    """What a full comparison found: storefronts looked at, barcodes that differ and are due now."""

    storefronts: int
    differing: int


def storefronts() -> list[Storefront]:
    """Where we sell; none until one is configured."""
    return list(known(Storefronts).by_code.values())


def titles() -> dict[str, str]:
    """Storefronts' names for people, by code."""
    return {front.code: front.title for front in storefronts()}


def push_next() -> bool:
    """One step: notes of changes first, then numbers, then what became of them. False when nothing can be done now."""
    if note_changes():
        return True
    return any(push_some(front) or ask_result(front) or ask_belief(front) for front in storefronts())


def note_changes() -> bool:
    """What changed in the stock becomes what we want storefronts to believe; whether there was anything."""
    with atomic():
        items = stock.take_changed(CHANGES_AT_A_TIME)
        if items:
            for front in storefronts():
                push.note_wanted(front.code, items, most_pieces=front.abilities.most_pieces)
    return bool(items)


def push_some(front: Storefront) -> bool:
    """One push to one storefront, batch by batch, while something is due and the limits allow it; whether it sent any."""
    with atomic():
        turn = push.begin(front.code)
    if turn is None:
        return False
    batches = 0
    while batches < MOST_BATCHES and _send_one(front, turn):
        batches += 1
        note_changes()
    with atomic():
        push.end(turn)
    return turn.push_id is not None


def _send_one(front: Storefront, turn: Turn) -> bool:
    """Written down, sent, answer written down; whether the next batch may follow."""
    with atomic():
        claimed = push.claim(turn, front.abilities, size=current_app.config["STOCK_PUSH_BATCH"])
    if claimed is None:
        return False
    if claimed.too_late:
        answer = StockSubmitted(Outcome.NOT_SENT, why=noted("we were too slow to send it safely"))
    else:
        answer = port(Storefronts).by_code[front.code].submit_stock(claimed.wishes)
    logger.info("stock push {}: {} barcodes, {}", front.code, len(claimed.wishes), answer.outcome.value)
    with atomic():
        return push.note_answer(turn, claimed, answer)


def ask_result(front: Storefront) -> bool:
    """Ask what became of one batch; whether one was due."""
    with atomic():
        poll = push.next_poll(front.code, front.abilities)
    if poll is None:
        return False
    result = port(Storefronts).by_code[front.code].batch(poll.batch_key)
    with atomic():
        push.learn_result(poll, result, front.abilities)
    return True


def ask_belief(front: Storefront) -> bool:
    """Ask what they believe where nobody can say what became of a number; whether anything was in doubt."""
    with atomic():
        question = push.next_question(front.code, front.abilities)
    if question is None:
        return False
    answer = port(Storefronts).by_code[front.code].read_stock(list(question.barcodes.values()))
    with atomic():
        push.learn_beliefs(front.code, question, answer)
    return True


def compare_everything(*, by: Actor = SYSTEM) -> Compared:
    """Compare all barcodes of all storefronts with the stock; what differs is due now, lowest stock first."""
    logger.info("stock compared with storefronts for {}", by.name)
    found = []
    for front in storefronts():
        with atomic():
            found.append(
                push.compare(
                    front.code,
                    most_pieces=front.abilities.most_pieces,
                    by=by,
                    read_back=current_app.config["STOCK_PUSH_READ_BACK"],
                )
            )
            wake(TOPIC)
    return Compared(len(found), sum(found))


def push_now(*, by: Actor = SYSTEM) -> int:
    """Somebody does not want to wait: everything that waits for a new try is due now. Answers how many."""
    with atomic():
        due = sum(push.push_now(front.code, by=by) for front in storefronts())
        wake(TOPIC)
    return due


def offer(listing_id: int, *, on_sale: bool, by: Actor) -> None:
    """A barcode is taken off the push, or put back and said anew."""
    with atomic():
        push.offer(listing_id, on_sale=on_sale, by=by)
        wake(TOPIC)


def try_again(listing_id: int, *, by: Actor) -> None:
    """A rejected barcode is tried now, with fresh patience."""
    with atomic():
        push.try_again(listing_id, by=by)
        wake(TOPIC)
