"""Whatever happens to an order, in whatever order: no kuruş is lost, none is let go that was not accepted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test
from loguru import logger

from portal.outbox import services as outbox
from portal.settings import Settings
from tests.cast import Cast
from tests.workflows.machine import EverythingThatCanHappen, Stage

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("all that can happen"), pytest.mark.timeout(1200)]

RUNS, STEPS = 300, 50
ALL_THAT_CAN_HAPPEN = settings(
    max_examples=int(__import__("os").environ.get("R", RUNS)),
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=False,
    print_blob=True,
    database=None,
    phases=(Phase.generate, Phase.shrink) if __import__("os").environ.get("S") else (Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
# Enough to notice, and no shrinking: what goes wrong is known.
A_FEW = settings(ALL_THAT_CAN_HAPPEN, max_examples=60, phases=(Phase.generate,), verbosity=Verbosity.quiet)


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


def play(stage: Stage, how: settings) -> None:
    """Run after run."""
    run_state_machine_as_test(lambda: EverythingThatCanHappen(stage), settings=how)


def test_every_kurus_is_somewhere_whatever_happens(stage: Stage) -> None:
    play(stage, ALL_THAT_CAN_HAPPEN)
    print(stage.runs, stage.steps, sorted(stage.lens.items()))
    print("\n".join(f"{n:30} {t:8.2f}" for n, t in stage.times.most_common()))
    for what, times in sorted(stage.happened.items()):
        print(times, what)
