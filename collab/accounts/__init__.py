"""Who works here: people, their roles in departments, how they sign in, and who may do what.

Sessions live in the database, so that signing out, disabling an account or a new password ends them at once.
A password alone opens only the second step of the sign-in. Every verb takes the actor as ``by=`` and writes
the audit log. Verbs that hash (signing in, new passwords, new codes, accepting an invitation) run units of work
of their own, because hashing must not hold the writer's lock; all others run inside the caller's.
"""

from collab.accounts.actions.credentials import (
    change_password,
    confirm_second_factor,
    offer_second_factor,
    offered_secret,
    recovery_codes_left,
    renew_recovery_codes,
    replace_one_time_password,
    request_password_reset,
    reset_password,
)
from collab.accounts.actions.invitations import (
    accept_invitation,
    invite,
    join_by_invitation,
    withdraw_invitation,
)
from collab.accounts.actions.people import (
    create_first_admin,
    create_user,
    disable_user,
    enable_user,
    grant_role,
    issue_one_time_password,
    reset_second_factor,
    revoke_role,
    sign_out_everywhere,
    update_user,
)
from collab.accounts.actions.sessions import (
    end_all_sessions,
    end_session,
    start_session,
    sweep,
    touch_session,
)
from collab.accounts.actions.signing_in import prove, sign_in_password, use_recovery_code, verify_totp
from collab.accounts.actor import COMMAND, SYSTEM, Actor
from collab.accounts.models import Invitation, Membership, PasswordReset, RecoveryCode, StaffSession, User
from collab.accounts.notices import INVITATION_PATH, RESET_PATH
from collab.accounts.permissions import Permission, check, departments_where, may
from collab.accounts.queries import (
    Person,
    SignedIn,
    Step,
    actor_of,
    all_users,
    by_email,
    invitation_by_token,
    managed_departments,
    open_invitations,
    open_sessions,
    people,
    person,
    reset_by_token,
    session_by_token,
    signed_in_by,
    step_of,
    user_by_id,
    user_by_session,
    with_role,
)
from collab.accounts.roles import ROLE_LABELS, Role
from collab.accounts.second_factor import provisioning_uri

__all__ = [
    "COMMAND",
    "INVITATION_PATH",
    "RESET_PATH",
    "ROLE_LABELS",
    "SYSTEM",
    "Actor",
    "Invitation",
    "Membership",
    "PasswordReset",
    "Permission",
    "Person",
    "RecoveryCode",
    "Role",
    "SignedIn",
    "StaffSession",
    "Step",
    "User",
    "accept_invitation",
    "actor_of",
    "all_users",
    "by_email",
    "change_password",
    "check",
    "confirm_second_factor",
    "create_first_admin",
    "create_user",
    "departments_where",
    "disable_user",
    "enable_user",
    "end_all_sessions",
    "end_session",
    "grant_role",
    "invitation_by_token",
    "invite",
    "issue_one_time_password",
    "join_by_invitation",
    "managed_departments",
    "may",
    "offer_second_factor",
    "offered_secret",
    "open_invitations",
    "open_sessions",
    "people",
    "person",
    "prove",
    "provisioning_uri",
    "recovery_codes_left",
    "renew_recovery_codes",
    "replace_one_time_password",
    "request_password_reset",
    "reset_by_token",
    "reset_password",
    "reset_second_factor",
    "revoke_role",
    "session_by_token",
    "sign_in_password",
    "sign_out_everywhere",
    "signed_in_by",
    "start_session",
    "step_of",
    "sweep",
    "touch_session",
    "update_user",
    "use_recovery_code",
    "user_by_id",
    "user_by_session",
    "verify_totp",
    "with_role",
    "withdraw_invitation",
]
