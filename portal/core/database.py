"""The one database: PostgreSQL, reached through SQLAlchemy."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Date, DateTime, Engine, Identity, MetaData, Text, event, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry

# Constraint names are what the log says at three in the morning: they follow one scheme and read as sentences.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Json = dict[str, Any]
PrimaryKey = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]


class Table(DeclarativeBase):
    """What every table shares: whole numbers are BIGINT, instants carry a zone, documents are JSONB."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            int: BigInteger,
            str: Text,
            datetime: DateTime(timezone=True),
            date: Date,
            Json: JSONB,
            list[Json]: JSONB,
        },
    )


db = SQLAlchemy(
    model_class=Table,
    engine_options={"pool_pre_ping": False},
    session_options={"expire_on_commit": False},
)

if TYPE_CHECKING:

    class Model(Table):
        """For the type checker only: Flask-SQLAlchemy makes the real one at run time."""

        __abstract__ = True

else:
    Model = db.Model


# Longer than anything we do in one transaction: the replay of all stock may take ten minutes.
LONGEST_TRANSACTION = "15min"
KNOWS_TRANSACTION_TIMEOUT = 170_000  # PostgreSQL 17


def bound_transactions(engine: Engine) -> None:
    """Bound every transaction, whatever its process does. Who freezes in the middle of a pipeline is neither idle nor
    runs a statement: no other limit lets go of what he has locked."""

    @event.listens_for(engine, "connect")
    def _bound(connection: Any, _record: Any) -> None:
        if connection.info.server_version >= KNOWS_TRANSACTION_TIMEOUT:
            connection.execute(f"SET transaction_timeout = '{LONGEST_TRANSACTION}'")
            connection.commit()


def let_go() -> None:
    """Roll back whatever is open; a connection the database has cut cannot even do that, and is thrown away."""
    try:
        db.session.rollback()
    except OperationalError:
        db.session().invalidate()


# The database's own clock: leases and arrivals must not depend on which machine's clock is wrong.
DB_NOW = func.clock_timestamp()


def recorded_now() -> Any:
    """A column filled with the database's instant when the row is written."""
    return mapped_column(DateTime(timezone=True), server_default=DB_NOW)
