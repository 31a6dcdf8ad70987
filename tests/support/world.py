"""Inquiries in every status, brought there by the verbs themselves; and the people who act on them."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from collab.core import clock, tokens
from collab.core.db import db, unit_of_work
from collab.core.errors import Refused
from tests.support import partners

if TYPE_CHECKING:
    from collab.accounts import Actor, User
    from collab.departments.models import Department
    from collab.inquiries import Inquiry
    from collab.mail import OutboxMail
    from collab.reviews import Facts, Verdict

#: A Monday morning in a week without holidays: 09:00 in Chengdu.
MONDAY = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
LETTER = "Dear colleague,\n\nthis is our letter.\n"
_numbers = itertools.count(1)


class _Undo(Exception):
    """Ends a unit of work without keeping anything."""


class World:
    """One department with its people; makes inquiries and moves them.

    Everything takes and returns ids: what a test reads afterwards is what is stored.
    """

    def __init__(self, department: "Department") -> None:
        self.department_id = department.id
        self._people: dict[tuple[Any, ...], Actor] = {}

    # -- people ------------------------------------------------------------------------------------------------

    def actor(self, *roles: str, name: str = "", department_id: int = 0, locale: str = "en") -> "Actor":
        """A member of staff with these roles; the same one when asked again with the same name."""
        from collab import accounts
        from collab.accounts import Membership, Role, User

        key = (name, *sorted(roles), department_id)
        if key not in self._people:
            number = next(_numbers)
            with unit_of_work():
                user = User(
                    email=f"staff-{number}@staff.example",
                    email_key=f"staff-{number}@staff.example",
                    name=name or f"{' '.join(roles).title() or 'Nobody'} {number}",
                    locale=locale,
                    created_at=clock.now(),
                    memberships=[
                        Membership(department_id=department_id or self.department_id, role=Role(role))
                        for role in roles
                    ],
                )
                db.session.add(user)
                db.session.flush()
                id = user.id
            self._people[key] = accounts.actor_of(db.session.get_one(User, id))
        return self._people[key]

    def user(self, actor: "Actor") -> "User":
        """The account behind an actor."""
        from collab.accounts import User

        return db.session.get_one(User, actor.user_id)

    @property
    def visitor(self) -> "Actor":
        return partners.visitor()

    # -- inquiries ---------------------------------------------------------------------------------------------

    @property
    def department(self) -> "Department":
        from collab.departments import Department

        return db.session.get_one(Department, self.department_id)

    def submission(
        self, track: str = "cooperation", *, key: str = "", locale: str = "en", **fields: Any
    ) -> Any:
        """What a valid form gives; each from an address of its own unless one is named."""
        from collab.departments.tracks import Track
        from collab.inquiries import Submission

        claim_token = fields.pop("claim_token", None)
        given = partners.SHARED | partners.TRACKS[track]
        given |= {
            "email": f"partner-{next(_numbers)}@example.org",
            "area": self.department.settings.areas[0].code,
        } | fields
        return Submission(
            department=self.department,
            track=Track(track),
            locale=locale,
            fields=given,
            submission_key=key or tokens.new_token(),
            claim_token=claim_token,
        )

    def submit(self, track: str = "cooperation", *, network: str = "", **given: Any) -> int:
        """Sent, not confirmed."""
        from collab import inquiries
        from collab.accounts import Actor

        # Each from a network of its own, so that the limits are met only where a test means to meet them.
        by = Actor(
            kind="visitor", network=network or f"10.{next(_numbers) // 250}.{next(_numbers) % 250}.0/24"
        )
        with unit_of_work():
            return inquiries.submit(self.submission(track, **given), by=by).id

    def received(self, track: str = "cooperation", **given: Any) -> int:
        """Confirmed with the token of the mail."""
        from collab import inquiries

        id = self.submit(track, **given)
        with unit_of_work():
            inquiries.confirm(self.secret(id, "M1"), by=self.visitor)
        return id

    def get(self, id: int) -> "Inquiry":
        from collab.inquiries import Inquiry

        return db.session.get_one(Inquiry, id)

    def do(self, verb: Callable[..., Any], id: int, *args: Any, **given: Any) -> None:
        """Call a verb on an inquiry in a unit of work of its own."""
        with unit_of_work():
            verb(self.get(id), *args, **given)

    # -- one step each -----------------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        return clock.today(self.department.timezone)

    def ask(self, id: int, *, by: "Actor | None" = None, days: int = 30) -> None:
        from collab.inquiries import triage

        self.do(
            triage.ask,
            id,
            "Which ligands?",
            answer_by=self.today + timedelta(days=days),
            by=by or self.actor("coordinator"),
        )

    def answer(self, id: int, text: str = "These two.", key: str = "", **given: Any) -> None:
        from collab import inquiries

        self.do(
            inquiries.answer,
            id,
            text,
            claim_token=given.get("claim_token"),
            submission_key=key or tokens.new_token(),
            by=self.visitor,
        )

    def route(
        self,
        id: int,
        host: "Actor | None" = None,
        *,
        kind: str = "host",
        days: int = 14,
        note: str = "",
        declared: bool = True,
    ) -> None:
        """Given to a host or reviewer, who then declares to have no conflict of interest.

        :param declared: leave that out, to see what the person sees before.
        """
        from collab.inquiries import AssignmentKind, triage

        person = host or self.actor(kind)
        self.do(
            triage.route,
            id,
            self.user(person),
            kind=AssignmentKind(kind),
            due_on=self.today + timedelta(days=days),
            note=note,
            despite=True,
            by=self.actor("coordinator"),
        )
        if declared:
            self.declare(id, person)

    def declare(self, id: int, person: "Actor", *, yes: Iterable[str] = ()) -> None:
        """A person answers the questions about interests: all no, but those named."""
        from collab.inquiries import interests

        self.do(
            interests.declare,
            id,
            {question: question in yes for question in interests.QUESTIONS},
            by=person,
        )

    def clear(self, id: int, state: str = "cleared", *, only: str = "") -> None:
        """Those who own the gates that are open (or just one) answer them."""
        from collab import reviews

        owners = {gate.kind: gate.owner_role for gate in reviews.gates_of(self.get(id))}
        waiting = [only] if only else [gate.kind for gate in reviews.gates.unanswered(self.get(id))]
        for kind in waiting:
            self.do(
                reviews.gates.settle,
                id,
                kind,
                reviews.GateState(state),
                note="Looked up.",
                by=self.actor(owners[kind].value),
            )

    def host_says(self, id: int, answer: str = "yes", host: "Actor | None" = None) -> None:
        from collab.inquiries import HostAnswer, triage

        if any(one.user_id == (host or self.actor("host")).user_id for one in self.get(id).assignments):
            self.declare(id, host or self.actor("host"))
        self.do(
            triage.host_answers,
            id,
            HostAnswer(answer),
            period="spring 2027" if answer == "later" else "",
            note="No room." if answer == "no" else "",
            by=host or self.actor("host"),
        )

    def ready(self, id: int) -> None:
        from collab.inquiries import triage

        self.do(triage.mark_ready, id, by=self.actor("coordinator"))

    def facts(self, verdict: str) -> "Facts":
        """What a verdict needs."""
        from collab.inquiries import Reason
        from collab.reviews import ConditionOwner, Facts

        condition = ("Transfer agreement signed", self.today + timedelta(days=30), ConditionOwner.PARTNER)
        return {
            "accept": Facts(),
            "conditional": Facts(conditions=(condition,)),
            "waitlist": Facts(period="spring 2027"),
            "refer": Facts(reason=Reason.PROCUREMENT, office="Purchasing", contact="https://example.org/buy"),
            "decline": Facts(reason=Reason.PROPOSAL_QUALITY),
        }[verdict]

    def decide(
        self,
        id: int,
        verdict: "str | Verdict",
        *,
        by: "Actor | None" = None,
        letter: str = LETTER,
        **given: Any,
    ) -> None:
        from collab import reviews

        self.declare(id, by or self.actor("head"))
        self.do(
            reviews.decide,
            id,
            reviews.Verdict(verdict),
            because=given.pop("because", "Fits the group's plan."),
            letter=letter,
            facts=given.pop("facts", None) or self.facts(str(verdict)),
            by=by or self.actor("head"),
            **given,
        )

    def decline(self, id: int) -> None:
        from collab.inquiries import Reason, triage

        self.do(triage.decline, id, reason=Reason.OUT_OF_SCOPE, body=LETTER, by=self.actor("coordinator"))

    def end_hold(self, id: int) -> None:
        """As if the hold of the letter had run out."""
        with unit_of_work():
            self.get(id).held_until = clock.now() - timedelta(seconds=1)

    def at(self, status: str, **given: Any) -> int:
        """An inquiry that stands at a status and whose last letter is not held any more."""
        from collab import inquiries
        from collab.inquiries import Reason, triage

        if status == "unconfirmed":
            return self.submit(**given)
        id = self.received(**given)
        match status:
            case "received":
                pass
            case "needs_info":
                self.ask(id)
            case "needs_info_in_review":
                self.route(id)
                self.ask(id)
            case "in_review":
                self.route(id)
                self.host_says(id, "no")
            case "lapsed":
                self.ask(id)
                self.lapse(id)
            case "withdrawn":
                self.do(inquiries.withdraw, id, by=self.visitor)
            case "void":
                self.do(triage.set_aside, id, reason=Reason.SPAM, by=self.actor("coordinator"))
            case _:
                self.route(id)
                self.host_says(id, "yes")
                self.ready(id)
                verdicts = {
                    "accepted": "accept",
                    "conditional": "conditional",
                    "waitlisted": "waitlist",
                    "referred": "refer",
                    "declined": "decline",
                }
                if status != "decision_ready":
                    self.decide(id, verdicts[status])
                    self.end_hold(id)
        assert self.get(id).status == status.removesuffix("_in_review") or status == "in_review"
        return id

    def lapse(self, id: int) -> None:
        """The time for an answer ran out."""
        from collab.inquiries import clockwork

        with unit_of_work():
            self.get(id).due_at = clock.now() - timedelta(seconds=1)
        with unit_of_work():
            clockwork.look(id)

    # -- what is stored ----------------------------------------------------------------------------------------

    def mails(self, id: int, reader: str = "") -> "list[OutboxMail]":
        """The mails about an inquiry, oldest first."""
        from collab import mail

        found = sorted(mail.of(("inquiry", id)), key=lambda one: one.id)
        return [one for one in found if not reader or one.reader == reader]

    def told(self, id: int) -> list[str]:
        """Topic and address of all that was told of an inquiry, oldest first: mails, and lines for the next digest.

        Without what is told of its gates, which have clocks of their own.
        """
        from collab.accounts import User
        from collab.inquiries.models import DigestLine

        lines = db.session.execute(
            sa.select(DigestLine.at, DigestLine.topic, User.email)
            .join(User, User.id == DigestLine.user_id)
            .where(DigestLine.inquiry_id == id)
            .order_by(DigestLine.id)
        )
        found = [
            (one.created_at, f"{one.topic} {one.to_address}")
            for one in self.mails(id)
            if "/staff/gates" not in one.body_text
        ]
        found += [(at, f"{topic} {address}") for at, topic, address in lines]
        return [one for _at, one in sorted(found, key=lambda pair: pair[0])]

    def topics(self, id: int, reader: str = "partner") -> list[str]:
        return [one.topic for one in self.mails(id, reader)]

    def secret(self, id: int, topic: str) -> str:
        """The token in the newest mail of a topic."""
        return [one for one in self.mails(id) if one.topic == topic][-1].secrets[-1]

    def kinds(self, id: int) -> list[str]:
        """What the history tells, oldest first."""
        from collab.inquiries import InquiryEvent

        return list(
            db.session.scalars(
                sa.select(InquiryEvent.kind).filter_by(inquiry_id=id).order_by(InquiryEvent.id)
            )
        )

    def counts(self) -> dict[str, int]:
        """The kept counts, without zeros."""
        from collab.inquiries.models import InquiryCount

        rows = db.session.scalars(sa.select(InquiryCount).filter_by(department_id=self.department_id))
        return {row.status.value: row.count for row in rows if row.count}

    def real_counts(self) -> dict[str, int]:
        """The same, counted."""
        from collab.inquiries import Inquiry

        rows = db.session.execute(
            sa.select(Inquiry.status, sa.func.count())
            .filter_by(department_id=self.department_id)
            .group_by(Inquiry.status)
        )
        return {status.value: number for status, number in rows}

    def stored(self) -> dict[str, int]:
        """How many rows every table of an inquiry holds, and the versions of all inquiries."""
        from collab.audit import AuditEvent
        from collab.inquiries import Assignment, Inquiry, InquiryEvent, Message, Note
        from collab.inquiries.models import DigestLine, Link
        from collab.mail import OutboxMail
        from collab.reviews import Condition, Decision, Opinion

        tables = (
            Assignment, AuditEvent, Condition, Decision, DigestLine, InquiryEvent, Link, Message, Note, Opinion,
            OutboxMail,
        )  # fmt: skip
        rows = {
            table.__tablename__: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in tables
        }
        return rows | {"versions": db.session.scalar(sa.select(sa.func.sum(Inquiry.version))) or 0}


@contextmanager
def undone() -> Iterator[None]:
    """A unit of work that is not kept, whatever happens inside."""
    try:
        with unit_of_work():
            yield
            raise _Undo
    except _Undo:
        pass


def refusal(verb: Callable[..., Any], *args: Any, **given: Any) -> Refused | None:
    """The refusal a verb answers with; nothing is kept either way."""
    try:
        with undone():
            verb(*args, **given)
    except Refused as refused:
        return refused
    return None


def other_department(folder: Path) -> "Department":
    """A second department in the same installation, made from the one that is shipped."""
    from collab import departments
    from collab.accounts import COMMAND
    from collab.departments.actions import folder_of

    (slug,) = departments.shipped()
    folder.mkdir()
    content = (folder_of(slug) / "department.yaml").read_text(encoding="utf-8")
    code = next(line for line in content.splitlines() if line.startswith("code:"))
    content = content.replace(f"slug: {slug}", "slug: another", 1).replace(code, "code: OTHER", 1)
    (folder / "department.yaml").write_text(content, encoding="utf-8")
    with unit_of_work():
        id = departments.import_department(folder, by=COMMAND).id
    return db.session.get_one(departments.Department, id)
