"""Tokens for machines (spec, issue 1): POST /api/v2/token/."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from flask_babel import lazy_gettext as _l

from portal.accounts import services
from portal.accounts.guard import current_person, open_to_the_world, signed_in
from portal.core.api import answers, reply
from portal.core.limits import limited
from portal.core.unit_of_work import atomic

bp = Blueprint("accounts_api", __name__, url_prefix="/api/v2")


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who wants a token."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Token(msgspec.Struct):
    """A bearer token; `expires_in` in seconds."""

    access_token: str
    token_type: str
    expires_in: int


class Me(msgspec.Struct):
    """Who the bearer is."""

    id: int
    full_name: str
    email: str
    role: str
    organisation_id: int
    organisation: str


@bp.post("/token/")
@open_to_the_world("this is where strangers become known")
@limited("60/minute")
@answers(200, Token, body=SignIn, summary="Get a bearer token")
def token(body: SignIn) -> Response:
    """E-mail and password for a token."""
    with atomic():
        person = services.check_sign_in(body.email, body.password, ip=request.remote_addr or "")
        issued = services.issue_token(person) if person else None
    if issued is None:
        raise services.WrongSignIn(_l("E-mail or password is wrong."))
    return reply(Token(issued[0], "Bearer", issued[1]))


@bp.get("/me")
@signed_in
@answers(200, Me, summary="Who am I")
def me() -> Response:
    """The bearer of the token."""
    person = current_person()
    return reply(
        Me(person.id, person.full_name, person.email, person.role, person.organisation_id, person.organisation_name)
    )
