"""Due dates: what was reminded of, who is late, what was promised anew, and when to look again.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

MOMENTS = (
    'promised_anew',
    'interest_asked_at',
    'interest_due',
    'interest_extended_at',
    'interest_given_at',
    'wake_at',
    'texts_deleted_at',
)
OPEN = "('received', 'needs_info', 'in_review', 'decision_ready', 'waitlisted', 'conditional')"


def upgrade() -> None:
    for name in MOMENTS:
        op.add_column('inquiry', sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column('assignment', sa.Column('late_at', sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        'reminder',
        sa.Column('inquiry_id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=120), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['inquiry_id'], ['inquiry.id'], name=op.f('fk_reminder_inquiry_id_inquiry'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('inquiry_id', 'key', name=op.f('pk_reminder')),
    )
    op.create_index(
        'ix_inquiry_wake',
        'inquiry',
        ['wake_at'],
        sqlite_where=sa.text('wake_at IS NOT NULL'),
        postgresql_where=sa.text('wake_at IS NOT NULL'),
    )
    # Those on the waiting list that were asked already: asked on the day they answer from, to be answered by due_at.
    op.execute(
        "UPDATE inquiry SET interest_asked_at = status_since, interest_due = due_at "
        "WHERE status = 'waitlisted' AND reminded > 0"
    )
    op.execute(f"UPDATE inquiry SET wake_at = status_since WHERE status IN {OPEN}")  # noqa: S608


def downgrade() -> None:
    op.drop_index('ix_inquiry_wake', table_name='inquiry')
    op.drop_table('reminder')
    op.drop_column('assignment', 'late_at')
    for name in reversed(MOMENTS):
        op.drop_column('inquiry', name)
