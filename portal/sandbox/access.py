"""Where the sandbox's carriers, offices and ERP are reached, and the words that open them: as the portal's settings."""

from __future__ import annotations

from portal.sandbox.carriers import who
from portal.sandbox.erp import who as erp
from portal.sandbox.nilvera.api import API_KEY


def environment(sandbox_url: str) -> dict[str, str]:
    """Names and values as the environment wants them."""
    return {
        "YURTICI_BASE_URL": f"{sandbox_url}/yurtici",
        "YURTICI_USER": who.YURTICI_USER,
        "YURTICI_PASSWORD": who.YURTICI_PASSWORD,
        "ARAS_ORDER_URL": f"{sandbox_url}/aras/arascargoservice.asmx",
        "ARAS_QUERY_URL": f"{sandbox_url}/aras/ArasCargoIntegrationService.svc",
        "ARAS_USER": who.ARAS_USER,
        "ARAS_PASSWORD": who.ARAS_PASSWORD,
        "ARAS_CUSTOMER_CODE": who.ARAS_CUSTOMER_CODE,
        "MOCK_CARRIER_BASE_URL": f"{sandbox_url}/mock",
        "MOCK_CARRIER_TOKEN": who.MOCK_TOKEN,
        "MOCK_CARRIER_WEBHOOK_SECRET": who.MOCK_WEBHOOK_SECRET,
        "NILVERA_BASE_URL": f"{sandbox_url}/nilvera",
        "NILVERA_API_KEY": API_KEY,
    }


def ledger(hana_port: int) -> dict[str, str]:
    """The demo company's ledger: Logo's tables on HANA for both sides, SAP Business One beside it for suppliers."""
    return {
        "CUSTOMER_LEDGERS": "logo_hana",
        "SUPPLIER_LEDGERS": "logo_hana,sapb1_hana",
        "HANA_HOST": "127.0.0.1",
        "HANA_PORT": str(hana_port),
        "HANA_USER": erp.USER,
        "HANA_PASSWORD": erp.PASSWORD,
        "HANA_ENCRYPT": "off",  # it never leaves this machine
        "LOGO_HANA_SCHEMA": erp.LOGO_SCHEMA,
        "LOGO_PERIODS": erp.PERIODS,
        "SAP_SCHEMA": erp.SAP_SCHEMA,
    }
