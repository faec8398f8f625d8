"""Wake-ups. PostgreSQL knows what is to be done; Redis only shortens the wait, and may forget everything."""

from __future__ import annotations

from typing import cast

import redis
from flask import Flask, current_app
from loguru import logger
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from portal.core.unit_of_work import after_commit

QUEUE = "wake"
# A pending wake-up hides further ones this long; longer than a fork, shorter than anybody's patience.
HIDE_SECONDS = 10


def connect(app: Flask, redis_url: str) -> None:
    """Give the app its line to Redis. Short time-outs: nobody waits for a wake-up call."""
    app.extensions["wake_redis"] = redis.Redis.from_url(redis_url, socket_timeout=0.5, socket_connect_timeout=0.5)
    app.extensions["worker_redis_url"] = redis_url


def wake(topic: str) -> None:
    """After the commit, tell a worker to look at its table. Losing or doubling this is harmless."""
    after_commit(lambda: knock(topic))


def knock(topic: str) -> None:
    """Ask for a drain now, unless one is already asked for."""
    line = cast("redis.Redis", current_app.extensions["wake_redis"])
    try:
        if line.set(f"emanet:wake:{topic}", "1", nx=True, ex=HIDE_SECONDS):
            queue = Queue(QUEUE, connection=line, serializer=JSONSerializer)
            queue.enqueue("jobs.drain.run", topic, result_ttl=0, failure_ttl=86400, job_timeout=600)
    except redis.RedisError as deaf:
        logger.warning("wake-up {} not sent: {}", topic, type(deaf).__name__)


def answered(topic: str) -> None:
    """The drain has begun: what arrives from now on needs a new knock."""
    try:
        cast("redis.Redis", current_app.extensions["wake_redis"]).delete(f"emanet:wake:{topic}")
    except redis.RedisError:
        logger.warning("wake-up {} not cleared", topic)


_workers: dict[str, Flask] = {}


def working_app() -> Flask:
    """The app of this worker: made once, before RQ forks, so that a job starts in milliseconds."""
    return _workers["app"]


def work(app: Flask) -> None:
    """Be the RQ worker: one queue, JSON only (a pickle in Redis would be code)."""
    _workers["app"] = app
    line = redis.Redis.from_url(app.extensions["worker_redis_url"])
    worker = Worker([QUEUE], connection=line, serializer=JSONSerializer, default_result_ttl=0)
    worker.work(logging_level="WARNING")


def redis_answers() -> bool:
    """Whether Redis says PONG."""
    try:
        return bool(cast("redis.Redis", current_app.extensions["wake_redis"]).ping())
    except redis.RedisError:
        return False
