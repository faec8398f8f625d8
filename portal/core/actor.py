"""Who did it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A person, or a machine with a name; `person_id` is None for machines."""

    name: str
    person_id: int | None = None


SYSTEM = Actor("Emanet")
