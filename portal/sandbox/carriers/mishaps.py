"""What goes wrong on request, the same way for every carrier."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from portal.sandbox.faults import hang
from portal.sandbox.world import World


def served(
    world: World,
    provider: str,
    operation: str,
    *,
    act: Callable[[], Response],
    refuse: Callable[[], Response],
) -> Response:
    """Before or after the effect: that is the whole difference, and the caller cannot see it."""
    fault = world.faults.take(provider, operation)
    if fault is None:
        return act()
    match fault.mode:
        case "refuse":
            return refuse()
        case "error_500":
            return Response("oops", status=500)
        case "timeout_before_effect":
            hang(fault.seconds)
            return Response(status=504)
    answer = act()
    match fault.mode:
        case "slow" | "timeout_after_effect":
            hang(fault.seconds)
        case "error_500_after_effect":
            return Response("oops", status=500)
        case "malformed":
            whole = answer.get_data()
            return Response(whole[: len(whole) // 2], mimetype=answer.mimetype)
    return answer
