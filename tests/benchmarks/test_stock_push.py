"""The measurements themselves work: a small run, without a word about speed."""

from __future__ import annotations

from tests.benchmarks.stock_push import Size, measure


def test_the_measurements_run_and_their_answers_agree() -> None:
    """Inside, available by the portal is compared with the sum of the open lines, and what changed with what is due."""
    rows = measure(Size(barcodes=400, lines=200, rounds=1, paced_calls=0))
    assert len(rows) == 8
    assert all(row.seconds > 0 for row in rows)
