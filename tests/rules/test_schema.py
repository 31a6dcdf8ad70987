"""Models and migrations say the same, on both databases."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from collab.extensions import db
from collab.jobs import schema
from collab.search import ddl
from collab.settings import Settings
from tests.support.databases import Databases


def differences(metadata: sa.MetaData) -> list[Any]:
    """What a new migration would have to change."""
    with db.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": ddl.include_name}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_the_migrations_lead_to_the_models(app: Flask) -> None:
    assert differences(db.metadata) == []


def test_a_model_without_a_migration_is_found(app: Flask) -> None:
    metadata = sa.MetaData()
    for table in db.metadata.tables.values():
        table.to_metadata(metadata)
    metadata.tables["rate_count"].append_column(sa.Column("forgotten", sa.Integer))
    sa.Table("forgotten", metadata, sa.Column("id", sa.Integer, primary_key=True))
    assert [change[0] for change in differences(metadata)] == ["add_table", "add_column"]


@pytest.mark.one_database
def test_there_is_one_line_of_migrations(app: Flask) -> None:
    heads = ScriptDirectory(str(Path(app.root_path) / "migrations")).get_heads()
    assert len(heads) == 1


@pytest.mark.one_database
def test_what_the_files_state_is_what_alembic_reads(app: Flask) -> None:
    script = ScriptDirectory(str(schema.MIGRATIONS))
    assert schema._revisions() == (set(script.get_heads()), {one.revision for one in script.walk_revisions()})


@pytest.mark.one_database
def test_serving_loads_neither_alembic_nor_what_a_page_rarely_needs(app: Flask) -> None:
    """A process that starts loads some 1,000 modules already; these wait until somebody asks for them."""
    rare = (
        "alembic",
        "flask_migrate",
        "mako",
        "prometheus_client",
        "segno",
        "zxcvbn",
        "pypdf",
        "icalendar",
        "email_validator",
    )
    program = (
        "import sys; from collab.cli import serve; from collab.jobs import schema; import collab; "
        f"collab.create_app(); print([name for name in {rare} if name in sys.modules])"
    )
    settings: Settings = app.extensions["collab.settings"]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"COLLAB_INSTANCE": str(settings.instance), "PYTHONPATH": str(Path(app.root_path).parent)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.strip() == "[]"


def test_every_constraint_has_a_name(app: Flask) -> None:
    nameless = [
        f"{table.name}: {constraint}"
        for table in db.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name
    ]
    assert nameless == []


def test_up_down_and_up_again(database: Databases, tmp_path: Path) -> None:
    from collab import create_app

    url = database.empty()
    app = create_app(Settings(instance=tmp_path / "instance", database_url=url, log_level="warning"))
    schema.prepare(app)
    with app.app_context():
        flask_migrate.upgrade()
        made = set(sa.inspect(db.engine).get_table_names())
        db.engine.dispose()
        flask_migrate.downgrade(revision="base")
        left = set(sa.inspect(db.engine).get_table_names())
        db.engine.dispose()
        flask_migrate.upgrade()
        assert (set(sa.inspect(db.engine).get_table_names()), left) == (made, {"alembic_version"})
        assert differences(db.metadata) == []
        db.engine.dispose()
    database.forget(url)
