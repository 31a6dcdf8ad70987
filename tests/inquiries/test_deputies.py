"""What reaches a deputy, what a deputy may take over, and that nobody gains anything by it."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from collab import inquiries
from collab.accounts import Actor, MailKind, Role, Wish, absences, mail_choices
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, NotFound
from collab.inquiries import Assignment, AssignmentKind, Inquiry, by_reference, deputies, staff_mail, triage
from collab.inquiries.models import DigestLine
from tests.support.world import World

MONDAY = date(2026, 11, 2)


@pytest.fixture(autouse=True)
def a_monday() -> Any:
    with time_machine.travel(datetime.fromisoformat("2026-11-02T09:00+08:00"), tick=False):
        yield


def away(world: World, who: Actor, deputy: Actor | None = None, days: int = 9) -> None:
    with unit_of_work():
        absences.enter(
            world.user(who),
            department=world.department,
            first_day=MONDAY,
            last_day=MONDAY + timedelta(days=days),
            deputy=world.user(deputy) if deputy else None,
            by=who,
        )


def mails(world: World, id: int, *topics: str) -> list[tuple[str, str]]:
    return [
        (one.to_address, one.body_text)
        for one in world.mails(id, "staff")
        if not topics or one.topic in topics
    ]


def address(world: World, who: Actor) -> str:
    return world.user(who).email


def test_what_is_asked_of_somebody_away_goes_to_the_deputy_too_and_says_for_whom(world: World) -> None:
    ann, ben = world.actor("host", name="Ann Away"), world.actor("host", name="Ben")
    away(world, ann, ben)
    id = world.received()
    world.route(id, ann, note="Look at the wicked part.", declared=False)
    told = dict(mails(world, id, "S1"))
    hers, his = told[address(world, ann)], told[address(world, ben)]
    assert his.startswith("Ann Away is away until Wed 11 Nov 2026 and you deputise. On your start page")
    assert "Ann Away" not in hers
    assert "wicked" in hers
    assert "wicked" not in his, "what was written of the file is for those it is open to"
    assert f"/staff/inquiries/{world.get(id).reference}" in hers
    assert "/staff/inquiries/" not in his


def test_who_is_here_gets_it_alone(world: World) -> None:
    ann, ben = world.actor("host", name="Ann"), world.actor("host", name="Ben")
    away(world, ann, ben)
    with time_machine.travel(datetime.fromisoformat("2026-11-12T00:01+08:00"), tick=False):
        id = world.received()
        world.route(id, ann, declared=False)
        assert address(world, ann) in {to for to, _text in mails(world, id, "S1")}
        assert address(world, ben) not in {to for to, _text in mails(world, id)}


def test_a05_a_deputy_with_a_conflict_hears_and_sees_nothing(world: World) -> None:
    ann, ben = world.actor("host", name="Ann"), world.actor("host", name="Ben")
    id = world.received()
    world.route(id, ben)
    world.do(triage.declare_conflict, id, by=ben)
    before = len([to for to, _text in mails(world, id) if to == address(world, ben)])
    away(world, ann, ben)
    world.route(id, ann, declared=False)
    assert len([to for to, _text in mails(world, id) if to == address(world, ben)]) == before
    (found,) = deputies.deputising(ben)
    assert (found.name, found.asked, found.in_hand) == ("Ann", [], [])
    assignment = next(one for one in world.get(id).assignments if one.user_id == ann.user_id)
    with pytest.raises(NotFound):
        deputies.asked_of_absent(assignment.id, by=ben)


def test_a05_instead_of_a_deputy_with_a_conflict_a_coordinator_without_one_is_told(world: World) -> None:
    ann, ben = world.actor("host", name="Ann"), world.actor("host", name="Ben")
    here, other = world.actor("coordinator"), world.actor("coordinator", name="Other")
    id = world.received()
    world.route(id, ben)
    for closed in (ben, other):
        world.do(triage.declare_conflict, id, by=closed)
    away(world, ann, ben)
    before = len(mails(world, id, "S1"))
    world.route(id, ann, declared=False)
    told = [(to, "Ann is away" in text) for to, text in mails(world, id, "S1")[before:]]
    assert sorted(told) == sorted([(address(world, ann), False), (address(world, here), True)])


def test_a05_entering_an_absence_the_coordinators_hear_of_what_is_closed_to_the_deputy(world: World) -> None:
    ann, ben = world.actor("host", name="Ann"), world.actor("host", name="Ben")
    coordinator = world.actor("coordinator")
    closed, open_one = world.received(), world.received()
    for id in (closed, open_one):
        world.route(id, ann, days=4)
    world.route(closed, ben)
    world.do(triage.declare_conflict, closed, by=ben)
    with unit_of_work():
        deputies.enter_absence(
            world.user(ann),
            department=world.department,
            first_day=MONDAY,
            last_day=MONDAY + timedelta(days=9),
            deputy=world.user(ben),
            by=ann,
        )
    assert [[to for to, _text in mails(world, id, "S3")] for id in (closed, open_one)] == [
        [address(world, coordinator)],
        [],
    ]


def test_what_the_deputy_may_not_do_goes_to_the_coordinators_who_are_here(world: World) -> None:
    ann = world.actor("reviewer", "host", name="Ann")
    host = world.actor("host", name="Only a host")
    here, gone = world.actor("coordinator"), world.actor("coordinator", name="Gone")
    away(world, ann, host)
    away(world, gone)
    id = world.received()
    world.route(id)
    world.route(id, ann, kind="reviewer", declared=False)
    told = [(to, text) for to, text in mails(world, id, "S1") if "Ann is away" in text]
    assert [to for to, _text in told] == [address(world, here)]
    assert "nobody deputises. Please see to it." in told[0][1]
    assert [one.asked for one in deputies.deputising(host)] == [[]], "a host does not review for anybody"


def test_a_head_is_stood_in_for_by_a_head_alone(world: World) -> None:
    head, second, coordinator = (
        world.actor("head"),
        world.actor("head", name="Second"),
        world.actor("coordinator"),
    )
    id = world.received()
    world.route(id)
    world.host_says(id)
    away(world, head, second)
    world.ready(id)
    assert sorted(to for to, _text in mails(world, id, "S4")) == sorted(
        [address(world, head), address(world, second)]
    ), "a deputy who is told anyway is told once"
    with unit_of_work():  # the second head gives the role up: nobody deputises any more
        user = world.user(second)
        user.memberships = [one for one in user.memberships if one.role is not Role.HEAD]
    other = world.received()
    world.route(other)
    world.host_says(other)
    world.ready(other)
    told = [(to, "nobody deputises" in text) for to, text in mails(world, other, "S4")]
    assert sorted(told) == sorted([(address(world, head), False), (address(world, coordinator), True)])


def test_the_deputy_takes_over_is_asked_instead_and_declares_first(world: World) -> None:
    ann, ben = world.actor("host", name="Ann"), world.actor("host", name="Ben")
    away(world, ann, ben)
    id = world.received()
    world.route(id, ann)
    inquiry = world.get(id)
    reference = inquiry.reference
    (found,) = deputies.deputising(ben)
    assert (found.name, found.until) == ("Ann", date(2026, 11, 11))
    (asked,) = found.asked
    assert (asked.reference, asked.kind, asked.due_on) == (
        reference,
        AssignmentKind.HOST,
        MONDAY + timedelta(days=14),
    )
    with pytest.raises(NotFound):
        by_reference(reference, seen_by=ben)
    with unit_of_work():
        deputies.take_over(deputies.asked_of_absent(asked.assignment_id, by=ben), by=ben)
    first, second = world.get(id).assignments
    assert first.released_at is not None
    assert (second.user_id, second.kind, second.due_on, second.released_at) == (
        ben.user_id,
        AssignmentKind.HOST,
        asked.due_on,
        None,
    )
    assert world.kinds(id)[-3:] == ["deputy", "released", "assigned"]
    with pytest.raises(NotFound):
        by_reference(reference, seen_by=ben)  # not before the interests are declared
    world.declare(id, ben)
    assert by_reference(reference, seen_by=ben).id == id
    world.do(triage.host_answers, id, inquiries.HostAnswer.YES, by=ben)
    assert deputies.deputising(ben)[0].asked == []
    with pytest.raises(NotFound):
        deputies.asked_of_absent(asked.assignment_id, by=ben)


def test_nobody_else_takes_it_over_and_nobody_after_the_absence(world: World) -> None:
    ann, ben, cid = (world.actor("host", name=name) for name in ("Ann", "Ben", "Cid"))
    away(world, ann, ben, days=2)
    id = world.received()
    world.route(id, ann)
    (assignment,) = world.get(id).assignments
    for other in (cid, ann, world.actor("head"), world.actor("coordinator"), world.visitor):
        with pytest.raises(NotFound):
            deputies.asked_of_absent(assignment.id, by=other)
    mine = deputies.asked_of_absent(assignment.id, by=ben)
    with (
        time_machine.travel(datetime.fromisoformat("2026-11-05T00:01+08:00"), tick=False),
        pytest.raises(NotFound),
        unit_of_work(),
    ):
        deputies.take_over(db.session.get_one(Assignment, mine.id), by=ben)
    with pytest.raises(NotFound):
        deputies.asked_of_absent(999_999, by=ben)


def test_a_reviewer_of_the_same_inquiry_does_not_become_its_host_by_deputising(world: World) -> None:
    ann, ben = world.actor("host", name="Ann"), world.actor("host", "reviewer", name="Ben")
    away(world, ann, ben)
    id = world.received()
    world.route(id, ann)
    world.route(id, ben, kind="reviewer")
    assert deputies.deputising(ben)[0].asked == []


def test_a_suspected_interest_is_a_coordinators_to_judge(world: World) -> None:
    ann, ben = world.actor("host", name="Ann"), world.actor("host", name="Ben")
    with unit_of_work():
        world.user(ben).email = world.user(ben).email_key = "ben@wicken.example"
    away(world, ann, ben)
    id = world.received(email="partner@wicken.example")
    world.route(id, ann)
    (asked,) = deputies.deputising(ben)[0].asked
    with pytest.raises(Conflict, match="coordinator has to judge"), unit_of_work():
        deputies.take_over(deputies.asked_of_absent(asked.assignment_id, by=ben), by=ben)
    assert [one.user_id for one in world.get(id).assignments] == [ann.user_id]


def test_what_a_coordinator_has_in_hand_stands_under_the_name(world: World) -> None:
    ann, ben = world.actor("coordinator", name="Ann"), world.actor("coordinator", name="Ben")
    mine, theirs, closed = world.received(), world.received(), world.received()
    for id in (mine, closed):
        world.do(triage.own, id, world.user(ann), by=ann)
    world.do(triage.declare_conflict, closed, by=ben)
    assert deputies.deputising(ben) == []
    away(world, ann, ben)
    (found,) = deputies.deputising(ben)
    assert [one.reference for one in found.in_hand] == [world.get(mine).reference]
    assert found.asked == []
    assert world.get(theirs).reference not in {one.reference for one in found.in_hand}
    assert deputies.deputising(ann) == []


def test_news_of_a_partner_reach_the_coordinators_deputy(world: World) -> None:
    ann, ben = world.actor("coordinator", name="Ann"), world.actor("coordinator", name="Ben")
    id = world.received()
    world.do(triage.own, id, world.user(ann), by=ann)
    world.ask(id, by=ann)
    away(world, ann, ben)
    world.answer(id)
    lines = [
        (one.user_id, one.mail, one.for_id) for one in db.session.query(DigestLine).filter_by(inquiry_id=id)
    ]
    assert lines == [
        (ann.user_id, "staff_partner_wrote", None),
        (ben.user_id, "staff_partner_wrote", ann.user_id),
    ]


def test_each_is_told_as_wanted_and_an_urgent_one_at_once(world: World) -> None:
    host = world.actor("host")
    with unit_of_work():
        mail_choices.set_wishes(
            world.user(host), {MailKind.GIVEN: Wish.DIGEST, MailKind.RELEASED: Wish.NEVER}, by=host
        )
    quiet, urgent = world.received(), world.received()
    world.do(triage.expedite, urgent, by=world.actor("coordinator"))
    for id in (quiet, urgent):
        world.route(id, host, declared=False)
    assert [to for to, _text in mails(world, quiet, "S1")].count(address(world, host)) == 0
    assert [to for to, _text in mails(world, urgent, "S1")].count(address(world, host)) == 1
    (line,) = db.session.query(DigestLine).filter_by(user_id=host.user_id)
    assert (line.inquiry_id, line.topic, line.mail) == (quiet, "S1", "staff_assigned")
    (assignment,) = world.get(quiet).assignments
    world.do(triage.release, quiet, assignment, by=world.actor("coordinator"))
    assert db.session.query(DigestLine).filter_by(user_id=host.user_id).count() == 1
    assert address(world, host) not in {to for to, _text in mails(world, quiet)}


def test_whoever_finds_another_hears_of_an_absence_at_once_where_nobody_stands_in(world: World) -> None:
    ann, ben = world.actor("host", "reviewer", name="Ann"), world.actor("host", name="Ben")
    coordinator = world.actor("coordinator")
    hosted, reviewed, later, answered = (world.received() for _ in range(4))
    world.route(hosted, ann, days=4)
    world.route(reviewed)
    world.route(reviewed, ann, kind="reviewer", days=4)
    world.route(later, ann, days=40)
    world.route(answered, ann, days=4)
    world.host_says(answered, host=ann)
    with unit_of_work():
        deputies.enter_absence(
            world.user(ann),
            department=world.department,
            first_day=MONDAY,
            last_day=MONDAY + timedelta(days=9),
            deputy=world.user(ben),
            by=ann,
        )
    told = {id: mails(world, id, "S3") for id in (hosted, reviewed, later, answered)}
    assert [len(found) for found in told.values()] == [0, 1, 0, 0], (
        "Ben hosts for Ann, and reviews for nobody"
    )
    ((to, text),) = told[reviewed]
    assert to == address(world, coordinator)
    assert (
        "Ann is asked as reviewer until Fri 6 Nov 2026, is away from Mon 2 Nov 2026 to Wed 11 Nov 2026"
        in text
    )


def test_every_mail_to_staff_is_of_a_kind_and_says_for_whom(app: Any) -> None:
    names = {
        name.split("/")[1]
        for name in app.jinja_env.list_templates()
        if name.startswith("mail/staff_") and name.endswith("body.txt")
    } - {"staff_digest"}
    assert names <= set(staff_mail.KIND_OF), "say of what kind the new mail is"
    assert len(names) >= 15
    from collab.desk import digest

    assert names == set(digest.NEWS)
    assert names > digest.AMONG_THE_DATES
    for name in names:
        source, _path, _fresh = app.jinja_env.loader.get_source(app.jinja_env, f"mail/{name}/body.txt")
        assert source.startswith('{% include "mail/_for_whom.txt" %}'), name


def test_the_rows_of_one_erased_are_gone(world: World) -> None:
    id, host = world.received(), world.actor("host")
    with unit_of_work():
        db.session.add(
            DigestLine(
                user_id=host.user_id or 0,
                inquiry_id=id,
                topic="S1",
                mail="staff_new",
                at=world.get(id).submitted_at,
            )
        )
        db.session.delete(db.session.get_one(Inquiry, id))
    assert db.session.query(DigestLine).count() == 0


def test_what_is_due_before_an_absence_that_begins_later_can_still_be_answered(world: World) -> None:
    ann = world.actor("host", name="Ann")
    world.actor("coordinator")
    before, within = world.received(), world.received()
    world.route(before, ann, days=4)
    world.route(within, ann, days=20)
    with unit_of_work():
        deputies.enter_absence(
            world.user(ann),
            department=world.department,
            first_day=MONDAY + timedelta(days=14),
            last_day=MONDAY + timedelta(days=25),
            deputy=None,
            by=ann,
        )
    assert [len(mails(world, id, "S3")) for id in (before, within)] == [0, 1]
