"""Ratios against a floor measured in the same run: machines differ, ratios say more than times.

Run by `make bench`; `python -m tests.benchmarks aging packing` measures these alone. It never fails by the clock.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.benchmarks import aging, commission, ground, packing, stock_push
from tests.benchmarks.house import prepared, show_micros


def of_the_ground() -> None:
    """An INSERT, a message, an entry, a page."""
    with prepared() as (app, url):
        show_micros(ground.rows(app, url))


def of_packing() -> None:
    """A packer's confirmation."""
    with prepared() as (app, url):
        show_micros(packing.rows(app, url))


def of_aging() -> None:
    """The ERP's accounts."""
    with prepared() as (app, url):
        aging.measure(app, url)


def of_stock() -> None:
    """What storefronts are told."""
    stock_push.show(stock_push.measure(stock_push.Size.from_env()))


PARTS: dict[str, Callable[[], None]] = {
    "ground": of_the_ground,
    "packing": of_packing,
    "stock": of_stock,
    "commission": commission.main,
    "aging": of_aging,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        print(f"\n{name}", flush=True)
        PARTS[name]()
