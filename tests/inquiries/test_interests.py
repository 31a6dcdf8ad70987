"""Interests: declared before the file opens, one yes closes it, and what the portal suspects."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from collab import inquiries, reviews
from collab.accounts import Actor
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.inquiries import AssignmentKind, by_reference, interests, queries, triage
from collab.inquiries.interests import (
    Link,
    domain_of,
    name_key,
    same_institution_name,
    same_name,
    same_place,
)
from collab.inquiries.models import Conflict as Closed
from collab.inquiries.models import Declaration
from tests.support.world import World, refusal


def links(world: World, id: int, actor: Actor) -> dict[Link, str]:
    found = interests.suggest(world.get(id), [world.user(actor)], seen_by=world.actor("coordinator"))
    return {one.link: one.detail for one in found[world.user(actor).id]}


# -- declaring -------------------------------------------------------------------------------------------------------


def test_it_opens_when_all_answers_are_no(world: World) -> None:
    host, id = world.actor("host"), world.received()
    world.route(id, host, declared=False)
    reference = world.get(id).reference
    with pytest.raises(NotFound):
        by_reference(reference, seen_by=host)
    with pytest.raises(Forbidden, match="First say whether"):
        world.do(triage.host_answers, id, inquiries.HostAnswer.YES, by=host)
    asked = interests.asked_of(reference, seen_by=host)
    assert asked is not None
    assert (asked.reference, asked.full_name) == (reference, world.get(id).full_name)
    assert not hasattr(asked, "title")
    waiting = queries.waits_for_me(host)
    assert ([one.reference for one in waiting.to_declare], waiting.to_answer) == ([reference], [])
    world.declare(id, host)
    assert by_reference(reference, seen_by=host).id == id
    assert interests.asked_of(reference, seen_by=host) is None
    waiting = queries.waits_for_me(host)
    assert (waiting.to_declare, len(waiting.to_answer)) == ([], 1)
    kept = db.session.get_one(Declaration, (id, host.user_id))
    assert (kept.clean, kept.answers) == (True, dict.fromkeys(interests.QUESTIONS, False))
    assert kept.declared_at is not None
    assert world.kinds(id)[-1] == "declared"


@pytest.mark.parametrize("question", interests.QUESTIONS)
def test_one_yes_closes_it(world: World, question: str) -> None:
    host, id = world.actor("host"), world.received()
    world.route(id, host, declared=False)
    before = len(world.mails(id))
    world.declare(id, host, yes=[question])
    inquiry = world.get(id)
    assert inquiry.assignments[0].released_at is not None
    with pytest.raises(NotFound):
        by_reference(inquiry.reference, seen_by=host)
    with pytest.raises(NotFound):
        interests.asked_of(inquiry.reference, seen_by=host)
    (told,) = world.mails(id)[before:]
    assert told.to_address == world.user(world.actor("coordinator")).email
    assert host.name in told.body_text
    assert "conflict" in world.kinds(id)
    # Nobody opens it again, and he cannot be asked again.
    with pytest.raises(Forbidden):
        world.declare(id, host)
    with pytest.raises(Invalid, match="declared a conflict"):
        world.route(id, host)


def test_every_question_is_answered_by_yes_or_no(world: World) -> None:
    host, id = world.actor("host"), world.received()
    world.route(id, host, declared=False)
    for question in interests.QUESTIONS:
        for answer in (None, "no", 0):
            answers = dict.fromkeys(interests.QUESTIONS, False) | {question: answer}
            problem = refusal(interests.declare, world.get(id), answers, by=host)
            assert isinstance(problem, Invalid)
            assert problem.field == question
    assert isinstance(refusal(interests.declare, world.get(id), {}, by=host), Invalid)


def test_only_whoever_is_concerned_declares(world: World) -> None:
    id = world.received()
    none = dict.fromkeys(interests.QUESTIONS, False)
    for actor in (world.actor("host"), world.actor("reviewer"), world.actor("viewer"), world.visitor):
        assert isinstance(refusal(interests.declare, world.get(id), none, by=actor), Forbidden)
    with pytest.raises(NotFound):
        interests.asked_of(world.get(id).reference, seen_by=world.actor("reviewer"))
    for role in ("coordinator", "head"):
        world.declare(id, world.actor(role))


def test_what_was_declared_stays(world: World) -> None:
    head, id = world.actor("head"), world.received()
    world.declare(id, head)
    first = db.session.get_one(Declaration, (id, head.user_id)).declared_at
    world.declare(id, head, yes=["money"])  # a second page that was still open changes nothing
    kept = db.session.get_one(Declaration, (id, head.user_id))
    assert (kept.clean, kept.declared_at) == (True, first)
    # An interest that comes up later is declared as such.
    world.do(triage.declare_conflict, id, by=head)
    with pytest.raises(NotFound):
        by_reference(world.get(id).reference, seen_by=head)


def test_the_head_declares_before_deciding(world: World) -> None:
    id, head = world.at("decision_ready"), world.actor("head", name="New")

    def decide() -> None:
        reviews.decide(
            world.get(id),
            reviews.Verdict.ACCEPT,
            because="Good.",
            letter="Dear",
            facts=world.facts("accept"),
            by=head,
        )

    problem = refusal(decide)
    assert isinstance(problem, Forbidden)
    assert "First say whether" in problem.message
    world.declare(id, head)
    assert refusal(decide) is None


def test_the_host_of_the_very_visit_does_not_review_it(world: World) -> None:
    both = world.actor("host", "reviewer")
    id = world.received()
    world.route(id, both)
    world.host_says(id, "yes", both)
    (assignment,) = world.get(id).assignments
    world.do(lambda one, **by: triage.release(one, assignment, **by), id, by=world.actor("coordinator"))
    with pytest.raises(Invalid, match="cannot be host and reviewer"):
        world.route(id, both, kind="reviewer")


@pytest.mark.parametrize("light", [False, True])
def test_a_blind_reading_names_nobody(world: World, light: bool) -> None:
    content = world.department.settings.as_json()
    content["review"]["blind"] = True
    with unit_of_work():
        department = world.department
        department.content, department.content_digest = content, "blind"
    id = world.received()
    if light:
        from collab.inquiries.models import LightPath

        world.do(reviews.take_path, id, LightPath.QUESTION, by=world.actor("coordinator"))
    host, reviewer, head = world.actor("host"), world.actor("reviewer"), world.actor("head")
    world.route(id, host, declared=False)
    world.route(id, reviewer, kind="reviewer", declared=False)
    reference = world.get(id).reference
    blind = {
        name: interests.asked_of(reference, seen_by=actor)
        for name, actor in (("host", host), ("reviewer", reviewer), ("head", head))
    }
    assert {name: one.blind for name, one in blind.items() if one} == {
        "host": False, "reviewer": not light, "head": False,
    }  # fmt: skip
    shown = blind["reviewer"]
    assert shown is not None
    assert bool(shown.full_name or shown.institution_name or shown.country or shown.suggested) is light


# -- what the portal suspects ----------------------------------------------------------------------------------------


def test_the_same_place_or_name(world: World) -> None:
    id = world.received(email="mueller@med.uni-beispiel.de", full_name="Prof. Dr. Anna Müller")
    plain = world.actor("reviewer", name="Somebody Else")
    assert links(world, id, plain) == {}
    for address, common in (
        ("x@uni-beispiel.de", True), ("x@med.uni-beispiel.de", True), ("x@abc.med.uni-beispiel.de", True),
        ("x@beispiel.de", False), ("x@notuni-beispiel.de", False), ("x@gmail.com", False),
    ):  # fmt: skip
        with unit_of_work():
            world.user(plain).email = address
        assert (Link.DOMAIN in links(world, id, plain)) is common, address
    assert Link.NAME in links(world, id, world.actor("reviewer", name="MUELLER Anna".replace("UE", "ü")))


def test_a_mailbox_anybody_can_have_says_nothing(world: World) -> None:
    for address in ("one@gmail.com", "one@QQ.com", "one@163.com"):
        id = world.received(email=address)
        person = world.actor("reviewer", name=address)
        with unit_of_work():
            world.user(person).email = f"two@{address.partition('@')[2]}"
        assert links(world, id, person) == {}, address
    assert domain_of("a@outlook.com") == ""
    assert domain_of("a@uni.edu.cn") == "uni.edu.cn"


def test_our_own_institution(world: World) -> None:
    person = world.actor("reviewer")
    own = world.department.settings.institution
    for name in (own.en, own.en.upper(), own.zh, f"{own.en}, Building 5"):
        id = world.received(institution_name=name)
        assert Link.INSTITUTION in links(world, id, person), name
    assert Link.INSTITUTION not in links(world, world.received(institution_name="Another Hospital"), person)


def test_earlier_cooperation(world: World) -> None:
    first = world.received(email="anna@somewhere.example", institution_name="One University")
    host, reviewer, idle = (world.actor(role, name=role) for role in ("host", "reviewer", "reviewer"))
    idle = world.actor("reviewer", name="Idle")
    world.route(first, host)
    world.route(first, reviewer, kind="reviewer")
    reference = world.get(first).reference
    same = world.received(email="Anna@somewhere.example", institution_name="Elsewhere")
    place = world.received(email="bob@somewhere-else.example", institution_name="One University")
    assert links(world, same, host) == {Link.EARLIER_PERSON: reference}
    assert links(world, place, reviewer) == {Link.EARLIER_INSTITUTION: reference}
    assert links(world, same, idle) == links(world, world.received(institution_name="New"), host) == {}
    # Whoever may not see the earlier one does not learn its reference.
    stranger = world.actor("host", name="Stranger")
    (told,) = interests.suggest(world.get(same), [world.user(host)], seen_by=stranger)[world.user(host).id]
    assert (told.link, told.detail) == (Link.EARLIER_PERSON, "")


def test_a_suspicion_has_to_be_judged(world: World) -> None:
    id, person, coordinator = (
        world.received(email="x@uni.example"),
        world.actor("host"),
        world.actor("coordinator"),
    )
    with unit_of_work():
        world.user(person).email = "y@uni.example"
    given = {"kind": AssignmentKind.HOST, "due_on": world.today + timedelta(days=5), "by": coordinator}
    with pytest.raises(
        Invalid, match="may have a conflict of interest: an e-mail address at the same place"
    ) as refused:
        world.do(triage.route, id, world.user(person), **given)
    assert refused.value.field == "despite"
    assert world.get(id).status == "received"
    world.do(triage.route, id, world.user(person), despite=True, **given)
    event = db.session.scalar(sa.select(inquiries.InquiryEvent).filter_by(inquiry_id=id, kind="assigned"))
    assert event is not None
    assert event.data is not None
    assert event.data["despite"] == ["domain"]


def test_suspecting_costs_the_same_for_many(world: World) -> None:
    from tests.support.statements import queries as asked
    from tests.support.statements import statements

    id = world.received(email="x@uni.example")
    inquiry, people = world.get(id), [world.user(world.actor("reviewer", name=f"R {n}")) for n in range(12)]
    counts, reader = [], world.actor("coordinator")
    assert inquiry.department.settings.institution
    assert all(person.name for person in people)  # read before it is counted
    for few in (people[:1], people):
        with statements(db.engine) as found:
            interests.suggest(inquiry, few, seen_by=reader)
        counts.append(len(asked(found)))
    assert counts[0] == counts[1] <= 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("West Hospital", "The West Hospital", True),
        ("West Hospital", "west  HOSPITAL.", True),
        ("West Hospital", "Hospital West", False),
        ("West Hospital", "West Hospital of East University", True),
        ("Hospital", "West Hospital", False),
        ("第一人民医院", "某市第一人民医院", True),
        ("", "", False),
    ],
)
def test_two_spellings_of_one_institution(one: str, other: str, same: bool) -> None:
    assert same_institution_name(one, other) is same
    assert same_institution_name(other, one) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Li Wei 李伟", "Wei Li", True),
        ("Li Wei 李伟", "李伟", True),
        ("Jörg Müller", "Joerg Mueller", True),
        ("Prof. Dr. med. habil. José Núñez, MSc", "nunez JOSE", True),
        ("Dipl. Sukarno", "Sukarno", True),
        ("王 伟", "王 芳", False),
        ("Li Wei 李伟", "Li Na 李娜", False),
        ("Anna Schmidt", "Anna Weber", False),
        ("Prof. Dr.", "Dr. Prof.", False),
        ("", "", False),
    ],
)
def test_two_spellings_of_one_name(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
    assert same_name(other, one) is same


def test_a_name_in_two_scripts_is_suspected(world: World) -> None:
    id, host = world.received(full_name="Li Wei 李伟"), world.actor("host", name="Wei Li")
    assert Link.NAME in links(world, id, host)


def test_names_and_domains() -> None:
    assert name_key("Dr. med. José Núñez") == name_key("nunez JOSE")
    assert name_key("王 伟") != name_key("王 芳")
    assert same_place("a.edu.cn", "x.a.edu.cn")
    assert not same_place("a.edu.cn", "b.edu.cn")
    assert not same_place("", "")


def test_closing_twice_tells_once(world: World) -> None:
    id, person = world.received(), world.actor("coordinator", name="Again")
    for _ in range(2):
        world.do(triage.declare_conflict, id, by=person)
    assert world.kinds(id).count("conflict") == 1
    assert db.session.query(Closed).filter_by(inquiry_id=id).count() == 1
    with pytest.raises((Forbidden, Conflict)):
        world.do(triage.expedite, id, by=person)
