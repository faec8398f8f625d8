"""A worker makes reports: claim and commit, make without holding anything, write down under a fence."""

from __future__ import annotations

from loguru import logger

from portal.core.unit_of_work import atomic
from portal.reports import services


def make_next() -> bool:
    """Make one report; False when none waits."""
    with atomic():
        task = services.claim()
    if task is None:
        return False
    try:
        with atomic():
            made = services.made(task)
        with atomic():
            kept = services.note_built(task, made)
    except Exception as trouble:
        # Whatever it was, somebody waits for this report: it is tried again, and in the end people are told.
        logger.exception("report {} of run {} failed", task.report.code, task.run_id)
        with atomic():
            kept = services.note_trouble(task, trouble)
    if not kept:
        logger.warning("report run {}: another maker was faster", task.run_id)
    return True
