"""What every act of two people keeps: who made it, what exactly, who checked it, and what they were shown."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column


class TwoPeople:
    """Maker and checker. A machine's work has a maker's name and no maker's account; it is checked by one person.

    That second accounts, stand-ins and earners do not check is a trigger (`two_people_have_looked`), because
    it takes more than one row to know.
    """

    maker: Mapped[str]
    maker_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime]
    # The fingerprint of what was made; a check is bound to it.
    digest: Mapped[str]
    checker: Mapped[str] = mapped_column(server_default="")
    checker_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    checked_at: Mapped[datetime | None]
    checked_digest: Mapped[str | None]
    # Filled where somebody with the right to do so checked their own work, and said why.
    override_because: Mapped[str] = mapped_column(server_default=text("''"))


def two_people(checked_states: str) -> tuple[CheckConstraint, ...]:
    """The rules of two people as constraints; `checked_states` are SQL literals."""
    return (
        CheckConstraint(
            "checker_person_id <> maker_person_id OR override_because <> ''", name="the_checker_is_somebody_else"
        ),
        CheckConstraint("checked_digest = digest", name="what_was_checked_is_what_was_made"),
        CheckConstraint(
            f"(state IN ({checked_states})) = (checker_person_id IS NOT NULL AND checked_at IS NOT NULL"
            " AND checked_digest IS NOT NULL)",
            name="checked_says_by_whom_and_what",
        ),
        CheckConstraint("override_because = '' OR checker_person_id IS NOT NULL", name="only_a_check_is_overridden"),
    )
