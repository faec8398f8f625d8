"""What the ERPs' document kinds are called: Logo's module and kind ("4/38"), SAP's transaction type ("13") (facts: ERP)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

OTHER = _l("Other")
_CASH_IN, _CASH_OUT = _l("Cash received"), _l("Cash paid")
_BANK_INVOICE, _DOWN_PAYMENT = _l("Bank service invoice"), _l("Down payment")

LOGO: dict[str, Any] = {
    # Invoices.
    "4/31": _l("Purchase invoice"), "4/32": _l("Retail sales return"), "4/33": _l("Wholesale return"),
    "4/34": _l("Service bought"), "4/35": _l("Proforma invoice"), "4/36": _l("Purchase return"), "4/37": _l("Retail sale"),
    "4/38": _l("Wholesale invoice"), "4/39": _l("Service sold"), "4/40": _l("Proforma invoice"),
    "4/41": _l("Late charge issued"), "4/42": _l("Late charge received"), "4/43": _l("Price difference received"),
    "4/44": _l("Price difference issued"), "4/56": _l("Producer receipt"),
    # Slips of the current account.
    "5/1": _CASH_IN, "5/2": _CASH_OUT, "5/3": _l("Debit note"), "5/4": _l("Credit note"), "5/5": _l("Transfer between accounts"),
    "5/6": _l("Exchange difference"), "5/12": _l("Special slip"), "5/14": _l("Opening entry"), "5/24": _l("Currency purchase"),
    "5/25": _l("Currency sale"), "5/45": _l("Self-employed receipt issued"), "5/46": _l("Self-employed receipt received"),
    "5/70": _l("Card payment received"), "5/71": _l("Card payment refunded"), "5/72": _l("Company card payment"),
    "5/73": _l("Company card refund"),
    # Cheques and notes, bank, cash.
    "6/61": _l("Cheque received"), "6/62": _l("Promissory note received"), "6/63": _l("Cheque given"),
    "6/64": _l("Promissory note given"), "61/3": _l("Cheque returned"), "7/20": _l("Incoming bank transfer"),
    "7/21": _l("Outgoing bank transfer"), "7/28": _BANK_INVOICE, "7/29": _BANK_INVOICE, "10/1": _CASH_IN, "10/2": _CASH_OUT,
}  # fmt: skip
SAP: dict[str, Any] = {
    "13": _l("Sales invoice"), "14": _l("Sales credit note"), "18": _l("Purchase invoice"), "19": _l("Purchase credit note"),
    "24": _l("Incoming payment"), "46": _l("Outgoing payment"), "25": _l("Deposit"), "30": _l("Manual journal entry"),
    "203": _DOWN_PAYMENT, "204": _DOWN_PAYMENT, "321": _l("Internal reconciliation"), "-2": _l("Opening entry"),
    "-3": _l("Closing entry"),
}  # fmt: skip
NAMES = {**LOGO, **SAP}


def name_of(kind: str) -> str:
    """In the reader's language; a kind we have no name for is "other", and its code stands beside it."""
    return str(NAMES.get(kind, OTHER))
