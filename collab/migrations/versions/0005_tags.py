"""Tags, mentions, text modules.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STEPS = ("ask", "refer", "decline", "waitlist", "accept", "conditions", "letter")
_REASONS = (
    "out_of_scope", "no_host_in_area", "no_capacity_in_period", "lead_time_short", "funding_missing",
    "qualification_mismatch", "language_level", "hands_on_not_possible", "under_18", "compliance_not_cleared",
    "ethics_missing", "proposal_quality", "incomplete", "degree_admission", "domestic_advanced_training",
    "other_department", "university_agreement", "patient_request", "procurement", "press", "employment", "spam",
    "duplicate", "test",
)  # fmt: skip
_unread = sa.text("read_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_tag_department_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_tag_created_by_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["tag.id"], name=op.f("fk_tag_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint("department_id", "slug", name=op.f("uq_tag_department_id_slug")),
    )
    op.create_index(op.f("ix_tag_merged_into_id"), "tag", ["merged_into_id"])
    op.create_table(
        "inquiry_tag",
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_inquiry_tag_inquiry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_inquiry_tag_tag_id")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_inquiry_tag_by_id")),
        sa.PrimaryKeyConstraint("inquiry_id", "tag_id", name=op.f("pk_inquiry_tag")),
    )
    op.create_index("ix_inquiry_tag_found", "inquiry_tag", ["tag_id", "inquiry_id"])
    op.create_table(
        "mention",
        sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["note_id"], ["note.id"], name=op.f("fk_mention_note_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_mention_user_id")),
        sa.PrimaryKeyConstraint("note_id", "user_id", name=op.f("pk_mention")),
    )
    op.create_index(
        "ix_mention_unread",
        "mention",
        ["user_id", "note_id"],
        sqlite_where=_unread,
        postgresql_where=_unread,
    )
    op.create_table(
        "wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column(
            "step",
            sa.Enum(*_STEPS, name="step", native_enum=False, create_constraint=True, length=18),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_wording_department_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wording")),
        sa.UniqueConstraint("department_id", "code", name=op.f("uq_wording_department_id_code")),
    )
    op.create_table(
        "wording_version",
        sa.Column("wording_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(*_REASONS, name="reason", native_enum=False, create_constraint=True, length=34),
            nullable=True,
        ),
        sa.Column("title_en", sa.String(length=80), nullable=False),
        sa.Column("title_zh", sa.String(length=80), nullable=False),
        sa.Column("body_en", sa.Text(), nullable=False),
        sa.Column("body_zh", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["wording_id"], ["wording.id"], name=op.f("fk_wording_version_wording_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_wording_version_by_id")),
        sa.PrimaryKeyConstraint("wording_id", "number", name=op.f("pk_wording_version")),
    )


def downgrade() -> None:
    op.drop_table("wording_version")
    op.drop_table("wording")
    op.drop_index("ix_mention_unread", table_name="mention")
    op.drop_table("mention")
    op.drop_index("ix_inquiry_tag_found", table_name="inquiry_tag")
    op.drop_table("inquiry_tag")
    op.drop_index(op.f("ix_tag_merged_into_id"), table_name="tag")
    op.drop_table("tag")
