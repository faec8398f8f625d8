SELECT D.snapshot_isolation_state, D.is_read_committed_snapshot_on FROM sys.databases D WHERE D.name = DB_NAME()
