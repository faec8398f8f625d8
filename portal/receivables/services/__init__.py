"""What people and jobs do with the ERP's accounts: ask for a reading, stage it, doubt it, show it."""

from portal.receivables.services.fetches import (
    LEASE_SECONDS,
    TOPIC,
    AnotherReading,
    Claim,
    LostTheReading,
    ask,
    claim,
    claim_asked,
    finish,
    give_up,
    hold,
    look_anyway,
    put_away_old_readings,
)
from portal.receivables.services.renewal import ReadTheWhole, Renewal, base_of, changed_since, fold_in
from portal.receivables.services.staging import Staging, stage_open_items

__all__ = [
    "LEASE_SECONDS",
    "TOPIC",
    "AnotherReading",
    "Claim",
    "LostTheReading",
    "ReadTheWhole",
    "Renewal",
    "Staging",
    "ask",
    "base_of",
    "changed_since",
    "claim",
    "claim_asked",
    "finish",
    "fold_in",
    "give_up",
    "hold",
    "look_anyway",
    "put_away_old_readings",
    "stage_open_items",
]
