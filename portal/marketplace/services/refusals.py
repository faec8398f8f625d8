"""What the marketplace's services refuse."""

from __future__ import annotations

from portal.core.errors import Refusal


class NotToBePacked(Refusal):
    """The package was cancelled, split, or is not paid yet: nothing may leave a shelf for it."""

    code = "not_to_be_packed"


class NotYetPacked(Refusal):
    """An invoice belongs to a package that was packed."""

    code = "not_yet_packed"


class AlreadySplit(Refusal):
    """The package was already split or cut, another way."""

    code = "already_split"
