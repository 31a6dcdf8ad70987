"""The first version of the whole schema.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op
from collab.search import ddl
from sqlalchemy.dialects import postgresql
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('action', sa.String(length=80), nullable=False),
    sa.Column('actor_kind', sa.String(length=20), nullable=False),
    sa.Column('actor_id', sa.Integer(), nullable=True),
    sa.Column('network', sa.String(length=64), nullable=True),
    sa.Column('request_id', sa.String(length=64), nullable=True),
    sa.Column('department_id', sa.Integer(), nullable=True),
    sa.Column('object_kind', sa.String(length=40), nullable=True),
    sa.Column('object_id', sa.Integer(), nullable=True),
    sa.Column('refused', sa.Boolean(), nullable=False),
    sa.Column('detail', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
    sa.Column('before', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_event')),
    sa.UniqueConstraint('before', name='uq_audit_event_before'),
    sa.UniqueConstraint('hash', name=op.f('uq_audit_event_hash'))
    )
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_event_action'), ['action'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_event_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_event_department_id'), ['department_id'], unique=False)
        batch_op.create_index('ix_audit_event_object', ['object_kind', 'object_id'], unique=False)

    op.create_table('audit_head',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_audit_head_single')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_head'))
    )
    op.create_table('department',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.String(length=60), nullable=False),
    sa.Column('code', sa.String(length=8), nullable=False),
    sa.Column('timezone', sa.String(length=60), nullable=False),
    sa.Column('content', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('content_digest', sa.String(length=64), nullable=False),
    sa.Column('content_version', sa.Integer(), nullable=False),
    sa.Column('is_demo', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_department')),
    sa.UniqueConstraint('code', name=op.f('uq_department_code')),
    sa.UniqueConstraint('slug', name=op.f('uq_department_slug'))
    )
    op.create_table('job_run',
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('running_by', sa.String(length=100), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.String(length=200), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_job_run'))
    )
    op.create_table('outbox_mail',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('department_id', sa.Integer(), nullable=True),
    sa.Column('topic', sa.String(length=40), nullable=False),
    sa.Column('about_kind', sa.String(length=40), nullable=True),
    sa.Column('about_id', sa.Integer(), nullable=True),
    sa.Column('to_address', sa.String(length=320), nullable=False),
    sa.Column('to_name', sa.String(length=200), nullable=True),
    sa.Column('reader', sa.Enum('partner', 'staff', name='reader', native_enum=False, create_constraint=True, length=15), nullable=False),
    sa.Column('locale', sa.String(length=10), nullable=False),
    sa.Column('subject', sa.String(length=400), nullable=False),
    sa.Column('body_text', sa.Text(), nullable=False),
    sa.Column('body_html', sa.Text(), nullable=True),
    sa.Column('message_id', sa.String(length=250), nullable=False),
    sa.Column('in_reply_to', sa.String(length=250), nullable=True),
    sa.Column('reference_ids', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('secrets', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('state', sa.Enum('held', 'queued', 'sending', 'sent', 'failed', 'cancelled', name='mail_state', native_enum=False, create_constraint=True, length=17), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('hold_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('leased_by', sa.String(length=100), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('first_tried_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.String(length=500), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('dedupe_key', sa.String(length=200), nullable=True),
    sa.CheckConstraint("state != 'held' OR hold_until IS NOT NULL", name=op.f('ck_outbox_mail_held_until')),
    sa.CheckConstraint("state != 'sending' OR (lease_until IS NOT NULL AND leased_by IS NOT NULL)", name=op.f('ck_outbox_mail_leased')),
    sa.CheckConstraint("state != 'sent' OR sent_at IS NOT NULL", name=op.f('ck_outbox_mail_sent_at')),
    sa.CheckConstraint('attempts >= 0', name=op.f('ck_outbox_mail_attempts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox_mail')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_outbox_mail_dedupe_key')),
    sa.UniqueConstraint('message_id', name=op.f('uq_outbox_mail_message_id'))
    )
    with op.batch_alter_table('outbox_mail', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_mail_conversation', ['about_kind', 'about_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_outbox_mail_department_id'), ['department_id'], unique=False)
        batch_op.create_index('ix_outbox_mail_due', ['state', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_outbox_mail_topic'), ['topic'], unique=False)

    op.create_table('rate_count',
    sa.Column('bucket', sa.String(length=160), nullable=False),
    sa.Column('window', sa.BigInteger(), nullable=False),
    sa.Column('ends', sa.BigInteger(), nullable=False),
    sa.Column('hits', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('bucket', 'window', name=op.f('pk_rate_count'))
    )
    with op.batch_alter_table('rate_count', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rate_count_ends'), ['ends'], unique=False)

    op.create_table('search_entry',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('marks', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_search_entry'))
    )
    with op.batch_alter_table('search_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_search_entry_department_id'), ['department_id'], unique=False)

    op.create_table('stored_file',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('owner_kind', sa.String(length=40), nullable=True),
    sa.Column('owner_id', sa.Integer(), nullable=True),
    sa.Column('purpose', sa.String(length=40), nullable=False),
    sa.Column('filename', sa.String(length=200), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=True),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('state', sa.Enum('pending', 'attached', 'deleted', name='file_state', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('claim_digest', sa.String(length=64), nullable=True),
    sa.Column('scan', sa.Enum('not_checked', 'clean', 'infected', 'failed', name='scan_state', native_enum=False, create_constraint=True, length=19), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state != 'attached' OR (owner_kind IS NOT NULL AND owner_id IS NOT NULL)", name=op.f('ck_stored_file_owned')),
    sa.CheckConstraint("state != 'pending' OR claim_digest IS NOT NULL", name=op.f('ck_stored_file_claimable')),
    sa.CheckConstraint('size > 0', name=op.f('ck_stored_file_size')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stored_file')),
    sa.UniqueConstraint('key', name=op.f('uq_stored_file_key'))
    )
    with op.batch_alter_table('stored_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stored_file_claim_digest'), ['claim_digest'], unique=False)
        batch_op.create_index(batch_op.f('ix_stored_file_department_id'), ['department_id'], unique=False)
        batch_op.create_index('ix_stored_file_owner', ['owner_kind', 'owner_id'], unique=False)
        batch_op.create_index('ix_stored_file_state', ['state', 'created_at'], unique=False)

    op.create_table('user',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('email_key', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('locale', sa.String(length=2), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=True),
    sa.Column('password_changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('password_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('totp_secret', sa.String(length=64), nullable=True),
    sa.Column('totp_confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('totp_last_step', sa.BigInteger(), nullable=True),
    sa.Column('enrol_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("email_key <> ''", name=op.f('ck_user_email_key')),
    sa.CheckConstraint("locale IN ('en', 'zh')", name=op.f('ck_user_locale')),
    sa.CheckConstraint('totp_confirmed_at IS NULL OR totp_secret IS NOT NULL', name=op.f('ck_user_totp')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user')),
    sa.UniqueConstraint('email_key', name=op.f('uq_user_email_key'))
    )
    op.create_table('worker_heartbeat',
    sa.Column('worker_id', sa.String(length=100), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('beat_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('worker_id', name=op.f('pk_worker_heartbeat'))
    )
    with op.batch_alter_table('worker_heartbeat', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_worker_heartbeat_beat_at'), ['beat_at'], unique=False)

    op.create_table('draft',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('track', sa.Enum('cooperation', 'visit', 'training', name='track', native_enum=False, create_constraint=True, length=19), nullable=False),
    sa.Column('locale', sa.String(length=5), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('data', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('claim_token', sa.String(length=64), nullable=True),
    sa.Column('submission_key', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_draft_department_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft')),
    sa.UniqueConstraint('digest', name=op.f('uq_draft_digest')),
    sa.UniqueConstraint('submission_key', name=op.f('uq_draft_submission_key'))
    )
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draft_expires_at'), ['expires_at'], unique=False)

    op.create_table('inquiry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('reference', sa.String(length=32), nullable=False),
    sa.Column('track', sa.Enum('cooperation', 'visit', 'training', name='track', native_enum=False, create_constraint=True, length=19), nullable=False),
    sa.Column('status', sa.Enum('unconfirmed', 'received', 'needs_info', 'in_review', 'decision_ready', 'waitlisted', 'conditional', 'accepted', 'referred', 'declined', 'withdrawn', 'lapsed', 'void', name='status', native_enum=False, create_constraint=True, length=22), nullable=False),
    sa.Column('locale', sa.String(length=5), nullable=False),
    sa.Column('submission_key', sa.String(length=64), nullable=False),
    sa.Column('full_name', sa.String(length=120), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('email_key', sa.String(length=254), nullable=False),
    sa.Column('institution_name', sa.String(length=200), nullable=False),
    sa.Column('institution_ror', sa.String(length=9), nullable=True),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('area', sa.String(length=60), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('answers', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('privacy_version', sa.String(length=20), nullable=False),
    sa.Column('privacy_acknowledged_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('source_page', sa.String(length=120), nullable=True),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status_since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_answer_due', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_answer_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision_due', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked_from', sa.Enum('unconfirmed', 'received', 'needs_info', 'in_review', 'decision_ready', 'waitlisted', 'conditional', 'accepted', 'referred', 'declined', 'withdrawn', 'lapsed', 'void', name='asked_from', native_enum=False, create_constraint=True, length=22), nullable=True),
    sa.Column('reminded', sa.Integer(), nullable=False),
    sa.Column('told_late_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('escalated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('held_from', sa.Enum('unconfirmed', 'received', 'needs_info', 'in_review', 'decision_ready', 'waitlisted', 'conditional', 'accepted', 'referred', 'declined', 'withdrawn', 'lapsed', 'void', name='held_from', native_enum=False, create_constraint=True, length=22), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.Enum('out_of_scope', 'no_host_in_area', 'no_capacity_in_period', 'lead_time_short', 'funding_missing', 'qualification_mismatch', 'language_level', 'hands_on_not_possible', 'under_18', 'compliance_not_cleared', 'ethics_missing', 'proposal_quality', 'incomplete', 'degree_admission', 'domestic_advanced_training', 'other_department', 'university_agreement', 'patient_request', 'procurement', 'press', 'employment', 'spam', 'duplicate', 'test', name='reason', native_enum=False, create_constraint=True, length=34), nullable=True),
    sa.Column('outcome', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
    sa.Column('reopened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('merged_into_id', sa.Integer(), nullable=True),
    sa.Column('coordinator_id', sa.Integer(), nullable=True),
    sa.Column('urgency', sa.SmallInteger(), nullable=False),
    sa.Column('unread', sa.Boolean(), nullable=False),
    sa.Column('file_count', sa.SmallInteger(), nullable=False),
    sa.Column('is_demo', sa.Boolean(), nullable=False),
    sa.Column('erasure_requested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('anonymised_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'needs_info') = (paused_at IS NOT NULL)", name=op.f('ck_inquiry_paused')),
    sa.CheckConstraint("(status = 'unconfirmed') = (confirmed_at IS NULL)", name=op.f('ck_inquiry_confirmed')),
    sa.CheckConstraint("locale IN ('en', 'zh')", name=op.f('ck_inquiry_locale')),
    sa.CheckConstraint('urgency BETWEEN 0 AND 2', name=op.f('ck_inquiry_urgency')),
    sa.ForeignKeyConstraint(['coordinator_id'], ['user.id'], name=op.f('fk_inquiry_coordinator_id')),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_inquiry_department_id')),
    sa.ForeignKeyConstraint(['merged_into_id'], ['inquiry.id'], name=op.f('fk_inquiry_merged_into_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inquiry')),
    sa.UniqueConstraint('reference', name=op.f('uq_inquiry_reference')),
    sa.UniqueConstraint('submission_key', name=op.f('uq_inquiry_submission_key'))
    )
    with op.batch_alter_table('inquiry', schema=None) as batch_op:
        batch_op.create_index('ix_inquiry_area', ['department_id', 'area', 'urgency', 'id'], unique=False)
        batch_op.create_index('ix_inquiry_coordinator', ['coordinator_id', 'status'], unique=False)
        batch_op.create_index('ix_inquiry_country', ['department_id', 'country', 'urgency', 'id'], unique=False)
        batch_op.create_index('ix_inquiry_due', ['status', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_inquiry_email_key'), ['email_key'], unique=False)
        batch_op.create_index('ix_inquiry_erasure', ['erasure_requested_at'], unique=False, sqlite_where=sa.text('erasure_requested_at IS NOT NULL'), postgresql_where=sa.text('erasure_requested_at IS NOT NULL'))
        batch_op.create_index('ix_inquiry_institution', ['institution_name'], unique=False)
        batch_op.create_index('ix_inquiry_pile', ['department_id', 'status', 'urgency', 'id'], unique=False)
        batch_op.create_index('ix_inquiry_queue', ['department_id', 'urgency', 'id'], unique=False)
        batch_op.create_index('ix_inquiry_track', ['department_id', 'track', 'urgency', 'id'], unique=False)
        batch_op.create_index('ix_inquiry_unread', ['department_id', 'urgency', 'id'], unique=False, sqlite_where=sa.text('unread = 1'), postgresql_where=sa.text('unread'))

    op.create_table('inquiry_count',
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('status', sa.Enum('unconfirmed', 'received', 'needs_info', 'in_review', 'decision_ready', 'waitlisted', 'conditional', 'accepted', 'referred', 'declined', 'withdrawn', 'lapsed', 'void', name='status', native_enum=False, create_constraint=True, length=22), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.CheckConstraint('count >= 0', name=op.f('ck_inquiry_count_not_negative')),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_inquiry_count_department_id')),
    sa.PrimaryKeyConstraint('department_id', 'status', name=op.f('pk_inquiry_count'))
    )
    op.create_table('invitation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('email_key', sa.String(length=254), nullable=False),
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('roles', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('locale', sa.String(length=2), nullable=False),
    sa.Column('invited_by_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("locale IN ('en', 'zh')", name=op.f('ck_invitation_locale')),
    sa.CheckConstraint("token <> ''", name=op.f('ck_invitation_token')),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_invitation_department_id')),
    sa.ForeignKeyConstraint(['invited_by_id'], ['user.id'], name=op.f('fk_invitation_invited_by_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('token', name=op.f('uq_invitation_token'))
    )
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitation_department_id'), ['department_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_invitation_email_key'), ['email_key'], unique=False)

    op.create_table('membership',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.Enum('coordinator', 'host', 'reviewer', 'head', 'compliance', 'radiation_safety_officer', 'admin', 'viewer', name='role', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_membership_department_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_membership_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_membership')),
    sa.UniqueConstraint('user_id', 'department_id', 'role', name=op.f('uq_membership_user_id_department_id_role'))
    )
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_membership_department_id'), ['department_id'], unique=False)

    op.create_table('password_reset',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("token <> ''", name=op.f('ck_password_reset_token')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_password_reset_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_password_reset')),
    sa.UniqueConstraint('token', name=op.f('uq_password_reset_token'))
    )
    with op.batch_alter_table('password_reset', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_password_reset_user_id'), ['user_id'], unique=False)

    op.create_table('profile_revision',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('document', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_by', sa.Integer(), nullable=True),
    sa.CheckConstraint('number > 0', name=op.f('ck_profile_revision_number_positive')),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_profile_revision_department_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_profile_revision')),
    sa.UniqueConstraint('department_id', 'number', name=op.f('uq_profile_revision_department_id_number'))
    )
    op.create_table('recovery_code',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('selector', sa.String(length=8), nullable=False),
    sa.Column('code_hash', sa.String(length=255), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_recovery_code_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code')),
    sa.UniqueConstraint('user_id', 'selector', name=op.f('uq_recovery_code_user_id_selector'))
    )
    op.create_table('reference_counter',
    sa.Column('department_id', sa.Integer(), nullable=False),
    sa.Column('year', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_reference_counter_department_id')),
    sa.PrimaryKeyConstraint('department_id', 'year', name=op.f('pk_reference_counter'))
    )
    op.create_table('staff_session',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('second_factor_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('candidate_secret', sa.String(length=64), nullable=True),
    sa.Column('candidate_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('network', sa.String(length=64), nullable=True),
    sa.Column('agent', sa.String(length=200), nullable=False),
    sa.CheckConstraint("token <> ''", name=op.f('ck_staff_session_token')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_staff_session_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_session')),
    sa.UniqueConstraint('token', name=op.f('uq_staff_session_token'))
    )
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_session_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_staff_session_user_id'), ['user_id'], unique=False)

    op.create_table('assignment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('host', 'reviewer', name='assignment_kind', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('assigned_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('assigned_by_id', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answer', sa.Enum('yes', 'later', 'no', name='host_answer', native_enum=False, create_constraint=True, length=13), nullable=True),
    sa.Column('answer_period', sa.String(length=80), nullable=True),
    sa.Column('answer_note', sa.Text(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL) OR kind = 'reviewer'", name=op.f('ck_assignment_answered')),
    sa.ForeignKeyConstraint(['assigned_by_id'], ['user.id'], name=op.f('fk_assignment_assigned_by_id')),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_assignment_inquiry_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_assignment_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment')),
    sa.UniqueConstraint('inquiry_id', 'user_id', 'kind', name=op.f('uq_assignment_inquiry_id_user_id_kind'))
    )
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.create_index('ix_assignment_person', ['user_id', 'released_at'], unique=False)

    op.create_table('conflict',
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('declared_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_conflict_inquiry_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_conflict_user_id')),
    sa.PrimaryKeyConstraint('inquiry_id', 'user_id', name=op.f('pk_conflict'))
    )
    op.create_table('decision',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=False),
    sa.Column('by_name', sa.String(length=120), nullable=False),
    sa.Column('verdict', sa.Enum('accept', 'conditional', 'waitlist', 'refer', 'decline', name='verdict', native_enum=False, create_constraint=True, length=19), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('letter', sa.Text(), nullable=False),
    sa.Column('taken_back_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['by_id'], ['user.id'], name=op.f('fk_decision_by_id')),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_decision_inquiry_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_decision'))
    )
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_decision_inquiry_id'), ['inquiry_id'], unique=False)
        batch_op.create_index('uq_decision_standing', ['inquiry_id'], unique=True, sqlite_where=sa.text('taken_back_at IS NULL AND superseded_at IS NULL'), postgresql_where=sa.text('taken_back_at IS NULL AND superseded_at IS NULL'))

    op.create_table('inquiry_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('actor_kind', sa.String(length=20), nullable=False),
    sa.Column('actor_id', sa.Integer(), nullable=True),
    sa.Column('actor_name', sa.String(length=120), nullable=False),
    sa.Column('from_status', sa.Enum('unconfirmed', 'received', 'needs_info', 'in_review', 'decision_ready', 'waitlisted', 'conditional', 'accepted', 'referred', 'declined', 'withdrawn', 'lapsed', 'void', name='from_status', native_enum=False, create_constraint=True, length=22), nullable=True),
    sa.Column('to_status', sa.Enum('unconfirmed', 'received', 'needs_info', 'in_review', 'decision_ready', 'waitlisted', 'conditional', 'accepted', 'referred', 'declined', 'withdrawn', 'lapsed', 'void', name='to_status', native_enum=False, create_constraint=True, length=22), nullable=True),
    sa.Column('reason', sa.Enum('out_of_scope', 'no_host_in_area', 'no_capacity_in_period', 'lead_time_short', 'funding_missing', 'qualification_mismatch', 'language_level', 'hands_on_not_possible', 'under_18', 'compliance_not_cleared', 'ethics_missing', 'proposal_quality', 'incomplete', 'degree_admission', 'domestic_advanced_training', 'other_department', 'university_agreement', 'patient_request', 'procurement', 'press', 'employment', 'spam', 'duplicate', 'test', name='event_reason', native_enum=False, create_constraint=True, length=34), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('data', sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
    sa.ForeignKeyConstraint(['actor_id'], ['user.id'], name=op.f('fk_inquiry_event_actor_id')),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_inquiry_event_inquiry_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inquiry_event'))
    )
    with op.batch_alter_table('inquiry_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inquiry_event_inquiry_id'), ['inquiry_id'], unique=False)

    op.create_table('link',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('confirm', 'private', name='link_kind', native_enum=False, create_constraint=True, length=15), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_link_digest')),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_link_inquiry_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_link'))
    )
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_inquiry_id'), ['inquiry_id'], unique=False)

    op.create_table('message',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('from_partner', sa.Boolean(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('author_name', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('visible_from', sa.DateTime(timezone=True), nullable=True),
    sa.Column('taken_back_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('submission_key', sa.String(length=64), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['user.id'], name=op.f('fk_message_author_id')),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_message_inquiry_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message')),
    sa.UniqueConstraint('submission_key', name=op.f('uq_message_submission_key'))
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_message_inquiry_id'), ['inquiry_id'], unique=False)

    op.create_table('note',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('author_name', sa.String(length=120), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['user.id'], name=op.f('fk_note_author_id')),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_note_inquiry_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_note'))
    )
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_note_inquiry_id'), ['inquiry_id'], unique=False)

    op.create_table('opinion',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recommendation', sa.Enum('accept', 'discuss', 'decline', name='recommendation', native_enum=False, create_constraint=True, length=15), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_opinion_inquiry_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_opinion_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_opinion')),
    sa.UniqueConstraint('inquiry_id', 'user_id', name=op.f('uq_opinion_inquiry_id_user_id'))
    )
    op.create_table('partner_session',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('inquiry_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['inquiry_id'], ['inquiry.id'], name=op.f('fk_partner_session_inquiry_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_partner_session'))
    )
    with op.batch_alter_table('partner_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_partner_session_inquiry_id'), ['inquiry_id'], unique=False)

    op.create_table('condition',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('decision_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(length=300), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('owner', sa.Enum('partner', 'department', name='condition_owner', native_enum=False, create_constraint=True, length=18), nullable=False),
    sa.Column('state', sa.Enum('open', 'met', 'waived', 'failed', name='condition_state', native_enum=False, create_constraint=True, length=14), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_by_id', sa.Integer(), nullable=True),
    sa.CheckConstraint("(state = 'open') = (settled_at IS NULL)", name=op.f('ck_condition_settled')),
    sa.ForeignKeyConstraint(['decision_id'], ['decision.id'], name=op.f('fk_condition_decision_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['settled_by_id'], ['user.id'], name=op.f('fk_condition_settled_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_condition'))
    )
    with op.batch_alter_table('condition', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_condition_decision_id'), ['decision_id'], unique=False)
    ddl.upgrade(op.get_bind())



def downgrade() -> None:
    ddl.downgrade(op.get_bind())
    with op.batch_alter_table('condition', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_condition_decision_id'))

    op.drop_table('condition')
    with op.batch_alter_table('partner_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_partner_session_inquiry_id'))

    op.drop_table('partner_session')
    op.drop_table('opinion')
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_note_inquiry_id'))

    op.drop_table('note')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_message_inquiry_id'))

    op.drop_table('message')
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_link_inquiry_id'))

    op.drop_table('link')
    with op.batch_alter_table('inquiry_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_inquiry_event_inquiry_id'))

    op.drop_table('inquiry_event')
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.drop_index('uq_decision_standing', sqlite_where=sa.text('taken_back_at IS NULL AND superseded_at IS NULL'), postgresql_where=sa.text('taken_back_at IS NULL AND superseded_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_decision_inquiry_id'))

    op.drop_table('decision')
    op.drop_table('conflict')
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.drop_index('ix_assignment_person')

    op.drop_table('assignment')
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_session_user_id'))
        batch_op.drop_index(batch_op.f('ix_staff_session_expires_at'))

    op.drop_table('staff_session')
    op.drop_table('reference_counter')
    op.drop_table('recovery_code')
    op.drop_table('profile_revision')
    with op.batch_alter_table('password_reset', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_password_reset_user_id'))

    op.drop_table('password_reset')
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_membership_department_id'))

    op.drop_table('membership')
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invitation_email_key'))
        batch_op.drop_index(batch_op.f('ix_invitation_department_id'))

    op.drop_table('invitation')
    op.drop_table('inquiry_count')
    with op.batch_alter_table('inquiry', schema=None) as batch_op:
        batch_op.drop_index('ix_inquiry_unread', sqlite_where=sa.text('unread = 1'), postgresql_where=sa.text('unread'))
        batch_op.drop_index('ix_inquiry_track')
        batch_op.drop_index('ix_inquiry_queue')
        batch_op.drop_index('ix_inquiry_pile')
        batch_op.drop_index('ix_inquiry_institution')
        batch_op.drop_index('ix_inquiry_erasure', sqlite_where=sa.text('erasure_requested_at IS NOT NULL'), postgresql_where=sa.text('erasure_requested_at IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_inquiry_email_key'))
        batch_op.drop_index('ix_inquiry_due')
        batch_op.drop_index('ix_inquiry_country')
        batch_op.drop_index('ix_inquiry_coordinator')
        batch_op.drop_index('ix_inquiry_area')

    op.drop_table('inquiry')
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_draft_expires_at'))

    op.drop_table('draft')
    with op.batch_alter_table('worker_heartbeat', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_worker_heartbeat_beat_at'))

    op.drop_table('worker_heartbeat')
    op.drop_table('user')
    with op.batch_alter_table('stored_file', schema=None) as batch_op:
        batch_op.drop_index('ix_stored_file_state')
        batch_op.drop_index('ix_stored_file_owner')
        batch_op.drop_index(batch_op.f('ix_stored_file_department_id'))
        batch_op.drop_index(batch_op.f('ix_stored_file_claim_digest'))

    op.drop_table('stored_file')
    with op.batch_alter_table('search_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_search_entry_department_id'))

    op.drop_table('search_entry')
    with op.batch_alter_table('rate_count', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rate_count_ends'))

    op.drop_table('rate_count')
    with op.batch_alter_table('outbox_mail', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_mail_topic'))
        batch_op.drop_index('ix_outbox_mail_due')
        batch_op.drop_index(batch_op.f('ix_outbox_mail_department_id'))
        batch_op.drop_index('ix_outbox_mail_conversation')

    op.drop_table('outbox_mail')
    op.drop_table('job_run')
    op.drop_table('department')
    op.drop_table('audit_head')
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_event_object')
        batch_op.drop_index(batch_op.f('ix_audit_event_department_id'))
        batch_op.drop_index(batch_op.f('ix_audit_event_at'))
        batch_op.drop_index(batch_op.f('ix_audit_event_action'))

    op.drop_table('audit_event')
