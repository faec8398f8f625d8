"""What is done with storefronts' packages. Nobody else writes their tables.

Locks: whoever changes a package holds its order first (`hold_order`), and only then items of the stock. The other way
round two units could wait for each other.
"""

from portal.marketplace.services.listening import (
    Due,
    check_soon,
    claim_due,
    database_now,
    done,
    note_ear,
    note_gap_check,
    note_pull,
    pull_soon,
    read_until,
    tried_and_failed,
)
from portal.marketplace.services.packages import (
    Kept,
    claim_to_read,
    forget_customers,
    heard,
    hold_order,
    hold_package,
    keep,
    known_by,
    label_printed,
    look_at,
    move,
    read_again,
    was_read,
)
from portal.marketplace.services.refusals import AlreadySplit, NotToBePacked, NotYetPacked
from portal.marketplace.services.returns import (
    came_back,
    expect_back,
    expected_of,
    held_return,
    not_coming,
    received_for,
    still_expected_for,
)

__all__ = [
    "AlreadySplit",
    "Due",
    "Kept",
    "NotToBePacked",
    "NotYetPacked",
    "came_back",
    "check_soon",
    "claim_due",
    "claim_to_read",
    "database_now",
    "done",
    "expect_back",
    "expected_of",
    "forget_customers",
    "heard",
    "held_return",
    "hold_order",
    "hold_package",
    "keep",
    "known_by",
    "label_printed",
    "look_at",
    "move",
    "not_coming",
    "note_ear",
    "note_gap_check",
    "note_pull",
    "pull_soon",
    "read_again",
    "read_until",
    "received_for",
    "still_expected_for",
    "tried_and_failed",
    "was_read",
]
