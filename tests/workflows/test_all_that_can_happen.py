"""Whatever happens to an order, in whatever order: no kuruş is lost, none is let go that was not accepted."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from loguru import logger

from portal.core.ports import CallAnswer, Outcome
from portal.disputes.states import Resolution
from portal.escrow import lots
from portal.orders import services as orders
from portal.outbox import services as outbox
from portal.settings import Settings
from portal.workflows import provider_calls
from tests import story
from tests.cast import Cast
from tests.workflows.machine import STEPS, EverythingThatCanHappen, Mood, Stage

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("all that can happen"), pytest.mark.timeout(1200)]

# `make faults` plays 300 runs; `make test` a sample of them, so that it stays quick.
RUNS = int(os.environ.get("RUNS") or 20)
ALL = 300
# Two halves, so that two workers can share them: some two and a half minutes each.
HALVES = [
    pytest.param(half, marks=pytest.mark.xdist_group(f"all that can happen, {half} half"))
    for half in ("first", "second")
]
CHANCE = {"first": 1, "second": 2}
ALL_THAT_CAN_HAPPEN = settings(
    max_examples=RUNS // len(HALVES),
    stateful_step_count=STEPS + 1,
    deadline=None,
    derandomize=False,
    print_blob=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
SOME_MORE = settings(ALL_THAT_CAN_HAPPEN, max_examples=60)
# Enough to notice, and no shrinking: what goes wrong is known.
A_FEW = settings(SOME_MORE, phases=(Phase.generate,), verbosity=Verbosity.quiet)


@pytest.fixture
def stage(app: Flask, cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Quiet: thousands of log lines tell nobody anything."""
    # Which call is due must not depend on how fast this machine is: the machine itself says when patience is over.
    monkeypatch.setattr(outbox, "RETRY_SECONDS", (3600,))
    logger.disable("portal")
    found = Stage(app, cast, settings)
    yield found
    found.close()
    logger.enable("portal")


def play(stage: Stage, how: settings, *, chance: int = 0) -> None:
    """Run after run, the same every time: a green main must not depend on luck. `EXPLORE=1` leaves it to chance.

    `_min_steps`: Hypothesis would end most of its runs early; it mutates, and likes them short.
    """

    class OnThisStage(EverythingThatCanHappen):
        def __init__(self) -> None:
            super().__init__(stage)

    machine = OnThisStage if os.environ.get("EXPLORE") else seed(chance)(OnThisStage)
    run_state_machine_as_test(machine, settings=how, _min_steps=STEPS)


@pytest.mark.parametrize("half", HALVES)
def test_every_kurus_is_somewhere_whatever_happens(stage: Stage, half: str) -> None:
    play(stage, ALL_THAT_CAN_HAPPEN, chance=CHANCE[half])
    whole_runs = stage.whole_runs
    if RUNS >= ALL and idle(stage):  # chance has left something out; it gets another one
        play(stage, SOME_MORE, chance=CHANCE[half] + 10)
    print(f"{half}: {stage.runs} runs, {whole_runs} whole ones, {stage.steps} deeds:")
    print("\n".join(f"{times:6} {what}" for what, times in sorted(stage.happened.items())))
    assert whole_runs >= RUNS // len(HALVES)
    assert RUNS < ALL or idle(stage) == set()


def idle(stage: Stage) -> set[str]:
    """What should have been done and never was."""
    return DEEDS - {what.removesuffix(": done") for what in stage.happened}


DEEDS = {
    "paid", "prepare", "prepare again", "pack", "hand over", "send", "cancel parcel", "carrier says", "deliver",
    "give up", "withdraw", "confirm everything", "confirm a parcel", "answer line by line", "answer again",
    "answer otherwise: already_answered", "cancel order", "silence", "settle RELEASE", "settle REFUND",
    "settle REPLACEMENT", "offer", "escalate", "goods travel back", "price reduction", "calls", "reconcile",
    "somebody decides", "a sender died", "check commission",
}  # fmt: skip


def noticed(stage: Stage, what: str) -> None:
    """The machine stumbles over it, and says what is wrong."""
    with pytest.raises(AssertionError, match=what):
        play(stage, A_FEW)


def test_one_lot_too_many_is_noticed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = lots.plan

    def generous(line: lots.LineMoney) -> lots.Plan:
        plan = honest(line)
        touched = {*plan.releases, *(part.hold_id for part in plan.refunds)}
        return plan._replace(releases=plan.releases + [p.hold_id for p in line.free if p.hold_id not in touched][:1])

    monkeypatch.setattr(lots, "plan", generous)
    noticed(stage, "let go too much")


def test_a_refund_nobody_counts_is_noticed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "settle_refunded", lambda line_id, quantity: None)
    noticed(stage, "refunded")


def test_a_release_nobody_asked_for_is_noticed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our books say released, and the provider was never asked."""
    silent = provider_calls.OPERATIONS["approve_item"]._replace(call=lambda intent: CallAnswer(Outcome.DONE))
    monkeypatch.setitem(provider_calls.OPERATIONS, "approve_item", silent)
    noticed(stage, "the provider says otherwise")


# A choice that is taken literally: the first row in a likely state.
FIRST = 1


def test_an_order_whose_money_is_all_back_comes_to_an_end(stage: Stage) -> None:
    """Found by the machine's author: it stayed PAID, could be shipped, and then hung in DISPUTED for ever."""
    told = EverythingThatCanHappen(stage)
    told.first_basket({story.TAPE: 1}, many=1)
    told.price_reduction(FIRST, "all")
    told.calls_are_made([], 12, backwards=False)
    assert told.some("orders")[0]["state"] == "REFUNDED"
    told.everybody_answers()


def test_an_order_whose_last_money_goes_back_while_it_is_shipped_comes_to_an_end(stage: Stage) -> None:
    told = EverythingThatCanHappen(stage)
    told.first_basket({story.TAPE: 1}, many=1)
    told.price_reduction(FIRST, "all")
    told.send_and_be_answered(FIRST, 1, broken=1, missing=0)
    told.calls_are_made([Mood.NOT_REACHED], 12, backwards=False)
    told.finance_decides(0, Resolution.REFUND, goods=False)
    told.everybody_answers()
    assert told.some("orders")[0]["state"] == "REFUNDED"


def test_a_refused_reduction_holds_nothing_up(stage: Stage) -> None:
    """Both holds are busy when the first piece is accepted; then the provider refuses both reductions."""
    told = EverythingThatCanHappen(stage)
    told.first_basket({story.TAPE: 2}, many=1)
    told.price_reduction(FIRST, "half")
    told.price_reduction(FIRST, "half")
    told.send(FIRST, 1, arrives=True)
    told.confirm_everything(FIRST)
    told.calls_are_made([Mood.REFUSED] * 8, 12, backwards=False)
    told.everybody_answers()
    assert sorted(hold["state"] for hold in told.some("holds")) == ["HELD", "RELEASED"]


def test_goods_called_back_twice_are_called_back_once(stage: Stage) -> None:
    """Found by the machine: the second call crashed on the return parcel's unique key."""
    told = EverythingThatCanHappen(stage)
    told.first_basket({story.TAPE: 1}, many=1)
    told.send_and_be_answered(FIRST, 1, broken=1, missing=0)
    told.finance_decides(8, Resolution.REFUND, goods=True)
    told.finance_decides(8, Resolution.REFUND, goods=True)
    assert stage.happened["settle REFUND: wrong_moment"] == 1
    assert [parcel["direction"] for parcel in told.some("parcels")] == ["OUT", "RETURN"]
    told.everybody_answers()
