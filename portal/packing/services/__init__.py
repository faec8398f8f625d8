"""What is done with packing tasks. Nobody else writes their tables."""

from portal.packing.services.scanning import LONGEST_BARCODE, Answer, Heard, Known, ScanIdUsed, hear
from portal.packing.services.tasks import (
    Goods,
    NoLongerPacked,
    NotComplete,
    Wanted,
    begin,
    close,
    drop,
    drop_source,
    hold,
    insist_complete,
    join,
    leave,
    open_parcel,
    short,
    weigh,
)

__all__ = [
    "LONGEST_BARCODE",
    "Answer",
    "Goods",
    "Heard",
    "Known",
    "NoLongerPacked",
    "NotComplete",
    "ScanIdUsed",
    "Wanted",
    "begin",
    "close",
    "drop",
    "drop_source",
    "hear",
    "hold",
    "insist_complete",
    "join",
    "leave",
    "open_parcel",
    "short",
    "weigh",
]
