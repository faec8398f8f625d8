"""What a package still needs: a table."""

from __future__ import annotations

from collections import Counter

import pytest

from portal.marketplace import rules
from portal.marketplace.ports import PackageState as P
from portal.marketplace.rules import Part
from portal.marketplace.states import PACKAGE

TAPE, GLUE = 1, 2
LINES = [Part("a", TAPE, 3, "CREATED"), Part("b", TAPE, 2, "CREATED"), Part("c", GLUE, 4, "CREATED")]
ALL, NOTHING = {"a": 3, "b": 2, "c": 4}, {"a": 0, "b": 0, "c": 0}


@pytest.mark.parametrize(
    ("state", "superseded", "passed_on", "waits", "due"),
    [
        (P.AWAITING, False, {}, False, ALL),
        (P.CREATED, False, {}, False, ALL),
        (P.DELIVERED, False, {}, False, ALL),
        (P.CANCELLED, False, {}, False, NOTHING),
        (P.UNSUPPLIED, False, {}, True, NOTHING),
        (P.RETURNED, False, {}, False, NOTHING),
        (P.UNKNOWN, False, {}, False, None),
        (P.UNPACKED, False, {}, True, ALL),
        (P.UNPACKED, False, {}, False, NOTHING),
        (P.UNPACKED, True, {TAPE: 4}, True, {"a": 0, "b": 1, "c": 4}),
        (P.UNPACKED, True, {TAPE: 5, GLUE: 4}, True, NOTHING),
        (P.UNPACKED, True, {TAPE: 9}, True, {"a": 0, "b": 0, "c": 4}),
        # A successor is known before the end of its origin is.
        (P.CREATED, True, {TAPE: 4}, False, {"a": 0, "b": 1, "c": 4}),
        (P.CREATED, False, {TAPE: 4}, False, ALL),
    ],
)
def test_what_each_line_still_needs(
    state: P, superseded: bool, passed_on: dict[int, int], waits: bool, due: dict[str, int] | None
) -> None:
    assert rules.still_due(state, LINES, superseded=superseded, passed_on=passed_on, waits=waits) == due


@pytest.mark.parametrize("word", ["CANCELLED", "UNSUPPLIED", "RETURNED"])
def test_a_line_that_is_over_needs_nothing(word: str) -> None:
    lines = [LINES[0]._replace(state=word), *LINES[1:]]
    due = rules.still_due(P.CREATED, lines, superseded=False, passed_on={}, waits=False)
    assert due == {"a": 0, "b": 2, "c": 4}


def test_what_left_and_is_not_due_any_more_comes_back_less_what_successors_have() -> None:
    assert rules.to_come_back({TAPE: 5, GLUE: 4}, {TAPE: 2}, {GLUE: 1}) == Counter({TAPE: 3, GLUE: 3})
    assert rules.to_come_back({TAPE: 5}, {TAPE: 5}, {}) == Counter()
    assert rules.to_come_back({TAPE: 5}, {}, {TAPE: 5}) == Counter()


def test_goods_are_handed_down_line_by_line_and_never_more_than_there_are() -> None:
    assert rules.hand_down(LINES, {TAPE: 4, GLUE: 9}) == {"a": 3, "b": 1, "c": 4}
    assert rules.hand_down(LINES, {}) == {"a": 0, "b": 0, "c": 0}
    assert rules.hand_down(LINES, {TAPE: -2}) == {"a": 0, "b": 0, "c": 0}


def test_no_state_has_a_way_back() -> None:
    for state in P:
        for later in PACKAGE.moves[state]:
            assert not PACKAGE.allows(later, state), f"{state} and {later} follow one another"


def test_only_what_came_back_or_was_cancelled_ends_for_good() -> None:
    assert {state for state in P if not PACKAGE.moves[state]} == {P.CANCELLED, P.RETURNED}
