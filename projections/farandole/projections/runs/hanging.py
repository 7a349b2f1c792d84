"""What others have hung on tables of PostgreSQL that are to be replaced: who may read them, and views.

The former tables go with all that is in their schema, so nothing of somebody else's may hang on them.
"""

from typing import Final

from sqlalchemy import Connection, text

from farandole.projections.sql import Database, DatabaseMisconfigured

_VIEWS: Final = text("""
    SELECT DISTINCT format('%I.%I', vn.nspname, v.relname)
    FROM pg_depend d
    JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace vn ON vn.oid = v.relnamespace
    JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
    JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = :schema AND v.oid <> t.oid
    ORDER BY 1
""")
_GRANTS: Final = text("""
    WITH granted AS (
        SELECT n.nspname, NULL::name AS of_table, NULL::name AS of_column, a.*
        FROM pg_namespace n, aclexplode(n.nspacl) a WHERE a.grantee <> n.nspowner
        UNION ALL
        SELECT n.nspname, c.relname, NULL, a.*
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
        WHERE c.relkind = 'r' AND a.grantee <> c.relowner
        UNION ALL
        SELECT n.nspname, c.relname, t.attname, a.*
        FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
            aclexplode(t.attacl) a
        WHERE c.relkind = 'r' AND NOT t.attisdropped AND a.grantee <> c.relowner
    )
    SELECT format(
        'GRANT %s%s ON %s TO %s%s', privilege_type, CASE WHEN of_column IS NULL THEN '' ELSE format(' (%I)', of_column) END,
        CASE WHEN of_table IS NULL THEN format('SCHEMA %I', CAST(:to AS text)) ELSE format('%I.%I', CAST(:to AS text), of_table) END,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
        CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    )
    FROM granted
    WHERE nspname = :schema AND (of_table IS NULL OR to_regclass(format('%I.%I', CAST(:to AS text), of_table)) IS NOT NULL)
""")


def refuse_hanging(database: Database, connection: Connection) -> None:
    """Go no further where views read the tables.

    Raises:
        DatabaseMisconfigured: some do; it names them.
    """
    if views := connection.execute(_VIEWS, {"schema": database.schema}).scalars().all():
        raise DatabaseMisconfigured(
            f"{', '.join(views)} would go with the tables in {database.url} that they read: drop what hangs on these tables, "
            "and make it again after the rebuild"
        )


def hand_on(connection: Connection, schema: str, to: str) -> None:
    """Let those who may use a schema, its tables and columns use those of another one."""
    for grant in connection.execute(_GRANTS, {"schema": schema, "to": to}).scalars().all():
        connection.exec_driver_sql(grant)
