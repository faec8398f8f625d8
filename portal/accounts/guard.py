"""The door of every route: who may come in. A route without a door does not start."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

from flask import Flask, g, request
from flask_login import LoginManager, current_user

from portal.accounts import queries, roles, tokens
from portal.accounts.models import Person
from portal.accounts.roles import Permission
from portal.core.actor import Actor
from portal.core.api import from_a_machine
from portal.core.errors import NotAllowed, NotSignedIn

V = TypeVar("V", bound=Callable[..., Any])


class Door(NamedTuple):
    """What a route asks of the one who comes: any of these permissions, just a name, or nothing (and why)."""

    permissions: tuple[Permission, ...]
    signed_in: bool
    open_because: str = ""


def requires(*permissions: Permission) -> Callable[[V], V]:
    """Only for people with one of these permissions."""
    return _guarded(Door(permissions, signed_in=True))


def signed_in(view: V) -> V:
    """For everybody with a name."""
    return _guarded(Door((), signed_in=True))(view)


def open_to_the_world(because: str) -> Callable[[V], V]:
    """For strangers too; the reason is part of the code."""
    return _guarded(Door((), signed_in=False, open_because=because))


def _guarded(door: Door) -> Callable[[V], V]:
    def wrap(view: V) -> V:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if door.signed_in:
                person = current_person()
                if door.permissions and not any(roles.may(person.role, p) for p in door.permissions):
                    raise NotAllowed
            return view(*args, **kwargs)

        guarded.door = door  # type: ignore[attr-defined]
        return cast("V", guarded)

    return wrap


def current_person() -> Person:
    """Who is asking; refuses strangers."""
    if not current_user.is_authenticated:
        raise NotSignedIn
    return cast("Person", current_user._get_current_object())


def somebody() -> Person | None:
    """Who is asking, if we know."""
    return current_person() if current_user and current_user.is_authenticated else None


def current_actor() -> Actor:
    """Who is asking, as history will name them."""
    person = current_person()
    return Actor(person.full_name, person.id)


def may(permission: Permission) -> bool:
    """Whether the one who asks has the permission; for showing or hiding, never instead of a door."""
    person = somebody()
    return person is not None and roles.may(person.role, permission)


def init(app: Flask) -> None:
    """Browsers are known by their session, API clients by their bearer token; never one for the other."""
    manager = LoginManager()
    manager.session_protection = None  # the session is a row with a random name: nothing to compare
    manager.init_app(app)
    manager.user_loader(_person_of_session)
    manager.request_loader(_person_of_bearer)


def check_doors(app: Flask) -> None:
    """Every route has a door, or the app does not start."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        assert rule.endpoint == "static" or hasattr(view, "door"), f"{rule} has no door"


def is_api() -> bool:
    """Whether a machine is asking."""
    return from_a_machine()


def _person_of_session(person_id: str) -> Person | None:
    return None if is_api() else queries.active_person(int(person_id))


def _person_of_bearer(_request: object) -> Person | None:
    if not is_api():
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    known = tokens.decode(token.strip()) if scheme.lower() == "bearer" else None
    if known is None:
        return None
    g.token_id = known[1]
    return queries.person_of_token(*known)
