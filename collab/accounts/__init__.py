"""Who works here: people, their roles in departments, how they sign in, and who may do what.

Sessions live in the database, so that signing out, disabling an account or a new password ends them at once.
A password alone opens only the second step of the sign-in. Every verb takes the actor as ``by=`` and writes the
audit log; hashing happens before the transaction, never inside.
"""

from collab.accounts.actor import COMMAND, SYSTEM, Actor
from collab.accounts.models import Invitation, Membership, PasswordReset, RecoveryCode, StaffSession, User
from collab.accounts.permissions import Permission, check, departments_where, may
from collab.accounts.roles import Role

__all__ = [
    "COMMAND",
    "SYSTEM",
    "Actor",
    "Invitation",
    "Membership",
    "PasswordReset",
    "Permission",
    "RecoveryCode",
    "Role",
    "StaffSession",
    "User",
    "check",
    "departments_where",
    "may",
]
