"""What a decision rested on, and who took which part in it.

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
REFUSED = "One person takes one part in an inquiry: host, reviewer or head."
SEALED = "What a decision rested on is not changed."

# Name, event, table, what it is about: person, part and moment. The first three take a part, or are refused.
TAKES = (
    ("part_of_opinion", "INSERT", "opinion", "NEW.user_id", "'reviewer'", "NEW.at", "1 = 1"),
    ("part_of_decision", "INSERT", "decision", "NEW.by_id", "'head'", "NEW.at", "1 = 1"),
    (
        "part_of_host_asked", "INSERT", "assignment", "NEW.user_id", "NEW.kind", "NEW.answered_at",
        "NEW.kind = 'host' AND NEW.answered_at IS NOT NULL",
    ),
    (
        "part_of_host", "UPDATE OF answered_at", "assignment", "NEW.user_id", "NEW.kind", "NEW.answered_at",
        "NEW.kind = 'host' AND NEW.answered_at IS NOT NULL",
    ),
)  # fmt: skip
# Whoever took one part is not asked for another.
REFUSES = (
    ("part_asked", "INSERT", "NEW.released_at IS NULL"),
    ("part_asked_again", "UPDATE OF released_at", "NEW.released_at IS NULL"),
)


def upgrade() -> None:
    op.add_column("decision", sa.Column("deviation", sa.Text(), nullable=True))
    op.create_table(
        "decision_record",
        sa.Column("decision_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("reviews", JSON, nullable=True),
        sa.Column("points", sa.Float(), nullable=True),
        sa.Column("content_digest", sa.String(64), nullable=False),
        sa.Column("reviews_digest", sa.String(64), nullable=True),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_decision_record_decision_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision_record")),
    )
    op.create_table(
        "part",
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "host", "reviewer", "head", name="part_kind", native_enum=False, create_constraint=True, length=16
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_part_inquiry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_part_user_id")),
        sa.PrimaryKeyConstraint("inquiry_id", "user_id", name=op.f("pk_part")),
    )
    op.create_index("ix_part_person", "part", ["user_id"])
    for person, part, moment, table, where in (
        ("by_id", "'head'", "min(at)", "decision", "1 = 1"),
        ("user_id", "'reviewer'", "min(at)", "opinion", "1 = 1"),
        ("user_id", "'host'", "min(answered_at)", "assignment", "kind = 'host' AND answered_at IS NOT NULL"),
    ):
        op.execute(
            f"INSERT INTO part (inquiry_id, user_id, kind, at) SELECT inquiry_id, {person}, {part}, {moment} "
            f"FROM {table} WHERE {where} GROUP BY inquiry_id, {person} ON CONFLICT DO NOTHING"
        )
    if op.get_bind().dialect.name == "postgresql":
        _upgrade_postgresql()
    else:
        _upgrade_sqlite()


def _upgrade_sqlite() -> None:
    for name, event, table, person, part, moment, when in TAKES:
        op.execute(
            f"""CREATE TRIGGER {name} AFTER {event} ON {table} WHEN {when} BEGIN
                INSERT INTO part (inquiry_id, user_id, kind, at)
                    SELECT NEW.inquiry_id, {person}, {part}, {moment} WHERE NOT EXISTS (
                        SELECT 1 FROM part WHERE inquiry_id = NEW.inquiry_id AND user_id = {person});
                SELECT RAISE(ABORT, '{REFUSED}') WHERE EXISTS (
                    SELECT 1 FROM part
                    WHERE inquiry_id = NEW.inquiry_id AND user_id = {person} AND kind <> {part});
            END"""
        )
    for name, event, when in REFUSES:
        op.execute(
            f"""CREATE TRIGGER {name} AFTER {event} ON assignment WHEN {when} BEGIN
                SELECT RAISE(ABORT, '{REFUSED}') WHERE EXISTS (
                    SELECT 1 FROM part
                    WHERE inquiry_id = NEW.inquiry_id AND user_id = NEW.user_id AND kind <> NEW.kind);
            END"""
        )
    op.execute(
        f"""CREATE TRIGGER decision_record_sealed BEFORE UPDATE ON decision_record
            WHEN (NEW.erased_at IS NULL AND NEW.content IS NOT OLD.content)
                OR (NEW.reviews IS NOT NULL AND NEW.reviews IS NOT OLD.reviews)
                OR NEW.content_digest IS NOT OLD.content_digest OR NEW.reviews_digest IS NOT OLD.reviews_digest
            BEGIN SELECT RAISE(ABORT, '{SEALED}'); END"""
    )


def _upgrade_postgresql() -> None:
    for name, event, table, person, part, moment, when in TAKES:
        op.execute(
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO part (inquiry_id, user_id, kind, at)
                    VALUES (NEW.inquiry_id, {person}, {part}, {moment}) ON CONFLICT DO NOTHING;
                IF EXISTS (
                    SELECT 1 FROM part
                    WHERE inquiry_id = NEW.inquiry_id AND user_id = {person} AND kind <> {part}
                ) THEN
                    RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$"""
        )
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()"
        )
    op.execute(
        f"""CREATE FUNCTION part_asked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF EXISTS (
                SELECT 1 FROM part
                WHERE inquiry_id = NEW.inquiry_id AND user_id = NEW.user_id AND kind <> NEW.kind
            ) THEN
                RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$"""
    )
    for name, event, when in REFUSES:
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON assignment FOR EACH ROW WHEN ({when}) "
            "EXECUTE FUNCTION part_asked()"
        )
    op.execute(
        f"""CREATE FUNCTION decision_record_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION '{SEALED}' USING ERRCODE = 'integrity_constraint_violation';
        END $$"""
    )
    op.execute(
        """CREATE TRIGGER decision_record_sealed BEFORE UPDATE ON decision_record FOR EACH ROW
            WHEN ((NEW.erased_at IS NULL AND NEW.content IS DISTINCT FROM OLD.content)
                OR (NEW.reviews IS NOT NULL AND NEW.reviews IS DISTINCT FROM OLD.reviews)
                OR NEW.content_digest IS DISTINCT FROM OLD.content_digest
                OR NEW.reviews_digest IS DISTINCT FROM OLD.reviews_digest)
            EXECUTE FUNCTION decision_record_sealed()"""
    )


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    triggers = [(name, table) for name, _event, table, *_rest in TAKES]
    triggers += [(name, "assignment") for name, _event, _when in REFUSES]
    triggers.append(("decision_record_sealed", "decision_record"))
    for name, table in triggers:
        op.execute(f"DROP TRIGGER {name} ON {table}" if is_postgresql else f"DROP TRIGGER {name}")
    if is_postgresql:
        for name in {name for name, _table in triggers} - {"part_asked_again"}:
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("ix_part_person", table_name="part")
    op.drop_table("part")
    op.drop_table("decision_record")
    op.drop_column("decision", "deviation")
