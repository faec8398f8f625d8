"""SAP Business One's journal on HANA, read through SAP's driver. Only read: objects of ours in its schema are not allowed."""
