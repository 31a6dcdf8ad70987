"""Who acts: the ``by=`` of every verb."""

from dataclasses import dataclass, field

from collab.accounts.roles import Role
from collab.audit import Who


@dataclass(frozen=True, kw_only=True)
class Actor(Who):
    """A person or the portal itself, with what it may do.

    :param name: how the history calls the actor.
    :param memberships: pairs of department id and role.
    """

    name: str = ""
    memberships: frozenset[tuple[int, Role]] = field(default_factory=frozenset)

    def roles_in(self, department_id: int) -> frozenset[Role]:
        """The roles this actor holds in one department; empty for anybody who is not staff there."""
        return frozenset(role for department, role in self.memberships if department == department_id)

    @property
    def is_staff(self) -> bool:
        return self.kind == "staff"

    @property
    def is_admin(self) -> bool:
        """Administrator of any department: may see the portal's own pages (outbox, people)."""
        return any(role is Role.ADMIN for _, role in self.memberships)


#: The portal acting by itself: clocks, reminders, retention.
SYSTEM = Actor(kind="system", name="Collab")
#: Somebody at the machine's command line.
COMMAND = Actor(kind="command", name="Command line")
