"""F18: PostgreSQL breaks off one of two that wait for each other; its whole work is run again."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, Response

from collab.core.db import TryAgain, db, unit_of_work
from collab.core.limits import RateCount
from collab.jobs.rounds import retrying
from tests.support.crowd import at_once


@pytest.fixture
def rows(app: Flask) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time: nobody can wait for each other")
    with unit_of_work():
        db.session.add_all(RateCount(bucket=name, window=1, ends=2**31, hits=0) for name in "ab")


def add(first: str, second: str, meet: threading.Barrier, tries: list[int]) -> None:
    tries.append(1)
    for number, name in enumerate((first, second)):
        db.session.execute(sa.update(RateCount).filter_by(bucket=name).values(hits=RateCount.hits + 1))
        if number == 0 and len(tries) <= 2:
            meet.wait(60)  # both hold one row before they ask for the other's


def hits() -> list[int]:
    return list(db.session.scalars(sa.select(RateCount.hits).order_by(RateCount.bucket)))


def test_a_deadlock_is_run_again(app: Flask, rows: None) -> None:
    tries: list[int] = []
    meet = threading.Barrier(2)
    results = at_once(app, [lambda: add("a", "b", meet, tries), lambda: add("b", "a", meet, tries)])
    assert results == [None, None]
    assert len(tries) == 3
    assert hits() == [2, 2]


def test_a_serialisation_failure_asks_for_it(app: Flask, rows: None) -> None:
    with pytest.raises(TryAgain):
        _overtaken()
    assert hits() == [7, 0]


def _overtaken() -> None:
    with unit_of_work():
        db.session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        db.session.scalars(sa.select(RateCount.hits)).all()
        with db.engine.begin() as another:
            another.execute(sa.update(RateCount).filter_by(bucket="a").values(hits=7))
        db.session.execute(sa.update(RateCount).filter_by(bucket="a").values(hits=8))


@pytest.mark.one_database
def test_the_dispatcher_runs_a_request_again_and_gives_up_after_three(app: Flask, client: Any) -> None:
    tries: list[int] = []

    def view() -> Response:
        tries.append(1)
        if len(tries) < needed:
            raise TryAgain("40P01")
        return Response("done", mimetype="text/plain")

    for name, view_tries in (("twice", 2), ("three", 3), ("four", 4)):
        needed = view_tries
        tries.clear()
        # An existing page's place, so that the rule about headers and languages holds for it too.
        original = app.view_functions["health.healthz"]
        app.view_functions["health.healthz"] = view
        try:
            answer = client.get("/healthz")
        finally:
            app.view_functions["health.healthz"] = original
        assert (answer.status_code, len(tries)) == ((200, needed) if needed <= 3 else (503, 3)), name


def test_the_worker_gives_up_after_three(app: Flask) -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise TryAgain("40001")

    with pytest.raises(TryAgain):
        retrying(work)
    assert len(tries) == 3
