"""Alembic's environment: one database, one metadata, views left alone."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app

config = context.config
db = current_app.extensions["migrate"].db


def include_object(thing: Any, _name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Views are made by hand in the migrations; autogenerate must not take them for tables."""
    return not (kind == "table" and thing.info.get("is_view"))


with db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadatas[None],
        include_object=include_object,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
