"""What is stored in PostgreSQL."""

import psycopg

_SIZES = "SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_stat_user_tables"


async def bytes_in(server: str) -> int:
    """Bytes of all tables, with what belongs to them."""
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
        cursor = await connection.execute(_SIZES)
        row = await cursor.fetchone()
        return int(row[0]) if row else 0
