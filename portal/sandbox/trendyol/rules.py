"""Who sells, what Trendyol says no to, and the switches a test pulls."""

from __future__ import annotations

from typing import Any

from portal.sandbox.world import World

SELLER_ID = "1001"
API_KEY = "sandbox-trendyol-key"
API_SECRET = "sandbox-trendyol-secret"  # noqa: S105 (of a provider that is played)
WEBHOOK_USER = "trendyol"
WEBHOOK_PASSWORD = "sandbox-trendyol-webhook"  # noqa: S105 (of a provider that is played)

SWITCHES: dict[str, Any] = {
    "limits": True,  # 50 requests in 10 seconds per endpoint
    "page_cap": 10_000,  # packages one query window can reach
    "most_rows": 200,  # rows on a page at most, whatever size was asked for
    "throttle_every": 0,  # every n-th call is one too many, besides the limits
    "repeat_pages": 0,  # so many packages of a page come again on the next one
    "move_packages": 0,  # so many times, a package of the window changes after a page was given
    "reject_every": 0,  # every n-th item of a batch fails
    "lose_batch_results": False,
    "batch_questions": 1,  # questions until a batch is finished
    "split_pulls": 1,  # pulls until the packages of a split are there
    "old_names": False,  # package and line fields as they were called before December 2025
    "read_size": 100,  # read-back rows a page at most
    "webhook_envelope": True,  # the order pull's envelope, or the package alone
}


class Refused(Exception):
    """Trendyol says no: HTTP status, key and words."""

    def __init__(self, status: int, key: str, words: str) -> None:
        super().__init__(words)
        self.status, self.key = status, key

    def body(self) -> dict[str, Any]:
        """In their usual shape; wrong credentials have one of their own."""
        if self.status == 401:
            return {"exception": self.key, "message": str(self)}
        return {"errors": [{"key": self.key, "message": str(self), "errorCode": str(self.status)}]}


def bad_request(words: str) -> Refused:
    """What they say to most mistakes."""
    return Refused(400, "bad.request", words)


def rule(world: World, name: str) -> Any:
    """How a switch stands."""
    row = world.store.get("trendyol_rule", name)
    return row["value"] if row else SWITCHES[name]


def pull(world: World, name: str, value: Any) -> None:
    """Set a switch."""
    if name not in SWITCHES:
        raise KeyError(f"no switch {name}; there are {', '.join(SWITCHES)}")
    world.store.put("trendyol_rule", name, {"value": type(SWITCHES[name])(value)})


def now_ms(world: World) -> int:
    """Their instant, as they write it."""
    return int(world.now().timestamp() * 1000)
