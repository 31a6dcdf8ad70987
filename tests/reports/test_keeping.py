"""The kept sums are what counting gives, whatever happened and in whatever order."""

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from collab.core.db import db
from collab.inquiries import Inquiry
from collab.jobs.figures import keep_sums
from collab.reports import keeping
from collab.reports.facts import Cell, Measure, count
from collab.reports.models import FigureDue, FigureSum
from tests.inquiries.test_random_histories import Department
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
