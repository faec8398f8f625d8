"""JSON in, JSON out, and the OpenAPI document made from the same declarations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from flask import Flask, Response, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from portal.core.errors import BadInput

V = TypeVar("V", bound=Callable[..., Any])
BIGGEST_ID = 2**63 - 1
ERRORS = (400, 401, 403, 404, 405, 409, 411, 413, 415, 422, 429, 503)


class Spec(NamedTuple):
    """What an API route says about itself."""

    status: int
    answer: type
    body: type | None
    body_optional: bool
    summary: str
    idempotent: bool
    query: Mapping[str, dict[str, Any]] = {}  # parameter → its schema
    media: str = "application/json"


class ApiError(msgspec.Struct):
    """What went wrong: a stable code, words for a person, and the fields concerned."""

    error: str
    message: str
    request_id: str
    fields: dict[str, str] | None = None


def answers(
    status: int,
    answer: type,
    *,
    body: type | None = None,
    body_optional: bool = False,
    summary: str,
    idempotent: bool = False,
    query: Mapping[str, dict[str, Any]] | None = None,
    media: str = "application/json",
) -> Callable[[V], V]:
    """Declare an API route: its body is decoded strictly and handed in as `body`."""
    spec = Spec(status, answer, body, body_optional, summary, idempotent, query or {}, media)

    def wrap(view: V) -> V:
        @wraps(view)
        def decoded(*args: Any, **kwargs: Any) -> Any:
            if spec.body is not None:
                kwargs["body"] = _decode(spec)
            return view(*args, **kwargs)

        vars(decoded)["spec"] = spec
        return cast("V", decoded)

    return wrap


def reply(answer: Any, status: int = 200) -> Response:
    """An answer as JSON."""
    return Response(msgspec.json.encode(answer), status=status, mimetype="application/json")


def _decode(spec: Spec) -> Any:
    assert spec.body is not None
    raw = request.get_data()
    if not raw and spec.body_optional:
        raw = b"{}"
    elif request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        decoded: Any = msgspec.json.decode(raw, type=spec.body)
    except msgspec.ValidationError as wrong:
        raise BadInput(fields=_field(str(wrong))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest from None
    if _has_nul(msgspec.to_builtins(decoded)):
        raise BadInput(_("A text contains a character that cannot be used."))
    return decoded


def _field(problem: str) -> dict[str, str]:
    """msgspec says 'Expected `int`, got `str` - at `$.lines[0].quantity`'."""
    words, _separator, place = problem.partition(" - at `$")
    return {place.rstrip("`").lstrip(".") or "body": words}


def _has_nul(value: Any) -> bool:
    """PostgreSQL's text cannot hold NUL, nor halves of characters."""
    if isinstance(value, str):
        return "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, dict):
        return any(_has_nul(v) for v in value.values())
    return isinstance(value, list) and any(_has_nul(v) for v in value)


# OpenAPI ----------------------------------------------------------------------------------------------------

_PARAMETERS = {
    "int": {"type": "integer", "minimum": 1, "maximum": BIGGEST_ID},
    "uuid": {"type": "string", "format": "uuid"},
    "default": {"type": "string"},
}


def openapi(app: Flask) -> dict[str, Any]:
    """The document for machines, from the routes as they are."""
    specs = {
        (rule.rule, method): (rule, cast("Any", app.view_functions[rule.endpoint]))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if hasattr(app.view_functions[rule.endpoint], "spec")
    }
    types = {ApiError} | {
        kind for _rule, view in specs.values() for kind in (view.spec.answer, view.spec.body) if kind is not None
    }
    ordered = sorted(types, key=lambda kind: kind.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    refs = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), (rule, view) in specs.items():
        paths.setdefault(_braces(path), {})[method.lower()] = _operation(rule, method, view, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Emanet", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _braces(path: str) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", path)


def _operation(rule: Any, method: str, view: Any, refs: dict[type, Any]) -> dict[str, Any]:
    spec: Spec = view.spec
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _PARAMETERS[kind or "default"]}
        for kind, name in re.findall(r"<(?:([a-z]+):)?([a-z_]+)>", rule.rule)
    ]
    if spec.idempotent:
        key = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in spec.query.items()]
    problem = {"content": {"application/json": {"schema": refs[ApiError]}}}
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}_{rule.endpoint.replace('.', '_')}",
        "summary": spec.summary,
        "parameters": parameters,
        "responses": {
            str(spec.status): {
                "description": "Done",
                "content": {spec.media: {"schema": refs[spec.answer]}},
            },
            **{str(code): {"description": "See the message", **problem} for code in ERRORS},
        },
        "security": [{"bearer": []}] if view.door.signed_in else [],
    }
    if spec.body is not None and method != "GET":
        operation["requestBody"] = {
            "required": not spec.body_optional,
            "content": {"application/json": {"schema": refs[spec.body]}},
        }
    return operation
