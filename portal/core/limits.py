"""Rate limits, counted in Redis; where Redis is deaf, each process counts for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

V = TypeVar("V", bound=Callable[..., Any])

limiter = Limiter(
    key_func=get_remote_address,
    in_memory_fallback_enabled=True,
    in_memory_fallback=["120/minute"],
    headers_enabled=True,
    strategy="fixed-window",
    key_prefix="emanet-fixed-window",
)


def init(app: Flask, redis_url: str) -> None:
    """A deaf Redis may cost a fifth of a second, not five."""
    app.config.update(
        RATELIMIT_STORAGE_URI=redis_url,
        RATELIMIT_STORAGE_OPTIONS={"socket_timeout": 0.2, "socket_connect_timeout": 0.2},
    )
    limiter.init_app(app)


def limited(limit: str, *, by: str | None = None) -> Callable[[V], V]:
    """At most so many a minute from one address; with `by`, also for one thing named in the URL (an order's id)."""

    def of_the_thing() -> str:
        return f"{get_remote_address()}:{(request.view_args or {}).get(by or '')}"

    def wrap(view: V) -> V:
        return cast("V", limiter.limit(limit, key_func=of_the_thing if by else get_remote_address)(view))

    return wrap
