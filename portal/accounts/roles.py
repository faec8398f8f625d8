"""Who may do what. Seeing and acting are separate permissions."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l


class Role(StrEnum):
    """The parts people play; one each."""

    BUYER = "buyer"
    SELLER = "seller"
    PACKER = "packer"
    FINANCE = "finance"
    BROKER = "broker"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a part may see or do."""

    ORDER_PLACE = "order_place"
    ORDER_SEE_OWN = "order_see_own"
    ORDER_CANCEL_OWN = "order_cancel_own"
    PAYMENT_MAKE = "payment_make"
    DELIVERY_CONFIRM = "delivery_confirm"
    SALE_SEE_OWN = "sale_see_own"
    SHIPMENT_PREPARE = "shipment_prepare"
    SHIPMENT_DELIVER = "shipment_deliver"
    BALANCE_SEE_OWN = "balance_see_own"
    PACKING_SEE = "packing_see"
    SHIPMENT_PACK = "shipment_pack"
    MONEY_SEE = "money_see"
    PAYOUT_SEE = "payout_see"
    LEDGER_SEE = "ledger_see"
    REFUND_ASK = "refund_ask"
    RECONCILE = "reconcile"
    INBOX_SEE = "inbox_see"
    INBOX_ACT = "inbox_act"
    OUTBOX_SEE = "outbox_see"
    OUTBOX_ACT = "outbox_act"
    AUDIT_SEE = "audit_see"
    HEALTH_SEE = "health_see"
    LABEL_PRINT = "label_print"
    PARCEL_SEE = "parcel_see"
    PARCEL_ACT = "parcel_act"
    DISPUTE_SEE = "dispute_see"
    DISPUTE_TALK = "dispute_talk"
    DISPUTE_SETTLE = "dispute_settle"
    SCHEDULE_SEE = "schedule_see"
    SCHEDULE_ACT = "schedule_act"
    REPORT_SEE = "report_see"
    REPORT_SEE_OWN = "report_see_own"
    MAIL_SEE = "mail_see"
    MAIL_ACT = "mail_act"
    LOG_SEE = "log_see"
    MEDIA_SEE = "media_see"
    PRIVACY_SEE = "privacy_see"
    PRIVACY_ACT = "privacy_act"


_WATCHING = frozenset(
    {
        Permission.MONEY_SEE,
        Permission.PAYOUT_SEE,
        Permission.LEDGER_SEE,
        Permission.INBOX_SEE,
        Permission.OUTBOX_SEE,
        Permission.AUDIT_SEE,
        Permission.HEALTH_SEE,
        Permission.PARCEL_SEE,
        Permission.DISPUTE_SEE,
        Permission.SCHEDULE_SEE,
        Permission.REPORT_SEE,
        Permission.MAIL_SEE,
        Permission.MEDIA_SEE,
    }
)
_ARGUING = frozenset({Permission.DISPUTE_SEE, Permission.DISPUTE_TALK, Permission.DISPUTE_SETTLE})

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.BUYER: frozenset(
        {
            Permission.ORDER_PLACE,
            Permission.ORDER_SEE_OWN,
            Permission.ORDER_CANCEL_OWN,
            Permission.PAYMENT_MAKE,
            Permission.DELIVERY_CONFIRM,
        }
    )
    | _ARGUING,
    Role.SELLER: frozenset(
        {
            Permission.SALE_SEE_OWN,
            Permission.SHIPMENT_PREPARE,
            Permission.SHIPMENT_DELIVER,
            Permission.BALANCE_SEE_OWN,
            Permission.LABEL_PRINT,
            Permission.REPORT_SEE_OWN,
            Permission.MEDIA_SEE,
        }
    )
    | _ARGUING,
    Role.PACKER: frozenset(
        {Permission.PACKING_SEE, Permission.SHIPMENT_PACK, Permission.LABEL_PRINT, Permission.MEDIA_SEE}
    ),
    Role.FINANCE: _WATCHING
    | _ARGUING
    | {
        Permission.REFUND_ASK,
        Permission.RECONCILE,
        Permission.INBOX_ACT,
        Permission.OUTBOX_ACT,
        Permission.PARCEL_ACT,
        Permission.SCHEDULE_ACT,
        Permission.MAIL_ACT,
    },
    Role.BROKER: _WATCHING,
    Role.ADMIN: _WATCHING
    | {
        Permission.INBOX_ACT,
        Permission.OUTBOX_ACT,
        Permission.PARCEL_ACT,
        Permission.SCHEDULE_ACT,
        Permission.MAIL_ACT,
        Permission.LOG_SEE,
        Permission.PRIVACY_SEE,
        Permission.PRIVACY_ACT,
    },
}

# Which kind of organisation a part belongs to; the table's CHECK says the same.
ORGANISATION_KIND = {
    Role.BUYER: "BUYER",
    Role.SELLER: "SELLER",
    Role.PACKER: "PLATFORM",
    Role.FINANCE: "PLATFORM",
    Role.BROKER: "PLATFORM",
    Role.ADMIN: "PLATFORM",
}

ROLE_NAMES: dict[Role, Any] = {
    Role.BUYER: _l("Buyer"),
    Role.SELLER: _l("Seller"),
    Role.PACKER: _l("Packer"),
    Role.FINANCE: _l("Finance"),
    Role.BROKER: _l("Broker"),
    Role.ADMIN: _l("Administrator"),
}


def may(role: str, permission: Permission) -> bool:
    """Whether the part includes the permission."""
    return permission in ROLE_PERMISSIONS[Role(role)]
