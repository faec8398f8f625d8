"""Logo's tables copied to SAP HANA, read through SAP's driver."""
