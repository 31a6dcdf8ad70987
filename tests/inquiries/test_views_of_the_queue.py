"""What the views of the query language bring from the database: the same as looking at every row, at any size."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from collab.accounts import Actor
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import Inquiry, Status, queries, triage
from collab.inquiries.models import InquiryTag, Tag
from collab.inquiries.queries import QueueView
from collab.inquiries.statuses import OURS
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import World

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)  # eleven in the morning where the department is


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def bulk(world: World, number: int) -> None:
    """Rows of every kind, each kind independent of the others."""
    statuses = itertools.cycle(
        [Status.RECEIVED, Status.IN_REVIEW, Status.DECLINED, Status.DECISION_READY, Status.VOID]
    )
    coordinator = world.actor("coordinator").user_id
    with unit_of_work():
        for index, status in zip(range(number), statuses, strict=False):
            sent = NOW - timedelta(days=index % 37, hours=index % 5)
            db.session.add(
                Inquiry(
                    department_id=world.department_id,
                    reference=f"V-{index:05}",
                    track=("visit", "training", "cooperation")[index % 3],
                    status=status,
                    locale=("en", "zh")[index % 2],
                    submission_key=f"view-{index}",
                    full_name="Bulk",
                    email=f"v{index}@example.org",
                    email_key=f"v{index}@example.org",
                    institution_name=("Clínica Uno", "Hospital Two", "示例医院")[index % 3],
                    country=("DE", "CN", "TZ", "FR")[index % 4],
                    area=("unsure", "radiopharmaceuticals")[index % 2],
                    title=f"Number {index}",
                    answers={},
                    privacy_version="1",
                    privacy_acknowledged_at=sent,
                    submitted_at=sent,
                    confirmed_at=sent,
                    status_since=sent,
                    urgency=index % 3,
                    file_count=index % 2,
                    first_answer_at=sent if index % 4 else None,
                    coordinator_id=coordinator if index % 3 == 0 else None,
                    due_at=NOW + timedelta(days=index % 23 - 5, hours=index % 7),
                )
            )


#: The end of this day where the department is, in UTC.
MIDNIGHT = NOW.replace(hour=16)
WAITING = {"received", "in_review"}
TWENTY_DAYS_AGO = MIDNIGHT - timedelta(days=21)


def open_and_due(one: Inquiry, days: int) -> bool:
    limit = MIDNIGHT + timedelta(days=days)
    return one.status in queries.GROUPS["open"] and one.due_at is not None and one.due_at < limit


def in_november(one: Inquiry) -> bool:
    return datetime(2026, 10, 31, 16, tzinfo=UTC) <= one.submitted_at < datetime(2026, 11, 10, 16, tzinfo=UTC)


VIEWS: list[tuple[QueueView, Callable[[Inquiry], bool]]] = [
    (QueueView(pile="received,declined"), lambda one: one.status in {"received", "declined"}),
    (QueueView(pile="-received"), lambda one: one.status not in {"received", "void"}),
    (QueueView(country="DE,TZ"), lambda one: one.country in {"DE", "TZ"}),
    (QueueView(country="-DE"), lambda one: one.country != "DE"),
    (QueueView(country="DE", track="-visit"), lambda one: one.country == "DE" and one.track != "visit"),
    (QueueView(country="FR", area="unsure"), lambda _one: False),
    (QueueView(pile="declined", country="TZ"), lambda one: one.status == "declined" and one.country == "TZ"),
    (QueueView(track="visit,training"), lambda one: one.track in {"visit", "training"}),
    (QueueView(has="file"), lambda one: one.file_count > 0),
    (QueueView(has="-file", pile="received"), lambda one: one.file_count == 0 and one.status == "received"),
    (QueueView(answered="no"), lambda one: one.first_answer_at is None),
    (QueueView(answered="yes", lang="zh"), lambda one: one.first_answer_at is not None and one.locale == "zh"),
    (QueueView(urgency="2"), lambda one: one.urgency == 2),
    (QueueView(urgency="-0", pile="open"), lambda one: one.urgency > 0 and one.status in queries.GROUPS["open"]),
    (QueueView(assigned="-nobody"), lambda one: one.coordinator_id is not None),
    (QueueView(assigned="-me"), lambda one: one.coordinator_id is None),
    (QueueView(assigned="-4711"), lambda _one: True),
    (QueueView(due="<=7d"), lambda one: open_and_due(one, 7)),
    (QueueView(due="overdue"), lambda one: one.status in OURS and one.due_at is not None and one.due_at < NOW),
    (QueueView(due="<=7d", country="DE"), lambda one: open_and_due(one, 7) and one.country == "DE"),
    (QueueView(sent="today"), lambda one: one.submitted_at >= MIDNIGHT - timedelta(days=1)),
    (QueueView(sent=">20d"), lambda one: one.submitted_at < TWENTY_DAYS_AGO),
    (
        QueueView(sent=">20d", pile="received,in_review"),
        lambda one: one.submitted_at < TWENTY_DAYS_AGO and one.status in WAITING,
    ),
    (QueueView(sent="2026-11-01..2026-11-10", lang="en"), lambda one: in_november(one) and one.locale == "en"),
    (QueueView(sort="new"), lambda _one: True),
    (QueueView(sort="new", has="file", pile="open"), lambda one: one.file_count > 0 and open_and_due(one, 99)),
]  # fmt: skip


def expected(view: QueueView, fits: Callable[[Inquiry], bool]) -> list[str]:
    """Every row looked at, sorted by what the view says."""
    ways: dict[str, Callable[[Inquiry], tuple[object, ...]]] = {
        "urgent": lambda one: (-one.urgency, -one.id),
        "new": lambda one: (-one.submitted_at.timestamp(), -one.id),
        "due": lambda one: (one.due_at.timestamp() if one.due_at else 0, one.id),
    }
    rows = [
        one
        for one in db.session.scalars(sa.select(Inquiry))
        if fits(one) and (one.status != "void" or "void" in view.pile)
    ]
    return [one.reference for one in sorted(rows, key=ways[view.order])]


def walked(view: QueueView, actor: Actor, size: int) -> tuple[list[str], list[str], int]:
    """All pages forth, all pages back from the last one, and how many there were."""
    forth, pages = [], 1
    page = queries.queue(view, seen_by=actor, size=size)
    forth += [row.reference for row in page.rows]
    while page.older is not None:
        page = queries.queue(view, seen_by=actor, after=page.older, size=size)
        forth += [row.reference for row in page.rows]
        pages += 1
    back = [row.reference for row in page.rows]
    while page.newer is not None:
        page = queries.queue(view, seen_by=actor, after=page.newer, size=size)
        back = [row.reference for row in page.rows] + back
    return forth, back, pages


@pytest.mark.parametrize("bound", [None, 8], ids=["", "with a bound of 8 rows"])
def test_every_view_shows_what_fits_in_its_order_on_pages_forth_and_back(
    world: World, bound: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bound:
        monkeypatch.setattr(queries, "WALKED", bound)
    bulk(world, 61)
    actor = world.actor("coordinator")
    with clock.pretending(NOW):
        for view, fits in VIEWS:
            right = expected(view, fits)
            forth, back, _pages = walked(view, actor, 4)
            assert forth == right, view
            assert back == right, view


def test_counts_are_those_of_the_queue(world: World) -> None:
    bulk(world, 61)
    actor = world.actor("coordinator")
    views = [view for view, _fits in VIEWS]
    with clock.pretending(NOW), statements(db.engine) as found:
        counts = queries.count(views, seen_by=actor)
    with clock.pretending(NOW):
        assert [(one.number, one.more) for one in counts] == [
            (len(expected(view, fits)), False) for view, fits in VIEWS
        ]
    # One for the counts, and one for where the days are days.
    assert len(asked(found)) == 2


def test_counts_stop_at_their_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk(world, 61)
    monkeypatch.setattr(queries, "COUNTED", 10)
    monkeypatch.setattr(queries, "WALKED", 20)
    actor = world.actor("coordinator")
    plain, narrowed, few = queries.count(
        [QueueView(), QueueView(country="-DE"), QueueView(country="FR", area="unsure")], seen_by=actor
    )
    assert plain == queries.Counted(10, more=True)
    assert narrowed.more
    assert few == queries.Counted(0, more=False)


def test_searches_are_counted_among_their_newest_hits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        world.received(
            title=f"Ligands {number}",
            country="DE" if number else "TZ",
            institution_name="Universität Zürich" if number % 2 else "Elsewhere College",
        )
    closed = world.received(title="Ligands that are mine")
    views = [
        QueueView(q="ligands"),
        QueueView(q="ligands", country="DE"),
        QueueView(institution="zürich"),
        QueueView(q="ligands", institution="zürich", pile="received"),
        QueueView(q="ligands", pile="declined"),
        QueueView(q="nobody-wrote-this"),
        QueueView(),
    ]
    actor = world.actor("coordinator")
    world.declare(closed, actor, yes=["family"])

    def numbers(by: Actor) -> list[tuple[int, bool]]:
        return [(one.number, one.more) for one in queries.count(views, seen_by=by)]

    assert numbers(actor) == [
        (5, False),
        (4, False),
        (2, False),
        (2, False),
        (0, False),
        (0, False),
        (5, False),
    ]
    assert [len(queries.queue(view, seen_by=actor).rows) for view in views] == [5, 4, 2, 2, 0, 0, 5]
    assert numbers(world.actor("viewer")) == [(0, False)] * len(views)
    host = world.actor("host")
    assert [number for number, _more in numbers(host)] == [0] * len(views)
    monkeypatch.setattr(queries, "WALKED", 3)
    assert numbers(actor)[0] == (2, True)  # the newest is closed to this person


def test_institutions_are_found_by_any_part_of_their_name_and_by_nothing_else(world: World) -> None:
    one = world.received(institution_name="Universität Zürich")
    world.received(institution_name="Elsewhere College", title="With the Universität Zürich")
    two = world.received(institution_name="示例市第一人民医院")
    actor = world.actor("coordinator")
    for typed, id in (("zurich", one), ("Universität Zürich", one), ("zürich univ", one), ("人民医院", two)):
        rows = queries.queue(QueueView(institution=typed), seen_by=actor).rows
        assert [row.id for row in rows] == [id], typed
        found = world.get(id)
        assert queries.neighbours(QueueView(institution=typed), found, seen_by=actor) == queries.Neighbours(
            None, None
        )
    assert queries.queue(QueueView(institution="zurich", q="college"), seen_by=actor).rows == []
    assert queries.institutions("zuri", seen_by=actor) == ["Universität Zürich"]


def test_tags(world: World) -> None:
    tagged, other = world.received(), world.received()
    with unit_of_work():
        now = clock.now()
        old = Tag(department_id=world.department_id, name="Old", slug="old", created_at=now)
        new = Tag(department_id=world.department_id, name="New", slug="new", created_at=now)
        db.session.add_all([old, new])
        db.session.flush()
        old.merged_into_id = new.id
        db.session.add(InquiryTag(inquiry_id=tagged, tag_id=new.id, at=now))
    actor = world.actor("coordinator")
    for view in (
        QueueView(tag="new"),
        QueueView(tag="old"),
        QueueView(tag="new", country="DE"),
        QueueView(tag="new", q="ligands"),
    ):
        assert [row.id for row in queries.queue(view, seen_by=actor).rows] == [tagged], view
    assert queries.queue(QueueView(tag="none"), seen_by=actor).rows == []
    assert [one.number for one in queries.count([QueueView(tag="new")], seen_by=actor)] == [1]
    assert other


@pytest.mark.parametrize("view", [view for view, _fits in VIEWS if view.order == "urgent"][:8], ids=str)
def test_neighbours_follow_every_view(world: World, view: QueueView) -> None:
    bulk(world, 31)
    actor = world.actor("coordinator")
    whole = [row.reference for row in queries.queue(view, seen_by=actor, size=100).rows]
    for before, here, behind in zip([None, *whole], whole, [*whole[1:], None], strict=False):
        found = queries.neighbours(view, queries.by_reference(here, seen_by=actor), seen_by=actor)
        assert found == queries.Neighbours(before, behind)


def test_hosts_see_what_they_were_given_in_every_view(world: World) -> None:
    given, other = world.received(country="TZ"), world.received(country="TZ")
    host = world.actor("host")
    world.route(given, host)
    for view in (
        QueueView(country="TZ"),
        QueueView(country="-DE"),
        QueueView(sent="<=7d"),
        QueueView(due="<=90d"),
        QueueView(has="-file"),
        QueueView(sort="new"),
        QueueView(urgency="0"),
        QueueView(institution="beispielstadt"),
    ):
        assert [row.id for row in queries.queue(view, seen_by=host).rows] == [given], view
        counts = queries.count([view], seen_by=host)
        assert [one.number for one in counts] == [1], view
    assert other


def test_a05_a_closed_inquiry_is_in_no_view_no_count_and_no_completion(world: World) -> None:
    id = world.received(country="TZ", institution_name="Closed Institute")
    actor = world.actor("coordinator", name="Interested")
    views = [
        QueueView(country="TZ"),
        QueueView(has="-file"),
        QueueView(sent="today"),
        QueueView(urgency="0"),
        QueueView(sort="new"),
    ]
    assert [one.number for one in queries.count(views, seen_by=actor)] == [1] * 5
    assert queries.institutions("closed", seen_by=actor) == ["Closed Institute"]
    world.do(triage.declare_conflict, id, by=actor)
    assert [one.number for one in queries.count(views, seen_by=actor)] == [0] * 5
    for view in (*views, QueueView(q="ligands"), QueueView(institution="closed")):
        assert queries.queue(view, seen_by=actor).rows == []
    assert queries.institutions("closed", seen_by=actor) == []


# -- what it costs ---------------------------------------------------------------------------------------------------

INDEXES: list[tuple[QueueView, str]] = [
    (QueueView(country="DE,CN"), "ix_inquiry_country"),
    (QueueView(urgency="2"), "ix_inquiry_queue"),
    (QueueView(pile="received", urgency="2"), "ix_inquiry_pile"),
    (QueueView(sort="new"), "ix_inquiry_sent"),
    (QueueView(sent=">20d"), "ix_inquiry_sent"),
    (QueueView(sent=">20d", pile="received"), "ix_inquiry_sent"),
    (QueueView(due="<=7d"), "ix_inquiry_due"),
    (QueueView(country="-DE"), "ix_inquiry_queue"),
    (QueueView(country="DE", has="file"), "ix_inquiry_country"),
    (QueueView(answered="no", pile="received"), "ix_inquiry_pile"),
]


@pytest.mark.one_database
def test_views_are_walked_along_an_index(world: World) -> None:
    bulk(world, 3)
    actor = world.actor("coordinator")
    for view, index in INDEXES:
        ids = queries._walk(view, actor, beyond=False, back=False, size=5)
        given = {"me": actor.user_id, "now": NOW, **queries._days(view, actor)}
        asked = queries._filled(sa.select(ids.source.c.id), given)
        statement = asked.compile(db.engine, compile_kwargs={"literal_binds": True})
        plan = "\n".join(row[3] for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {statement}")))
        assert index in plan, (view, plan)
        assert "SCAN inquiry" not in plan, (view, plan)
        # One walk is in its index's order by itself; several are merged.
        if len(queries._starts(view, actor)) == 1:
            assert "TEMP B-TREE" not in plan.split("CO-ROUTINE")[-1], (view, plan)


def test_a_page_of_any_view_takes_a_fixed_number_of_queries(world: World) -> None:
    actor = world.actor("coordinator")
    cost: dict[int, list[int]] = {}
    for number in (3, 60):
        with unit_of_work():
            db.session.execute(sa.delete(Inquiry))
        bulk(world, number)
        cost[number] = []
        for view, _fits in VIEWS:
            db.session.rollback()
            with statements(db.engine) as found:
                queries.queue(view, seen_by=actor)
            cost[number].append(len(asked(found)))
    # Rows of another pile, the people beside the rows; a view of days asks where the department is.
    assert max(cost[60]) <= 4
    assert all(few <= many <= few + 1 for few, many in zip(cost[3], cost[60], strict=True))
