"""Logo's own database on Microsoft SQL Server, read through ODBC: Microsoft's driver or FreeTDS."""
