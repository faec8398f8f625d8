"""The machinery, for machines: the five checks as JSON, and figures for Prometheus."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, request

from portal.accounts.guard import may, open_to_the_world
from portal.accounts.roles import Permission
from portal.core.api import answers, reply
from portal.core.errors import NotSignedIn
from portal.health import checks, metrics
from portal.health.books import ask_the_books
from portal.schedules import queries as schedules

bp = Blueprint("health", __name__)


class CheckAnswer(msgspec.Struct):
    """One of the five checks: ok, degraded or down, in words, with its figures."""

    status: str
    words: str
    facts: dict[str, Any]


class JobAnswer(msgspec.Struct):
    """A schedule's heartbeat; `trouble` is empty, off, late or failed."""

    last_success_at: datetime | None
    trouble: str


class ProviderAnswer(msgspec.Struct):
    """A provider's last answer and its silences within the hour."""

    outcome: str
    at: datetime
    silent_in_an_hour: int
    calls_in_an_hour: int


class HealthAnswer(msgspec.Struct):
    """The whole machinery. `books` are questions that did not come back empty, with the number of their rows."""

    status: str
    checks: dict[str, CheckAnswer]
    jobs: dict[str, JobAnswer]
    providers: dict[str, ProviderAnswer]
    books: dict[str, int] | None


@bp.get("/api/admin/health")
@open_to_the_world(
    "needs the cron secret or a bearer who may see health; without a database only the secret can be checked"
)
@answers(
    200,
    HealthAnswer,
    summary="The five checks (X-Cron-Secret, or a bearer who may see health; ?books=1 asks the books)",
)
def health() -> Response:
    """200 when well or degraded, 503 when the portal cannot do its work."""
    _only_for_operators()
    found = checks.look()
    alive = found.checks[0].status != checks.DOWN
    answer = HealthAnswer(
        status=found.status,
        checks={check.name: CheckAnswer(check.status, check.words, check.facts) for check in found.checks},
        jobs=checks.if_readable(_jobs, {}) if alive else {},
        providers=checks.if_readable(_providers, {}) if alive else {},
        books={t.question: len(t.rows) for t in ask_the_books()}
        if alive and request.args.get("books") == "1"
        else None,
    )
    return reply(answer, 503 if found.status == checks.DOWN else 200)


@bp.get("/api/admin/metrics")
@open_to_the_world("needs the cron secret, as Prometheus has no name")
def prometheus() -> Response:
    """Gauges in Prometheus' text format, reckoned at every scrape."""
    _only_for_operators()
    text, media_type = metrics.exposition()
    return Response(text, content_type=media_type)


def _jobs() -> dict[str, JobAnswer]:
    return {beat.name: JobAnswer(beat.last_success_at, beat.trouble) for beat in schedules.heartbeats()}


def _providers() -> dict[str, ProviderAnswer]:
    return {p.provider: ProviderAnswer(p.outcome, p.at, p.silent, p.calls) for p in checks.providers()}


def _only_for_operators() -> None:
    given = request.headers.get("X-Cron-Secret", "")
    if hmac.compare_digest(given.encode(), current_app.config["CRON_SECRET"].encode()):
        return
    if not may(Permission.HEALTH_SEE):
        raise NotSignedIn
