"""Reading a department's ``demo.yaml`` and acting it out, each act at the time the sample says."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import yaml
from flask_babel import force_locale

from collab import departments, inquiries, mail, reviews
from collab.accounts import COMMAND, Actor, Role, User, actor_of, create_user, set_areas
from collab.core import clock, site
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, NotFound
from collab.departments import Department
from collab.departments.tracks import Track
from collab.inquiries import tags, triage
from collab.inquiries.models import AssignmentKind, HostAnswer, Inquiry, LightPath
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import Step
from collab.mail import MailState, OutboxMail
from collab.reviews import ConditionOwner, Facts, GateState, Recommendation, Verdict

VISITOR = Actor(kind="visitor", network="192.0.2.0/24")


@dataclass(frozen=True)
class Loaded:
    """What was loaded: the number of inquiries, and the people with their roles."""

    inquiries: int
    people: tuple[tuple[str, str], ...]


def target() -> Department:
    """The department that samples can be loaded into: the only one, and without inquiries.

    :raises Conflict: the installation is in use.
    :raises NotFound: the department's folder has no samples.
    """
    department = departments.only()
    if department is None:
        raise Conflict("Sample data is for an installation with one department; this one has another number.")
    if db.session.scalar(sa.select(sa.exists().where(Inquiry.department_id == department.id))):
        raise Conflict("There are inquiries already; sample data is only for an empty installation.")
    _script(department)
    return department


def load() -> Loaded:
    """Load the samples of the only department.

    With a mail server set the sample mails are cancelled: nothing invented ever leaves.
    """
    department = target()
    script = _script(department)
    with unit_of_work():
        department.is_demo = True
        department.content_version += 1
        people = {entry["email"]: _person(entry, department) for entry in script["staff"]}
    for number, sample in enumerate(script["inquiries"], start=1):
        _act_out(department, sample, number, people)
    if site.settings().sends_mail:
        with unit_of_work():
            waiting = sa.select(OutboxMail).where(OutboxMail.state.in_((MailState.QUEUED, MailState.HELD)))
            for one in db.session.scalars(waiting):
                mail.cancel(one)
    return Loaded(
        inquiries=len(script["inquiries"]),
        people=tuple((entry["email"], ", ".join(entry["roles"])) for entry in script["staff"]),
    )


def _script(department: Department) -> dict[str, Any]:
    path = departments.folder_of(department.slug) / "demo.yaml"
    if not path.is_file():
        raise NotFound(
            f"There is no sample data for {department.slug}: {path.name} is missing in its folder."
        )
    script: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return script


def _person(entry: dict[str, Any], department: Department) -> User:
    roles = [(department.id, Role(role)) for role in entry["roles"]]
    user = create_user(entry["email"], entry["name"], locale=entry["locale"], roles=roles, by=COMMAND)
    set_areas(user, entry.get("areas", ()), department_id=department.id, by=COMMAND)
    return user


def _act_out(department: Department, sample: dict[str, Any], number: int, people: dict[str, User]) -> None:
    moment = clock.now() - timedelta(days=sample["days_ago"], minutes=7 * number)
    fields = _fields(sample, moment)
    with clock.pretending(moment), force_locale(sample["locale"]), unit_of_work():
        inquiry = inquiries.submit(
            inquiries.Submission(
                department=department,
                track=Track(sample["track"]),
                locale=sample["locale"],
                fields=fields,
                submission_key=f"demo-{department.slug}-{number}",
                is_demo=True,
            ),
            by=VISITOR,
        )
        inquiry_id = inquiry.id
    if not sample.get("unconfirmed"):
        moment += timedelta(minutes=11)
        with clock.pretending(moment), unit_of_work():
            # The sender's own click, without the mail: the link's secret is not kept anywhere.
            inquiries.submission.confirm_as_sender(db.session.get_one(Inquiry, inquiry_id), by=VISITOR)
    for act in sample.get("then", []):
        moment += timedelta(days=act.get("after", 0), hours=1)
        moment = min(moment, clock.now() - timedelta(minutes=30))
        with clock.pretending(moment), unit_of_work():
            _do(db.session.get_one(Inquiry, inquiry_id), act, people, moment)


def _fields(sample: dict[str, Any], moment: datetime) -> dict[str, Any]:
    fields = dict(sample["fields"])
    start = fields.get("preferred_start")
    if start is not None:  # so many months after it was sent, so that samples never lie in the past
        month = moment.year * 12 + moment.month - 1 + int(start)
        fields["preferred_start"] = f"{month // 12}-{month % 12 + 1:02d}"
    fields["privacy_ack"] = True
    fields["non_confidential_declaration" if sample["track"] == "cooperation" else "adult_declaration"] = True
    return fields


def _do(inquiry: Inquiry, act: dict[str, Any], people: dict[str, User], moment: datetime) -> None:
    coordinator = _holder(people, inquiry, Role.COORDINATOR)
    today = clock.local_day(moment, inquiry.department.timezone)
    reason = Reason(act["reason"]) if "reason" in act else None
    note = act.get("note", "")
    match act["act"]:
        case "route":
            due = inquiries.clocks.suggested_due(inquiry, AssignmentKind.HOST, moment)
            triage.route(inquiry, people[act["to"]], due_on=due, note=note, despite=True, by=coordinator)
        case "opinion_of":
            due = inquiries.clocks.suggested_due(inquiry, AssignmentKind.REVIEWER, moment)
            reviewer = people[act["to"]]
            kind = AssignmentKind.REVIEWER
            triage.route(inquiry, reviewer, kind=kind, due_on=due, despite=True, by=coordinator)
        case "host":
            host = next(a.user for a in inquiry.assignments if a.kind is AssignmentKind.HOST)
            _declare(inquiry, actor_of(host))
            reviews.host_answers(
                inquiry, HostAnswer(act["answer"]), period=act.get("period", ""), note=note, by=actor_of(host)
            )
        case "opinion":
            recommendation = Recommendation(act["recommendation"])
            scores = {
                criterion: reviews.Mark(
                    None if value == "unknown" else value, act.get("comments", {}).get(criterion, "")
                )
                for criterion, value in act["scores"].items()
            }
            _declare(inquiry, actor_of(people[act["by"]]))
            reviews.give_opinion(
                inquiry,
                recommendation,
                because=act["because"],
                scores=scores,
                by=actor_of(people[act["by"]]),
            )
        case "tag":
            tags.put(inquiry, act["name"], new=True, by=coordinator)
        case "note":
            inquiries.note(inquiry, note, by=coordinator)
        case "ask":
            answer_by = inquiries.clocks.suggested_answer_date(inquiry, moment)
            triage.ask(inquiry, act["question"], answer_by=answer_by, by=coordinator)
        case "gate":
            _clear(inquiry, act["gate"], GateState(act["state"]), note, people)
        case "clear":
            for gate in reviews.gates.unanswered(inquiry):
                _clear(inquiry, gate.kind, GateState.CLEARED, note, people)
        case "ready":
            reviews.mark_ready(inquiry, because=note, by=coordinator)
        case "light":
            reviews.take_path(inquiry, LightPath(act["kind"]), by=coordinator)
        case "refer":
            assert reason is not None
            facts = {"reason": reason, "office": act["office"], "contact": act["contact"]}
            body = inquiries.notices.draft_letter(inquiry, Step.REFER, **facts)
            triage.refer(inquiry, body=body, by=coordinator, **facts)
        case "decline":
            assert reason is not None
            body = inquiries.notices.draft_letter(inquiry, Step.DECLINE, reason=reason)
            triage.decline(inquiry, reason=reason, body=body, by=coordinator)
        case "void":
            assert reason is not None
            triage.set_aside(inquiry, reason=reason, by=coordinator)
        case "withdraw":
            inquiries.withdraw(inquiry, by=VISITOR)
        case "decide":
            verdict = Verdict(act["verdict"])
            given = Facts(period=act.get("period", ""), conditions=_conditions(act, today))
            step, _target = reviews.STEPS[verdict]
            letter = inquiries.notices.draft_letter(inquiry, step, **given.for_letter())
            head = _holder(people, inquiry, Role.HEAD)
            _declare(inquiry, head)
            reviews.decide(
                inquiry,
                verdict,
                because=act["because"],
                letter=letter,
                facts=given,
                deviation=act.get("deviation", ""),
                by=head,
            )
        case other:
            raise ValueError(f"demo.yaml: no such act: {other}")


def _clear(inquiry: Inquiry, kind: str, state: GateState, note: str, people: dict[str, User]) -> None:
    """Whoever owns a gate answers it."""
    gate = next(one for one in reviews.gates_of(inquiry) if one.kind == kind)
    reviews.gates.settle(inquiry, kind, state, note=note, by=_holder(people, inquiry, gate.owner_role))


def _declare(inquiry: Inquiry, by: Actor) -> None:
    """Nobody has an interest in a sample."""
    inquiries.interests.declare(inquiry, dict.fromkeys(inquiries.interests.QUESTIONS, False), by=by)


def _conditions(act: dict[str, Any], today: date) -> tuple[tuple[str, date, ConditionOwner], ...]:
    return tuple(
        (entry["text"], today + timedelta(days=entry["due"]), ConditionOwner.PARTNER)
        for entry in act.get("conditions", [])
    )


def _holder(people: dict[str, User], inquiry: Inquiry, role: Role) -> Actor:
    actors = (actor_of(person) for person in people.values())
    return next(actor for actor in actors if role in actor.roles_in(inquiry.department_id))
