"""What the tests of the accounts share."""

from __future__ import annotations

CODE = "120.40.0000123"
CUSTOMERS, SUPPLIERS = "/api/v2/logocustomercollection", "/api/v2/logosupplierpayment"
