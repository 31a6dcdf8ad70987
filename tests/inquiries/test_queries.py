"""Who sees which inquiries, and the queue: order, filters, search, paging, and what it costs."""

import itertools
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from collab import accounts
from collab.accounts import Actor, Membership, Role
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Invalid, NotFound
from collab.departments import Department
from collab.departments.tracks import Track
from collab.inquiries import Inquiry, Status, likeness, queries, triage
from collab.inquiries.queries import GROUPS, SORTS, QueueView
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import World, other_department

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


@pytest.fixture
def elsewhere(world: World, tmp_path: Path) -> World:
    """A second department with people and inquiries of its own."""
    return World(other_department(tmp_path / "another"))


def references(view: QueueView, actor: Actor, *, size: int = 100) -> list[str]:
    return [row.reference for row in queries.queue(view, seen_by=actor, size=size).rows]


def reference(world: World, id: int) -> str:
    return world.get(id).reference


# -- who sees what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["coordinator", "head"])
def test_some_roles_see_all_of_their_department(world: World, elsewhere: World, role: str) -> None:
    ours, unconfirmed, theirs = world.received(), world.submit(), elsewhere.received()
    actor = world.actor(role)
    assert queries.by_reference(reference(world, ours), seen_by=actor).id == ours
    assert queries.by_reference(reference(world, unconfirmed), seen_by=actor).id == unconfirmed
    with pytest.raises(NotFound):
        queries.by_reference(reference(elsewhere, theirs), seen_by=actor)
    assert references(QueueView(), actor) == [reference(world, ours)]


@pytest.mark.parametrize("role", ["host", "reviewer"])
def test_hosts_and_reviewers_see_what_they_were_given(world: World, role: str) -> None:
    given, other, unconfirmed = world.received(), world.received(), world.submit()
    actor = world.actor(role)
    world.route(given, actor, kind=role)
    assert queries.by_reference(reference(world, given), seen_by=actor).id == given
    for hidden in (other, unconfirmed):
        with pytest.raises(NotFound):
            queries.by_reference(reference(world, hidden), seen_by=actor)
    assert references(QueueView(), actor) == [reference(world, given)]
    assert references(QueueView(q="ligands"), actor) == [reference(world, given)]
    assert queries.piles(actor).by_status == {Status.IN_REVIEW: 1}

    world.do(triage.release, given, world.get(given).assignments[0], by=world.actor("coordinator"))
    with pytest.raises(NotFound):
        queries.by_reference(reference(world, given), seen_by=actor)


@pytest.mark.parametrize("role", ["viewer", "admin", "compliance", "radiation_safety_officer"])
def test_other_roles_see_none(world: World, role: str) -> None:
    id = world.received()
    actor = world.actor(role)
    with pytest.raises(NotFound):
        queries.by_reference(reference(world, id), seen_by=actor)
    assert references(QueueView(), actor) == []
    assert not queries.piles(actor).anything


def test_a_declared_conflict_closes_everything(world: World) -> None:
    id, other = world.received(), world.received()
    name = reference(world, id)
    coordinator = world.actor("coordinator", name="Interested")
    world.do(triage.declare_conflict, id, by=coordinator)
    with pytest.raises(NotFound):
        queries.by_reference(name, seen_by=coordinator)
    assert references(QueueView(), coordinator) == [reference(world, other)]
    assert references(QueueView(q="ligands"), coordinator) == [reference(world, other)]
    assert queries.references([id, other], seen_by=coordinator) == {other: reference(world, other)}
    assert queries.closed_to(coordinator, [id, other, None]) == {id}
    assert [one.reference for one in likeness.hits(world.get(other), seen_by=coordinator)] == []
    assert queries.neighbours(QueueView(), world.get(other), seen_by=coordinator) == queries.Neighbours(
        None, None
    )
    waiting = queries.waits_for_me(coordinator)
    assert [row.reference for row in waiting.news] == [reference(world, other)]
    assert queries.piles(coordinator).unread == 1


