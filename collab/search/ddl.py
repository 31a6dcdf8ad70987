"""The engines' own indices over ``search_entry``: made and dropped by the migrations, kept in step by triggers.

Triggers, because then a row cannot be in the table and not in the index, whoever writes it.
"""

from typing import Any

import sqlalchemy as sa

_SQLITE = (
    # Words are already separated and folded: the plainest tokenizer splits at the spaces and does nothing else.
    """CREATE VIRTUAL TABLE search_fts USING fts5(
        words, marks, content='search_entry', content_rowid='id', tokenize='ascii', columnsize=0
    )""",
    # All longer words there are. A typed beginning is looked up here: FTS5 itself would first collect every row
    # of every word that begins so, newest or not.
    "CREATE TABLE search_word (word TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
    """CREATE TRIGGER search_entry_insert AFTER INSERT ON search_entry BEGIN
        INSERT INTO search_fts (rowid, words, marks) VALUES (new.id, new.words, new.marks);
        INSERT INTO search_word
            SELECT value FROM json_each('["' || replace(new.words, ' ', '","') || '"]') WHERE length(value) > 3
            ON CONFLICT DO NOTHING;
    END""",
    """CREATE TRIGGER search_entry_delete AFTER DELETE ON search_entry BEGIN
        INSERT INTO search_fts (search_fts, rowid, words, marks) VALUES ('delete', old.id, old.words, old.marks);
        DELETE FROM search_word WHERE word IN (
            SELECT value FROM json_each('["' || replace(old.words, ' ', '","') || '"]') WHERE length(value) > 3
        ) AND NOT EXISTS (SELECT 1 FROM search_fts WHERE search_fts MATCH 'words : "' || search_word.word || '"');
    END""",
    """CREATE TRIGGER search_entry_update AFTER UPDATE OF words, marks ON search_entry BEGIN
        INSERT INTO search_fts (search_fts, rowid, words, marks) VALUES ('delete', old.id, old.words, old.marks);
        INSERT INTO search_fts (rowid, words, marks) VALUES (new.id, new.words, new.marks);
        INSERT INTO search_word
            SELECT value FROM json_each('["' || replace(new.words, ' ', '","') || '"]') WHERE length(value) > 3
            ON CONFLICT DO NOTHING;
        DELETE FROM search_word WHERE word IN (
            SELECT value FROM json_each('["' || replace(old.words, ' ', '","') || '"]') WHERE length(value) > 3
        ) AND NOT EXISTS (SELECT 1 FROM search_fts WHERE search_fts MATCH 'words : "' || search_word.word || '"');
    END""",
)
_SQLITE_DOWN = (
    "DROP TRIGGER search_entry_update",
    "DROP TRIGGER search_entry_delete",
    "DROP TRIGGER search_entry_insert",
    "DROP TABLE search_word",
    "DROP TABLE search_fts",
)

_POSTGRESQL = (
    # A table of its own, so that the model is the same on both databases.
    """CREATE TABLE search_vector (
        entry_id bigint CONSTRAINT pk_search_vector PRIMARY KEY
            CONSTRAINT fk_search_vector_entry_id REFERENCES search_entry (id) ON DELETE CASCADE,
        department_id integer NOT NULL,
        vector tsvector NOT NULL
    )""",
    # fastupdate keeps a list that every search must read through; an inquiry may take a moment longer instead.
    "CREATE INDEX ix_search_vector_vector ON search_vector USING gin (vector) WITH (fastupdate = off)",
    # The planner must tell common words from rare ones: it keeps the frequencies of 5,000.
    "ALTER TABLE search_vector ALTER vector SET STATISTICS 500",
    # The vector is spelled out, not parsed: PostgreSQL's parser would cut words differently in each locale.
    """CREATE FUNCTION search_entry_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO search_vector (entry_id, department_id, vector)
        SELECT NEW.id, NEW.department_id, coalesce(string_agg(lexeme, ' '), '')::tsvector FROM (
            SELECT '''' || word || ''':' || position AS lexeme
                FROM regexp_split_to_table(NEW.words, ' ') WITH ORDINALITY AS split (word, position) WHERE word <> ''
            UNION ALL
            SELECT '''~' || mark || '''' FROM regexp_split_to_table(NEW.marks, ' ') AS mark WHERE mark !~ '^§'
        ) AS lexemes
        ON CONFLICT (entry_id) DO UPDATE SET department_id = excluded.department_id, vector = excluded.vector;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER search_entry_changed AFTER INSERT OR UPDATE ON search_entry
        FOR EACH ROW EXECUTE FUNCTION search_entry_changed()""",
)
_POSTGRESQL_DOWN = (
    "DROP TRIGGER search_entry_changed ON search_entry",
    "DROP FUNCTION search_entry_changed()",
    "DROP TABLE search_vector",
)

_OURS = ("search_fts", "search_word", "search_vector")


def upgrade(connection: sa.Connection) -> None:
    """Make the engine's index; the table ``search_entry`` is there. In a migration: ``upgrade(op.get_bind())``."""
    _run(connection, _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL)


def downgrade(connection: sa.Connection) -> None:
    """Drop the engine's index; ``search_entry`` is dropped after it."""
    _run(connection, _SQLITE_DOWN if connection.dialect.name == "sqlite" else _POSTGRESQL_DOWN)


def include_name(name: str | None, type_: str, _parents: Any = None) -> bool:
    """For Alembic's ``include_name``: the engines' tables are not the models' business."""
    return not (type_ == "table" and name is not None and name.startswith(_OURS))


def _run(connection: sa.Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
