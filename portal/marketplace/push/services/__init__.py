"""What is done about stock on storefronts. Nobody else writes these tables.

Locks: whoever changes listings of others' choosing holds the storefront's `hold_listings`; a claim takes only what
nobody holds (SKIP LOCKED) and waits for nothing, so that nobody waits in a circle.
"""

from portal.marketplace.push.services.asking import Question, learn_beliefs, next_question
from portal.marketplace.push.services.forgetting import forget_old
from portal.marketplace.push.services.listings import compare, note_wanted, offer, try_again
from portal.marketplace.push.services.results import Poll, learn_result, next_poll
from portal.marketplace.push.services.sending import Claimed, claim, note_answer
from portal.marketplace.push.services.turns import Turn, begin, end, push_now

__all__ = [
    "Claimed",
    "Poll",
    "Question",
    "Turn",
    "begin",
    "claim",
    "compare",
    "end",
    "forget_old",
    "learn_beliefs",
    "learn_result",
    "next_poll",
    "next_question",
    "note_answer",
    "note_wanted",
    "offer",
    "push_now",
    "try_again",
]
