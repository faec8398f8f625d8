"""A second look: their list is compared with what we keep. What is missing is kept, and the finding is a row."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import current_app

from portal.core.database import Json
from portal.core.i18n import noted
from portal.core.ports import port
from portal.core.unit_of_work import atomic
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import services as marketplace
from portal.marketplace.ports import StorefrontPackage, Storefronts
from portal.marketplace.states import Checked
from portal.workflows.marketplace_reading import Ends, NotRead, Pause, learn_all, pages

GAP_CHECK = noted("gap check")
READ_AGAIN_AT_MOST = 200


def check(storefront: str, *, pause: Pause = time.sleep) -> Checked | None:
    """Compare what they list for the last days with what we keep, and keep what is missing.

    Only up to the mark: what changed after it is the next pull's. Nothing when there is no mark yet. Packages of ours
    that they no longer list there have probably changed meanwhile: they are read again. An unfinished comparison is
    written down too, and raises `NotRead`.
    """
    with atomic():
        until = marketplace.read_until(storefront)
    if until is None:
        return None
    since = until - timedelta(days=current_app.config["STOREFRONT_GAP_DAYS"])
    comparison = _Comparison(storefront, since, until)
    try:
        comparison.read(pause)
    except NotRead as why:
        comparison.note(finished=False, why=str(why))
        raise
    return comparison.note(finished=True)


class _Comparison:
    """What they list in a span, and what of it we did not have."""

    def __init__(self, storefront: str, since: datetime, until: datetime) -> None:
        self.storefront, self.since, self.until = storefront, since, until
        self.listed: set[str] = set()
        self.gaps: dict[str, str] = {}

    def read(self, pause: Pause) -> None:
        """Page by page; ended packages last, as in a pull."""
        door = port(Storefronts).by_code[self.storefront].listed_packages
        ends, began_at = Ends(), None
        for page, asked_at in pages(door, self.since, self.until, pause):
            began_at = began_at or asked_at
            missing = ends.keep_back(self._missing(page.packages))
            learn_all(self.storefront, missing, heard_by=GAP_CHECK, asked_at=asked_at)
        if began_at is not None:
            learn_all(self.storefront, ends.packages.values(), heard_by=GAP_CHECK, asked_at=began_at)

    def _missing(self, told: Sequence[StorefrontPackage]) -> list[StorefrontPackage]:
        """Those we should have by now and do not, or only in an older version."""
        due = [package for package in told if self.since <= package.changed_at <= self.until]
        self.listed |= {package.package_key for package in told}
        with atomic():
            ours = marketplace.known_by(self.storefront, [package.package_key for package in due])
        missing = [one for one in due if one.package_key not in ours or ours[one.package_key] < one.changed_at]
        for package in missing:
            self.gaps.setdefault(package.package_key, "old" if package.package_key in ours else "missing")
        return missing

    def note(self, *, finished: bool, why: str = "") -> Checked:
        """The finding, and what is to be read again."""
        gaps: list[Json] = [{"key": key, "gap": gap} for key, gap in sorted(self.gaps.items())]
        with atomic():
            if finished:
                self._doubt_what_is_not_listed()
            return marketplace.note_gap_check(
                self.storefront,
                from_at=self.since,
                until_at=self.until,
                listed=len(self.listed),
                kept=len(self.listed) - len(gaps),
                gaps=gaps,
                finished=finished,
                note=why,
            )

    def _doubt_what_is_not_listed(self) -> None:
        ours = marketplace_queries.changed_between(self.storefront, self.since, self.until)
        for key in sorted(ours.keys() - self.listed)[:READ_AGAIN_AT_MOST]:
            marketplace.read_again(marketplace_queries.package(ours[key]))
