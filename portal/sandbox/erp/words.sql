-- Functions and catalogues that HANA and SQL Server have and PostgreSQL has under other names, or not at all.
CREATE SCHEMA erp_words;
CREATE FUNCTION erp_words.year(timestamp) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT extract(year FROM $1)::int';
CREATE FUNCTION erp_words.month(timestamp) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT extract(month FROM $1)::int';
CREATE FUNCTION erp_words.add_days(timestamp, int) RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT $1 + $2 * interval ''1 day''';
CREATE SCHEMA "SYS";
CREATE VIEW "SYS"."TABLE_COLUMNS" AS
    SELECT table_schema::text AS "SCHEMA_NAME", table_name::text AS "TABLE_NAME", column_name::text AS "COLUMN_NAME",
           upper(data_type) AS "DATA_TYPE_NAME"
    FROM information_schema.columns;
CREATE VIEW "SYS"."VIEW_COLUMNS" AS
    SELECT ''::text AS "SCHEMA_NAME", ''::text AS "VIEW_NAME", ''::text AS "COLUMN_NAME" WHERE false;
CREATE SCHEMA sys;
CREATE VIEW sys.databases AS
    SELECT datname::text AS name, 1::smallint AS snapshot_isolation_state, 0::smallint AS is_read_committed_snapshot_on FROM pg_database;
-- Whole ledgers are grouped here: in memory, not on disk.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''128MB''', current_database()); END $$;
