"""Alembic's environment: our application's engine and metadata, batch mode on SQLite, one transaction a migration."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from flask import current_app

from collab.core.columns import UtcDateTime
from collab.search import ddl

migrate = current_app.extensions["migrate"]
engine: sa.Engine = migrate.db.engine


def plain(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Write our own column types as what they are in the database, so that a migration never changes with the code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def run() -> None:
    """Run the migrations on a connection of the application."""
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=migrate.db.metadata,
            render_as_batch=True,
            compare_type=True,
            compare_server_default=True,
            include_name=ddl.include_name,
            render_item=plain,
            transaction_per_migration=True,
        )
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            connection.commit()
        with context.begin_transaction():
            context.run_migrations()


run()