def test_people_with_roles_in_two_departments(world: World, elsewhere: World) -> None:
    ours, theirs = world.received(), elsewhere.received()
    one = world.actor("coordinator", name="Both")
    with unit_of_work():
        db.session.add(Membership(user_id=one.user_id, department_id=elsewhere.department_id, role=Role.HOST))
    both = accounts.actor_of(world.user(one))
    assert references(QueueView(), both) == [reference(world, ours)]  # nothing was given to the host
    elsewhere.do(
        triage.route,
        theirs,
        world.user(both),
        due_on=elsewhere.today + timedelta(days=5),
        by=elsewhere.actor("coordinator"),
    )
    assert references(QueueView(), both) == [reference(world, ours)]  # given, and no interest declared yet
    elsewhere.declare(theirs, both)
    assert references(QueueView(), both) == [reference(elsewhere, theirs), reference(world, ours)]


# -- the view in the address -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "everything"),
        ("status", "RECEIVED"),
        ("track", "spam"),
        ("area", "a' OR 1=1--"),
        ("country", "XX1"),
        ("country", "de"),
        ("assigned", "0"),
        ("assigned", "--1"),
        ("assigned", "-0"),
        ("assigned", "9999999999"),
        ("late", "yes"),
        ("unread", "0"),
        ("erasure", "true"),
        ("sort", "urgency; DROP TABLE inquiry"),
        ("sort", "id"),
        ("q", "x" * 201),
        ("q", "a\u202eb"),
        ("q", "a\x00b"),
    ],
)
def test_what_no_view_has_is_refused(name: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        QueueView.parse({name: [value]})
    assert refused.value.field == name


def test_what_is_empty_or_unknown_is_left_out() -> None:
    assert QueueView.parse({"status": [""], "q": ["  "], "colour": ["red"], "page": ["7"]}) == QueueView()


@given(
    st.builds(
        QueueView,
        pile=st.sampled_from(["", *GROUPS, *map(str, Status)]),
        track=st.sampled_from(["", *Track, "training,visit", "-visit"]),
        area=st.sampled_from(["", "radiopharmaceuticals"]),
        country=st.sampled_from(["", "DE", "TW"]),
        assigned=st.sampled_from(["", "me", "nobody", "17"]),
        late=st.booleans(),
        unread=st.booleans(),
        erasure=st.booleans(),
        q=st.sampled_from(["", "配体 ligand", "100%_\\", "(a+)+$"]),
        sort=st.sampled_from(SORTS),
    )
)
def test_the_address_holds_the_whole_view(view: QueueView) -> None:
    assert QueueView.parse({name: [value] for name, value in view.to_args().items()}) == view


# -- filters, order, search ------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(world: World) -> dict[str, int]:
    """One inquiry of each kind the filters tell apart."""
    found = {
        "plain": world.received(),
        "visit": world.received("visit", country="TZ", area="thyroid_i131"),
        "chinese": world.received("training", country="CN", institution_name="示例市第一人民医院"),
        "asked": world.at("needs_info"),
        "given": world.at("in_review"),
        "declined": world.at("declined"),
        "void": world.at("void"),
        "unconfirmed": world.submit(),
        "urgent": world.received(),
        "late": world.received(),
    }
    world.do(triage.expedite, found["urgent"], by=world.actor("coordinator", name="Second"))
    with unit_of_work():
        world.get(found["late"]).due_at = clock.now() - timedelta(days=2)
    return found


FILTERS: list[tuple[QueueView, str]] = [
    (QueueView(), "urgent late declined given asked chinese visit plain"),
    (QueueView(pile="open"), "urgent late given asked chinese visit plain"),
    (QueueView(pile="received"), "urgent late chinese visit plain"),
    (QueueView(pile="closed"), "declined"),
    (QueueView(pile="void"), "void"),
    (QueueView(pile="unconfirmed"), "unconfirmed"),
    (QueueView(track=Track.VISIT), "visit"),
    (QueueView(area="thyroid_i131"), "visit"),
    (QueueView(country="CN"), "chinese"),
    (QueueView(late=True), "late"),
    (QueueView(late=True, sort="due"), "late"),
    (QueueView(late=True, pile="closed"), ""),
    (QueueView(unread=True), "late chinese visit plain"),
    (QueueView(assigned="nobody"), "late chinese visit plain"),
    (QueueView(assigned="nobody", pile="received", track=Track.TRAINING), "chinese"),
    (QueueView(assigned="me"), "declined given asked"),
    (QueueView(assigned="me", pile="open"), "given asked"),
    (QueueView(q="ligands"), "late urgent declined given asked plain"),
    (QueueView(q="ligands", pile="closed"), "declined"),
    (QueueView(q="示例市"), "chinese"),
    (QueueView(q="示例市", track=Track.VISIT), ""),
    (QueueView(q="beispielstadt", country="TZ"), "visit"),
    (QueueView(q="%"), ""),
]


def test_filters(world: World, mixed: dict[str, int]) -> None:
    names = {reference(world, id): name for name, id in mixed.items()}
    actor = world.actor("coordinator")
    found = {view: " ".join(names[one] for one in references(view, actor)) for view, _expected in FILTERS}
    assert found == dict(FILTERS)


def test_what_is_due_first(world: World, mixed: dict[str, int]) -> None:
    rows = queries.queue(QueueView(sort="due"), seen_by=world.actor("coordinator")).rows
    assert [row.due_at for row in rows] == sorted(row.due_at for row in rows if row.due_at)
    assert rows[0].id == mixed["late"]
    assert mixed["declined"] not in {row.id for row in rows}


def test_erasure_wishes(world: World) -> None:
    from collab import inquiries

    id = world.received()
    world.received()
    world.do(inquiries.ask_for_erasure, id, by=world.visitor)
    assert references(QueueView(erasure=True), world.actor("coordinator")) == [reference(world, id)]
    assert queries.piles(world.actor("coordinator")).erasure == 1


def test_rows_say_who_has_it(world: World) -> None:
    id = world.received()
    host = world.actor("host", name="Hua")
    world.route(id, host)
    (row,) = queries.queue(QueueView(), seen_by=world.actor("coordinator")).rows
    assert (row.coordinator, row.with_people) == (world.actor("coordinator").name, ("Hua",))
    world.host_says(id, host=host)
    (row,) = queries.queue(QueueView(), seen_by=world.actor("coordinator")).rows
    assert row.with_people == ()


# -- paging ----------------------------------------------------------------------------------------------------------


def bulk(world: World, number: int) -> None:
    """Many rows at once, all found by one word."""
    from collab import search

    now = clock.now()
    statuses = itertools.cycle([Status.RECEIVED, Status.IN_REVIEW, Status.DECLINED, Status.DECISION_READY])
    with unit_of_work():
        for index, status in zip(range(number), statuses, strict=False):
            inquiry = Inquiry(
                department_id=world.department_id,
                reference=f"B-{index:05}",
                track=Track.VISIT,
                status=status,
                locale="en",
                submission_key=f"bulk-{index}",
                full_name="Bulk",
                email=f"b{index}@example.org",
                email_key=f"b{index}@example.org",
                institution_name="Bulk University",
                country="DE",
                area="unsure",
                title=f"Number {index}",
                answers={},
                privacy_version="1",
                privacy_acknowledged_at=now,
                submitted_at=now,
                confirmed_at=now,
                status_since=now,
                urgency=index % 3,
                due_at=now + timedelta(hours=index * 7 % 50),
            )
            db.session.add(inquiry)
            db.session.flush()
            search.index("inquiry", inquiry.id, department_id=world.department_id, text="common words here")


VIEWS = [
    QueueView(),
    QueueView(pile="open"),
    QueueView(pile="received"),
    QueueView(sort="due"),
    QueueView(sort="due", pile="in_review"),
    QueueView(q="common"),
    QueueView(q="common", pile="open"),
]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_pages_lead_through_all_rows_and_back(world: World, view: QueueView) -> None:
    bulk(world, 31)
    actor = world.actor("coordinator")
    whole = references(view, actor)
    assert len(whole) == len(set(whole)) > 0
    forth: list[list[str]] = []
    page = queries.queue(view, seen_by=actor, size=4)
    assert page.newer is None
    while True:
        forth.append([row.reference for row in page.rows])
        if page.older is None:
            break
        page = queries.queue(view, seen_by=actor, after=page.older, size=4)
    assert list(itertools.chain.from_iterable(forth)) == whole
    back = [forth[-1]]
    while page.newer is not None:
        page = queries.queue(view, seen_by=actor, after=page.newer, size=4)
        back.append([row.reference for row in page.rows])
    assert list(reversed(back)) == forth


@pytest.mark.parametrize("view", [QueueView(), QueueView(sort="due"), QueueView(q="common")], ids=str)
def test_neighbours_follow_the_queue(world: World, view: QueueView) -> None:
    bulk(world, 9)
    actor = world.actor("coordinator")
    whole = references(view, actor)
    for before, here, behind in zip([None, *whole], whole, [*whole[1:], None], strict=False):
        found = queries.neighbours(view, queries.by_reference(here, seen_by=actor), seen_by=actor)
        assert found == queries.Neighbours(before, behind)


CURSORS = [
    "x",
    "W10",
    "WzAsMV0",
    "WzAsIngiLCJ5Il0",
    "WzAsMSwyLDNd",
    "WzAsbnVsbCxudWxsXQ",
    "é" * 40,
    "WzAsdHJ1ZSwxXQ",
]


@pytest.mark.parametrize("view", [QueueView(), QueueView(sort="due"), QueueView(q="common")], ids=str)
def test_a_forged_cursor_is_refused_or_harmless(world: World, view: QueueView) -> None:
    bulk(world, 3)
    for cursor in CURSORS:
        try:
            page = queries.queue(view, seen_by=world.actor("coordinator"), after=cursor)
        except Invalid as refused:
            assert refused.field == "after"  # noqa: PT017
        else:
            assert {row.reference for row in page.rows} <= {"B-00000", "B-00001", "B-00002"}


def test_a_search_with_filters_goes_on_behind_its_bound(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk(world, 40)
    monkeypatch.setattr(queries, "SEARCHED", 10)
    actor = world.actor("coordinator")
    view = QueueView(q="common", pile="declined")
    found: list[str] = []
    page = queries.queue(view, seen_by=actor, size=25)
    pages = 1
    while page.older is not None:
        found += [row.reference for row in page.rows]
        page = queries.queue(view, seen_by=actor, after=page.older, size=25)
        pages += 1
    found += [row.reference for row in page.rows]
    assert pages >= 4
    assert found == [f"B-{index:05}" for index in range(38, 0, -4)]


# -- piles, what waits, people ---------------------------------------------------------------------------------------


def test_piles_count_what_is_kept(world: World, mixed: dict[str, int]) -> None:
    piles = queries.piles(world.actor("coordinator"))
    kept = {str(status): number for status, number in piles.by_status.items() if number}
    assert kept == world.counts() == world.real_counts()
    assert (piles.late, piles.unread) == (1, 4)
    assert piles.of(Status.RECEIVED, Status.DECLINED) == 6


def test_what_waits_for_each(world: World) -> None:
    new, asked_host, to_decide, all_in = (
        world.received(),
        world.received(),
        world.at("decision_ready"),
        world.received(),
    )
    unconfirmed = world.submit()
    host, other = world.actor("host", name="Waiting"), world.actor("host", name="Done")
    world.route(asked_host, host)
    world.route(all_in, other)
    world.host_says(all_in, host=other)

    def waits(actor: Actor) -> dict[str, list[int]]:
        found = queries.waits_for_me(actor)
        return {
            "to_answer": [row.id for _one, row in found.to_answer],
            "to_decide": [row.id for row in found.to_decide],
            "news": [row.id for row in found.news],
            "to_finish": [row.id for row in found.to_finish],
            "unconfirmed": [row.id for row in found.unconfirmed],
        }

    nothing: dict[str, list[int]] = {
        "to_answer": [], "to_decide": [], "news": [], "to_finish": [], "unconfirmed": [],
    }  # fmt: skip
    assert waits(host) == {**nothing, "to_answer": [asked_host]}
    assert waits(other) == nothing
    assert waits(world.actor("head")) == {**nothing, "to_decide": [to_decide]}
    assert waits(world.actor("coordinator")) == {
        **nothing, "news": [new], "to_finish": [all_in], "unconfirmed": [unconfirmed],
    }  # fmt: skip
    for actor, number in ((host, 1), (other, 0), (world.actor("head"), 1), (world.actor("coordinator"), 1)):
        assert queries.piles(actor).mine == number


def test_nobody_is_asked_to_decide_on_what_he_hosts(world: World) -> None:
    both = world.actor("head", "host", name="Both")
    id = world.received()
    world.route(id, both)
    world.host_says(id, host=both)
    world.ready(id)
    assert queries.waits_for_me(both).to_decide == []
    assert queries.piles(both).mine == 0
    assert [row.id for row in queries.waits_for_me(world.actor("head")).to_decide] == [id]


def test_people_with_fewest_answers_to_give_come_first(world: World) -> None:
    busy, free = world.actor("host", name="Busy"), world.actor("host", name="Free")
    interested = world.actor("host", name="Interested")
    gone = world.actor("host", name="Gone")
    id = world.received()
    for other in (world.received(), world.received()):
        world.route(other, busy)
    world.route(id, interested)
    world.do(triage.declare_conflict, id, by=interested)
    with unit_of_work():
        world.user(gone).disabled_at = clock.now()
    found = queries.people_for(world.get(id), Role.HOST)
    assert [(one.user.name, one.waiting) for one in found] == [("Free", 0), ("Busy", 2)]
    assert free.name == "Free"


def test_earlier_ones_of_the_same_person_or_institution(world: World) -> None:
    person = world.received(email="one@example.org", institution_name="First University")
    institution = world.received(institution_name="Second University")
    world.received(institution_name="Third University")
    id = world.received(email="One@Example.org", institution_name="Second University")
    hits = likeness.hits(world.get(id), seen_by=world.actor("coordinator"))
    found = {one.reference: (one.same_address, one.same_institution) for one in hits}
    assert found[reference(world, person)] == (True, False)
    assert found[reference(world, institution)] == (False, True)


# -- what it costs ---------------------------------------------------------------------------------------------------


def cost(work: object) -> int:
    db.session.rollback()
    db.session.expire_all()
    with statements(db.engine) as found:
        work()  # type: ignore[operator]
    return len(asked(found))


def test_as_many_queries_for_three_rows_as_for_thirty(world: World) -> None:
    actor = world.actor("coordinator")
    bulk(world, 3)

    def costs() -> list[int]:
        return [cost(lambda view=view: queries.queue(view, seen_by=actor)) for view in VIEWS] + [
            cost(lambda: queries.piles(actor)),
            cost(lambda: queries.waits_for_me(actor)),
        ]

    few = costs()
    with unit_of_work():
        db.session.execute(sa.delete(Inquiry))
    bulk(world, 30)
    assert costs() == few
    assert max(few) <= 4


INDEXES: list[tuple[QueueView, str]] = [
    (QueueView(), "ix_inquiry_queue"),
    (QueueView(pile="received"), "ix_inquiry_pile"),
    (QueueView(pile="open"), "ix_inquiry_pile"),
    (QueueView(track=Track.VISIT), "ix_inquiry_track"),
    (QueueView(area="unsure"), "ix_inquiry_area"),
    (QueueView(country="DE"), "ix_inquiry_country"),
    (QueueView(unread=True), "ix_inquiry_unread"),
    (QueueView(pile="received", sort="due"), "ix_inquiry_due"),
]


@pytest.mark.one_database
def test_the_queue_is_walked_along_an_index(world: World) -> None:
    bulk(world, 3)
    for view, index in INDEXES:
        actor = world.actor("coordinator")
        ids = queries._walk(view, actor, beyond=False, back=False, size=5)
        asked = sa.select(ids.source.c.id).params(me=actor.user_id)
        statement = asked.compile(db.engine, compile_kwargs={"literal_binds": True})
        plan = "\n".join(row[3] for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {statement}")))
        assert index in plan, (view, plan)
        assert "SCAN inquiry" not in plan, (view, plan)
