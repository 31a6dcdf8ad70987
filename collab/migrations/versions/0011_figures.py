"""Kept sums of the figures.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TRACKS = ("cooperation", "visit", "training")
STATUSES = (
    "unconfirmed", "received", "needs_info", "in_review", "decision_ready", "waitlisted", "conditional",
    "accepted", "referred", "declined", "withdrawn", "lapsed", "void",
)
REASONS = (
    "out_of_scope", "no_host_in_area", "no_capacity_in_period", "lead_time_short", "funding_missing",
    "qualification_mismatch", "language_level", "hands_on_not_possible", "under_18", "compliance_not_cleared",
    "ethics_missing", "proposal_quality", "incomplete", "degree_admission", "domestic_advanced_training",
    "other_department", "university_agreement", "patient_request", "procurement", "press", "employment",
    "spam", "duplicate", "test",
)


def words(name: str, values: tuple[str, ...]) -> sa.Enum:
    length = max(map(len, values)) + 8
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=length)


def upgrade() -> None:
    op.create_table(
        "figure",
        sa.Column("inquiry_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("arrived", sa.Date(), nullable=False),
        sa.Column("track", words("figure_track", TRACKS), nullable=False),
        sa.Column("area", sa.String(length=60), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("status", words("figure_status", STATUSES), nullable=False),
        sa.Column("reason", words("figure_reason", REASONS), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("first_days", sa.Integer(), nullable=True),
        sa.Column("waited_days", sa.Integer(), nullable=True),
        sa.Column("decision_days", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_figure_department_id_department")
        ),
        sa.PrimaryKeyConstraint("inquiry_id", name=op.f("pk_figure")),
    )
    op.create_table(
        "figure_sum",
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("track", words("sum_track", TRACKS), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("area", sa.String(length=60), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_figure_sum_department_id_department")
        ),
        sa.PrimaryKeyConstraint(
            "department_id", "measure", "month", "track", "key", "area", "is_demo", name=op.f("pk_figure_sum")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "figure_due",
        sa.Column("inquiry_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("inquiry_id", name=op.f("pk_figure_due")),
    )
    op.create_table(
        "figure_basis",
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_figure_basis_department_id_department")
        ),
        sa.PrimaryKeyConstraint("department_id", name=op.f("pk_figure_basis")),
    )
    unanswered = sa.text("first_answer_at IS NULL AND confirmed_at IS NOT NULL")
    op.create_index(
        "ix_inquiry_unanswered",
        "inquiry",
        ["department_id", "confirmed_at"],
        sqlite_where=unanswered,
        postgresql_where=unanswered,
    )


def downgrade() -> None:
    op.drop_index("ix_inquiry_unanswered", table_name="inquiry")
    for table in ("figure_basis", "figure_due", "figure_sum", "figure"):
        op.drop_table(table)
