"""The kept sums are what counting gives, whatever happened and in whatever order."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from collab import inquiries, privacy
from collab.core.db import db, unit_of_work
from collab.inquiries import Inquiry, triage
from collab.jobs.figures import keep_sums
from collab.reports import keeping
from collab.reports.facts import Cell, Measure, count
from collab.reports.models import Figure, FigureDue, FigureSum
from tests.inquiries.test_random_histories import Department
from tests.support.databases import Databases
from tests.support.world import World


def sums() -> dict[Cell, int]:
    rows = db.session.execute(sa.select(*(getattr(FigureSum, name) for name in Cell._fields), FigureSum.n))
    return {Cell(*row[:-1]): row[-1] for row in rows if row[-1]}


def counted() -> dict[Cell, int]:
    """Every inquiry counted, without anything kept."""
    ids = list(db.session.scalars(sa.select(Inquiry.id)))
    return dict(count(list(keeping.current(ids).values())))


def test_random_histories_are_counted_right(world: World) -> None:
    class Here(Department):
        """The worker counts now and then; who reads in between counts what is noted."""

        @rule()
        def the_worker_counts(self) -> None:
            keep_sums()
            assert sums() == counted()

        @invariant()
        def nothing_is_missing(self) -> None:
            assert list(keeping.differences()) == []

    Here.world = world
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=4,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    world.received()
    keep_sums()
    assert sums() == counted()
    assert {cell.measure for cell in sums()} == {*Measure}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(FigureDue)) == 0


def of(measure: Measure) -> int:
    return sum(n for cell, n in sums().items() if cell.measure == measure)


def test_what_is_deleted_is_taken_out_of_the_sums(world: World) -> None:
    kept, gone = world.received(), world.received()
    keep_sums()
    assert of(Measure.STATUS) == 2
    with unit_of_work():
        db.session.delete(world.get(gone))
    assert list(keeping.differences()) == [], "it is noted"
    keep_sums()
    assert of(Measure.STATUS) == 1
    assert list(db.session.scalars(sa.select(Figure.inquiry_id))) == [kept]


def test_only_what_changes_a_figure_is_noted(world: World) -> None:
    id = world.submit()
    assert noted() == [], "nobody confirmed it yet"
    with unit_of_work():
        inquiries.confirm(world.secret(id, "M1"), by=world.visitor)
    assert noted() == [id]
    keep_sums()
    coordinator = world.actor("coordinator")
    with unit_of_work():
        world.get(id).unread = False
        world.get(id).title = "Another title"
    assert noted() == []
    world.do(triage.own, id, world.user(coordinator), by=coordinator)
    assert noted() == [id]
    assert of(Measure.OWNER) == 1
    keep_sums()
    assert {cell.key for cell in sums() if cell.measure == Measure.OWNER} == {str(coordinator.user_id)}


def test_what_is_rolled_back_is_not_noted(world: World) -> None:
    id = world.received()
    keep_sums()

    def fail() -> None:
        with unit_of_work():
            world.get(id).country = "FR"
            db.session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert noted() == []
    assert list(keeping.differences()) == []


def test_erasing_a_person_changes_no_figure(world: World) -> None:
    id = world.received(organisation_type="hospital")
    world.do(triage.withdraw_on_wish, id, note="By mail.", by=world.actor("coordinator"))
    keep_sums()
    before = sums()
    world.do(privacy.erase, id, by=world.actor("coordinator"))
    keep_sums()
    assert sums() == before == counted()
    assert any(cell.measure == Measure.KIND and cell.key == "hospital" for cell in before)


def test_an_inquiry_somebody_works_on_waits(world: World, database: Databases) -> None:
    """On PostgreSQL writers do not wait for each other: the worker counts the others, and this one later."""
    if database.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    busy, free = world.received(), world.received()
    with db.engine.connect() as other:
        other.execute(sa.select(Inquiry.id).where(Inquiry.id == busy).with_for_update())
        keep_sums()
        assert noted() == [busy]
        assert of(Measure.STATUS) == 1
        assert list(keeping.differences()) == []
    keep_sums()
    assert noted() == []
    assert free


def noted() -> list[int]:
    return list(db.session.scalars(sa.select(FigureDue.inquiry_id)))
