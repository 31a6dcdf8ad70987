"""How members of staff are told: at once or in the daily digest, and who stands in for somebody away.

Each mail is of a kind (``accounts.MailKind``) that everybody may want at once, in the digest or not at all. What
somebody has to act on goes to the deputy of whoever is away as well, and says for whom; where nobody stands in, to the
coordinators who are here. Who has declared a conflict of interest hears nothing of the inquiry, deputy or not.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from collab import mail
from collab.accounts import Absence, MailKind, Role, User, Wish, absences, mail_choices, with_role
from collab.core import clock, site
from collab.core.db import db
from collab.inquiries import clocks
from collab.inquiries.models import Conflict, DigestLine, Inquiry

#: What each mail is about. One that is not named here is asked of somebody.
KIND_OF: dict[str, MailKind] = {
    "staff_assigned": MailKind.GIVEN,
    "staff_due": MailKind.GIVEN,
    "staff_gates": MailKind.GIVEN,
    "staff_gates_due": MailKind.GIVEN,
    "staff_new": MailKind.NEW,
    "staff_decision": MailKind.DECISION,
    "staff_overdue": MailKind.LATE,
    "staff_replacement": MailKind.LATE,
    "staff_away": MailKind.HINDRANCE,
    "staff_conflict": MailKind.HINDRANCE,
    "staff_gate_blocked": MailKind.HINDRANCE,
    "staff_erasure": MailKind.HINDRANCE,
    "staff_due_soon": MailKind.DUE_SOON,
    "staff_partner_wrote": MailKind.PARTNER,
    "staff_host_answered": MailKind.ANSWERS,
    "staff_third_reader": MailKind.ANSWERS,
    "staff_mention": MailKind.MENTION,
    "staff_released": MailKind.RELEASED,
}
#: In these roles one sees only what one was given: a deputy takes it over on the start page first.
_GIVEN = frozenset({Role.HOST, Role.REVIEWER})


@dataclass(frozen=True)
class Reader:
    """Somebody who is told.

    :param absence: of the one it was meant for, when that is somebody else.
    :param deputises: whether this is the deputy, or a coordinator because there is none.
    :param role: in which the one it was meant for is asked.
    """

    user: User
    role: Role | None = None
    absence: Absence | None = None
    deputises: bool = False

    @property
    def for_whom(self) -> dict[str, Any] | None:
        """What the mail says of whom it was meant for."""
        if self.absence is None:
            return None
        return {
            "name": self.absence.user.name,
            "until": self.absence.last_day,
            "deputises": self.deputises,
            "takes_over": self.deputises and self.role in _GIVEN,
        }


@dataclass(frozen=True)
class Notice:
    """One thing to tell of an inquiry.

    :param topic: S1–S4 (domain.md B.5).
    :param name: of the mail's templates.
    :param count: how many things wait, for the subject; or that of each who was asked.
    :param dedupe_key: with ``{}`` in the place of the reader.
    :param path: of the page it leads to; the inquiry's when not given.
    """

    topic: str
    name: str
    count: int | Mapping[int, int] = 1
    dedupe_key: str | None = None
    path: str = ""
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> MailKind:
        return KIND_OF.get(self.name, MailKind.GIVEN)

    def count_for(self, user_id: int) -> int:
        return self.count if isinstance(self.count, int) else self.count.get(user_id, 1)


def tell(
    inquiry: Inquiry, notice: Notice, asked: Sequence[tuple[User, Role | None]], words: dict[str, Any]
) -> None:
    """Tell people, each as wanted.

    :param asked: who, and in which role there is something to do; ``None`` where it only informs.
    :param words: what every mail of this inquiry knows.
    """
    if not asked:
        return
    readers = readers_of(inquiry, asked)
    wishes = mail_choices.wish([one.user.id for one in readers], notice.kind)
    for reader in readers:
        match wishes[reader.user.id]:
            case Wish.NEVER:
                pass
            case Wish.DIGEST if inquiry.urgency < clocks.URGENT:
                db.session.add(
                    DigestLine(
                        user_id=reader.user.id,
                        inquiry_id=inquiry.id,
                        topic=notice.topic,
                        mail=notice.name,
                        for_id=reader.absence.user_id if reader.absence else None,
                        at=clock.now(),
                    )
                )
            case _:
                _write(inquiry, notice, reader, words)
    db.session.flush()


def readers_of(inquiry: Inquiry, asked: Sequence[tuple[User, Role | None]]) -> list[Reader]:
    """Who is told in the end: those asked, and who stands in for those away; nobody whom the inquiry is closed to."""
    closed_to = set(db.session.scalars(sa.select(Conflict.user_id).where(Conflict.inquiry_id == inquiry.id)))
    roster = absences.roster(inquiry.department)
    found = {user.id: Reader(user, role) for user, role in asked}
    for user, role in asked:
        absence = roster.away.get(user.id)
        if absence is None or role is None:
            continue
        deputy = roster.stand_in(user.id, role)
        if deputy is not None and deputy.id not in closed_to:
            found.setdefault(deputy.id, Reader(deputy, role, absence, deputises=True))
            continue
        for other in _coordinators_here(inquiry, roster, closed_to):
            found.setdefault(other.id, Reader(other, role, absence))
    return [one for one in found.values() if one.user.id not in closed_to]


def _coordinators_here(inquiry: Inquiry, roster: absences.Roster, closed_to: Collection[int]) -> list[User]:
    """The inquiry's own coordinator, else all of the department, without those away or with a conflict of interest."""
    people = [
        one
        for one in holders(inquiry.department_id, Role.COORDINATOR)
        if one.id not in roster.away and one.id not in closed_to
    ]
    return [one for one in people if one.id == inquiry.coordinator_id] or people


def holders(department_id: int, role: Role) -> list[User]:
    """The active members of staff who hold a role in a department."""
    return sorted(with_role(department_id, role), key=lambda one: one.id)


def _write(inquiry: Inquiry, notice: Notice, reader: Reader, words: dict[str, Any]) -> None:
    for_whom = reader.for_whom
    path, context = notice.path, dict(notice.context)
    if for_whom is not None and for_whom["takes_over"]:
        # The file is not open to a deputy before taking it over: neither the page nor what was written about it.
        path = "/staff/"
        context |= {"note": ""}
    composed = mail.compose(
        notice.name,
        reader.user.locale,
        bilingual=False,
        **{
            **words,
            "address": site.address(path or f"/staff/inquiries/{inquiry.reference}"),
            "count": notice.count_for(reader.absence.user_id if reader.absence else reader.user.id),
            "for_whom": for_whom,
            **context,
        },
    )
    mail.enqueue(
        notice.topic,
        to=reader.user.email,
        locale=reader.user.locale,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        reader="staff",
        department_id=inquiry.department_id,
        about=("inquiry", inquiry.id),
        dedupe_key=notice.dedupe_key.format(reader.user.id) if notice.dedupe_key else None,
    )
