"""The API's own description, and machines that try everything it allows."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks

from tests import story
from tests.cast import Cast, api
from tests.world import SandboxControl


def test_the_description_names_the_contract(app: Flask) -> None:
    document = app.test_client().get("/api/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    assert {
        "/api/v2/token/", "/api/network/orders", "/api/network/orders/{order_id}/confirm-delivery",
        "/api/cron/payout-reconciliation",
    } <= document["paths"].keys()  # fmt: skip
    key = [p for p in document["paths"]["/api/network/orders"]["post"]["parameters"] if p["in"] == "header"]
    assert key[0]["name"] == "Idempotency-Key"


@pytest.mark.parametrize("name", ["fatma", "deniz", "ayse"])
def test_no_input_the_description_allows_or_forbids_breaks_the_portal(
    app: Flask, cast: Cast, sandbox: SandboxControl, name: str
) -> None:
    story.shipped(story.paid(app, cast, sandbox)[0], cast)
    token = api(app, getattr(cast, name)).token
    app.config["RATELIMIT_ENABLED"] = False
    from portal.core.limits import limiter

    limiter.enabled = False
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    tried = 0
    try:
        for found in schema.get_all_operations():
            operation = found.ok()  # type: ignore[union-attr]

            @settings(
                max_examples=25, deadline=None, database=None, derandomize=True,
                phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @schemathesis_given(operation)  # type: ignore[untyped-decorator]
            def attack(case: Any) -> None:
                nonlocal tried
                tried += 1
                response = case.call(headers={"Authorization": f"Bearer {token}"})
                case.validate_response(
                    response, checks=[checks.not_a_server_error, checks.status_code_conformance,
                                      checks.content_type_conformance, checks.response_schema_conformance],
                )  # fmt: skip

            attack()
    finally:
        limiter.enabled = True
    assert tried > 100


def schemathesis_given(operation: Any) -> Any:
    """Cases as the description allows them, and as it forbids them."""
    from hypothesis import given, strategies

    positive = operation.as_strategy()
    negative = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    return given(case=strategies.one_of(positive, negative))
