"""Organisations, people, and the ways they are signed in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.roles import Role
from portal.core.database import Json, Model, PrimaryKey, recorded_now

_PLATFORM_ROLES = "'packer', 'finance', 'broker', 'admin'"


class Organisation(Model):
    """A company: a buyer, a seller, or the platform itself. What belongs to one is invisible to the others."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("kind IN ('BUYER', 'SELLER', 'PLATFORM')", name="kind_known"),
        CheckConstraint("tax_number ~ '^[0-9]{10,11}$'", name="tax_number_is_vkn_or_tckn"),
        CheckConstraint("iban = '' OR iban ~ '^TR[0-9]{24}$'", name="iban_is_turkish"),
        CheckConstraint("postal_code ~ '^([0-9]{5})?$'", name="postal_code_is_five_digits"),
        UniqueConstraint("id", "kind", name="kind_can_be_pointed_at"),
    )

    id: Mapped[PrimaryKey]
    kind: Mapped[str]
    name: Mapped[str]
    legal_title: Mapped[str]
    tax_office: Mapped[str]
    tax_number: Mapped[str]
    iban: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str]
    phone: Mapped[str]
    address: Mapped[str]
    district: Mapped[str] = mapped_column(server_default="")
    city: Mapped[str]
    postal_code: Mapped[str] = mapped_column(server_default="")
    # The payment provider's name for a seller; without it nobody can pay him.
    provider_seller_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = recorded_now()


class Person(Model):
    """Somebody who signs in. One part each, in one organisation of the fitting kind."""

    __tablename__ = "person"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "organisation_kind"], ["organisation.id", "organisation.kind"], name="works_there"
        ),
        CheckConstraint("email = lower(email) AND email LIKE '%_@_%'", name="email_is_lower_case"),
        CheckConstraint(f"role IN ({', '.join(repr(r.value) for r in Role)})", name="role_known"),
        CheckConstraint(
            "(role = 'buyer' AND organisation_kind = 'BUYER') OR (role = 'seller' AND organisation_kind = 'SELLER')"
            f" OR (role IN ({_PLATFORM_ROLES}) AND organisation_kind = 'PLATFORM')",
            name="role_fits_organisation",
        ),
        CheckConstraint("language IN ('tr', 'en')", name="language_known"),
        CheckConstraint("theme IN ('system', 'light', 'dark')", name="theme_known"),
    )

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int]
    organisation_kind: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    language: Mapped[str] = mapped_column(server_default="tr")
    theme: Mapped[str] = mapped_column(server_default="system")
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = recorded_now()

    organisation: Mapped[Organisation] = relationship(lazy="raise_on_sql")

    @property
    def organisation_name(self) -> str:
        """The company's name, for the page's head."""
        return self.organisation.name

    # What flask-login asks of a person.
    @property
    def is_authenticated(self) -> bool:
        """Somebody we know."""
        return True

    @property
    def is_anonymous(self) -> bool:
        """Never: strangers are no Person."""
        return False

    def get_id(self) -> str:
        """The name under which the session remembers a person."""
        return str(self.id)


class WebSession(Model):
    """A browser that is signed in. Only the hash of its secret is kept; deleting the row signs it out."""

    __tablename__ = "web_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    data: Mapped[Json]
    ip: Mapped[str] = mapped_column(server_default="")
    agent: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = recorded_now()
    last_seen_at: Mapped[datetime] = recorded_now()
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiToken(Model):
    """A bearer token that was given out; checked at every request, so that it can be taken back."""

    __tablename__ = "api_token"

    jti: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    issued_at: Mapped[datetime] = recorded_now()
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SignInAttempt(Model):
    """A failed try to sign in. Counted here, because Redis may be away when somebody is guessing."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index(None, "email", "at"), Index(None, "ip", "at"))

    id: Mapped[PrimaryKey]
    email: Mapped[str]
    ip: Mapped[str]
    at: Mapped[datetime] = recorded_now()
