"""When storefronts are asked: by the timetable, by hand, and when a hint or an act of ours makes us expect news."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from loguru import logger

from portal.core.ports import known
from portal.core.unit_of_work import atomic
from portal.marketplace import services as marketplace
from portal.marketplace.ports import Storefronts
from portal.workflows import marketplace_ears, marketplace_gaps, marketplace_pull
from portal.workflows.marketplace_reading import NotRead, Pause, read_next

AGAIN = timedelta(minutes=1)


def ask_everybody() -> int:
    """Every storefront is to be read now; the workers read. Answers how many there are."""
    return _everybody(marketplace.pull_soon)


def compare_everybody() -> int:
    """Every storefront's list is to be compared with what we keep. Answers how many there are."""
    return _everybody(marketplace.check_soon)


def _everybody(due: Callable[[str], None]) -> int:
    codes = sorted(known(Storefronts).by_code)
    with atomic():
        for code in codes:
            due(code)
    return len(codes)


def next_step(pause: Pause = time.sleep) -> bool:
    """Read what is due: a storefront, or a package somebody doubts; False when nothing is."""
    with atomic():
        claimed = marketplace.claim_due()
    if claimed is None:
        return read_next()
    again = None
    if claimed.storefront in known(Storefronts).by_code:
        try:
            if claimed.what == "pull_due_at":
                marketplace_pull.pull(claimed.storefront, pause=pause)
            else:
                marketplace_ears.keep_listening(claimed.storefront)
                marketplace_gaps.check(claimed.storefront, pause=pause)
        except NotRead as why:
            logger.warning("{}: {}", claimed.storefront, why)
            again = AGAIN
    with atomic():
        marketplace.done(claimed, again=again)
    return True
