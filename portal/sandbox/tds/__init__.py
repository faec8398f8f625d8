"""SQL Server, played: speaks TDS 7.4 to real drivers and answers from PostgreSQL. Reads only."""
