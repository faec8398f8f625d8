"""A company's ledger as Logo and SAP Business One keep it, behind counters that speak HANA's and SQL Server's protocols."""

from portal.sandbox.erp.counter import ErpCounter, ErpSettings
from portal.sandbox.erp.ledger import Size
from portal.sandbox.world import ISTANBUL, World

__all__ = ["ErpCounter", "ErpSettings", "Size", "start"]


def start(world: World) -> ErpCounter:
    """Open the counters for the demo company. Its ledger is made meanwhile, and again when a new month has begun."""
    settings, today = world.settings, world.now().astimezone(ISTANBUL).date()
    accounts = settings.erp_accounts
    size = Size(accounts=accounts, suppliers=max(1, accounts * 3 // 20), lines=accounts * 24, today=today)
    return ErpCounter(ErpSettings(settings.erp_server, hana_port=settings.hana_port or 0, size=size), world.faults)
