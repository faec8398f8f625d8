"""Figures for Prometheus, reckoned when it asks: they live in the database, so every web process says the same."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from portal.core import troubles
from portal.health import checks
from portal.inbox import queries as inbox
from portal.mail import queries as mail
from portal.outbox import queries as outbox
from portal.schedules import queries as schedules
from portal.schedules.services import database_now

LEVELS = {checks.OK: 2, checks.DEGRADED: 1, checks.DOWN: 0}


def exposition() -> tuple[bytes, str]:
    """The text and its media type."""
    registry = CollectorRegistry()
    found = checks.look()
    _fill(
        registry, "emanet_check", "2 ok, 1 degraded, 0 down", "check", {c.name: LEVELS[c.status] for c in found.checks}
    )
    if found.checks[0].status != checks.DOWN:
        _from_the_database(registry)
        facts = {check.name: check.facts for check in found.checks}
        _one(
            registry,
            "emanet_inbox_oldest_seconds",
            "Oldest unhandled message",
            facts["queues"].get("oldest_unhandled_seconds", 0),
        )
        _one(
            registry,
            "emanet_money_waited_minutes",
            "Working minutes money has been due",
            facts["money"].get("waited_minutes", 0),
        )
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _from_the_database(registry: CollectorRegistry) -> None:
    now = database_now()
    _fill(registry, "emanet_inbox_messages", "Messages by state", "state", inbox.counts())
    _fill(registry, "emanet_outbox_calls", "Calls by state", "state", outbox.counts())
    _fill(registry, "emanet_letters", "Letters by state", "state", mail.counts())
    _fill(registry, "emanet_errors_24h", "Errors of the last day by module", "module", troubles.counts())
    _one(registry, "emanet_outbox_needs_person", "Calls that wait for a person", outbox.waiting_for_a_person())
    beats = schedules.heartbeats()
    ages = {b.name: (now - b.last_success_at).total_seconds() for b in beats if b.last_success_at}
    _fill(registry, "emanet_schedule_success_age_seconds", "Since the schedule last ended well", "schedule", ages)
    troubled = {b.name: float(b.trouble in ("late", "failed")) for b in beats}
    _fill(registry, "emanet_schedule_in_trouble", "1: late or failed", "schedule", troubled)
    silent = {p.provider: p.silent for p in checks.providers()}
    _fill(registry, "emanet_provider_silences_1h", "Calls without an answer within the hour", "provider", silent)


def _fill(
    registry: CollectorRegistry, name: str, help_: str, label: str, values: dict[str, int] | dict[str, float]
) -> None:
    gauge = Gauge(name, help_, [label], registry=registry)
    for value, figure in values.items():
        gauge.labels(value).set(figure)


def _one(registry: CollectorRegistry, name: str, help_: str, value: float) -> None:
    Gauge(name, help_, registry=registry).set(value)
