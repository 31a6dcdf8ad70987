"""The one place that commits, and the column types."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError, StatementError

from collab.audit.models import AuditEvent
from collab.core import clock, limits
from collab.core.db import TryAgain, db, unit_of_work
from collab.core.errors import Conflict, TooMany, Unavailable
from collab.core.limits import RateCount
from collab.inquiries import Inquiry
from tests.support.world import MONDAY, World


def row(bucket: str = "b", hits: int = 0) -> RateCount:
    return RateCount(bucket=bucket, window=1, ends=2**31, hits=hits)


def hits(bucket: str = "b") -> int | None:
    return db.session.scalar(sa.select(RateCount.hits).filter_by(bucket=bucket))


def test_all_or_nothing(app: Flask) -> None:
    with unit_of_work():
        db.session.add(row("kept"))
    with pytest.raises(ZeroDivisionError):
        _breaks()
    assert (hits("kept"), hits("lost")) == (0, None)


def _breaks() -> None:
    with unit_of_work():
        db.session.add(row("lost"))
        db.session.flush()
        raise ZeroDivisionError


def test_one_inside_another_is_a_mistake(app: Flask) -> None:
    with unit_of_work(), pytest.raises(RuntimeError, match="inside another"), unit_of_work():
        pass
    with unit_of_work():  # and leaves nothing behind that blocks the next one
        db.session.add(row())
    assert hits() == 0


def test_a_change_outside_is_a_mistake(app: Flask) -> None:
    db.session.add(row())
    with pytest.raises(RuntimeError, match="outside a unit of work"), unit_of_work():
        pass
    db.session.rollback()
    with unit_of_work():
        db.session.add(row())
    found = db.session.scalar(sa.select(RateCount))
    assert found is not None
    found.hits = 7
    with pytest.raises(RuntimeError, match="outside a unit of work"), unit_of_work():
        pass
    db.session.rollback()
    assert hits() == 0


def test_what_was_read_before_is_read_again(app: Flask) -> None:
    with unit_of_work():
        db.session.add(row())
    seen = db.session.scalar(sa.select(RateCount))
    assert seen is not None
    with db.engine.begin() as another:
        another.execute(sa.update(RateCount).values(hits=5))
    with unit_of_work():
        assert seen.hits == 5


def test_a_broken_constraint_is_our_mistake_and_keeps_nothing(world: World) -> None:
    id = world.received()
    for column, value in (
        ("urgency", 9),
        ("locale", "fr"),
        ("confirmed_at", None),
        ("paused_at", clock.now()),
    ):
        with pytest.raises(IntegrityError), unit_of_work():
            db.session.execute(sa.update(type(world.get(id))).values({column: value}))
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.execute(sa.text("UPDATE inquiry_count SET count = -1"))
    assert world.get(id).urgency == 0


@pytest.mark.one_database
def test_400_updates_at_once_on_sqlite_lose_nothing(app: Flask) -> None:
    """F17, measured: with a plain BEGIN, 360 of these 400 failed."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("about SQLite's own lock")
    with unit_of_work():
        db.session.add(row())
    failed: list[BaseException] = []

    def write() -> None:
        with app.app_context():
            for _ in range(50):
                try:
                    with unit_of_work():
                        one = db.session.get_one(RateCount, ("b", 1))
                        one.hits += 1
                except BaseException as error:  # noqa: BLE001
                    failed.append(error)
            db.session.remove()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert hits() == 400


def _overtaken(inquiry: Inquiry) -> None:
    db.session.execute(sa.text("UPDATE inquiry SET version = version + 1"))
    inquiry.unread = False


def test_a_row_changed_by_somebody_else_is_a_conflict(world: World) -> None:
    id = world.received()
    with pytest.raises(Conflict):
        world.do(_overtaken, id)
    assert world.get(id).unread is True


def test_a_locked_database_is_unavailable(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite: somebody holds it longer than a writer waits. PostgreSQL: longer than lock_timeout."""
    with unit_of_work():
        db.session.add(row())
    blocker = db.engine.connect()
    blocker.execute(sa.text("UPDATE rate_count SET hits = 1"))
    monkeypatch.setattr("collab.core.db.BUSY_SECONDS", 0.1)

    def hurry(connection: sa.Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")

    sa.event.listen(db.engine, "begin", hurry)
    with pytest.raises(Unavailable), unit_of_work():
        db.session.execute(sa.text("UPDATE rate_count SET hits = 2"))
    sa.event.remove(db.engine, "begin", hurry)
    blocker.close()
    assert hits() == 0


# -- columns -----------------------------------------------------------------------------------------------------


def test_naive_moments_are_refused(app: Flask) -> None:
    event = AuditEvent(at=datetime(2026, 1, 1), action="a", actor_kind="b", before="c", hash="d")  # noqa: DTZ001
    with pytest.raises(StatementError, match="without a time zone"), unit_of_work():
        db.session.add(event)
    with pytest.raises(StatementError, match="without a time zone"):
        db.session.scalars(
            sa.select(AuditEvent).where(AuditEvent.at < datetime(2026, 1, 1))  # noqa: DTZ001
        ).all()
    db.session.rollback()


def test_moments_come_back_in_utc(world: World) -> None:
    moment = datetime(2028, 2, 29, 23, 30, tzinfo=timezone(timedelta(hours=8)))
    actor = world.actor("host")
    with unit_of_work():
        world.user(actor).created_at = moment
    stored = world.user(actor).created_at
    assert stored == moment
    assert stored.utcoffset() == timedelta(0)
    with unit_of_work():
        world.user(actor).created_at = datetime(2039, 1, 19, 3, 14, 8, tzinfo=UTC)  # beyond 2038
    assert world.user(actor).created_at.year == 2039


def test_a_word_that_is_none_of_the_list_is_refused_by_the_database_too(world: World) -> None:
    world.received()
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.execute(sa.text("UPDATE inquiry SET track = 'sale'"))
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.execute(sa.text("UPDATE inquiry SET held_from = 'somewhere'"))


# -- limits ------------------------------------------------------------------------------------------------------


def hit(bucket: str = "x", limit: int = 3, per: timedelta = timedelta(minutes=10)) -> None:
    with unit_of_work():
        limits.hit(bucket, limit=limit, per=per)


def test_a_limit_ends_with_its_window(app: Flask) -> None:
    import time_machine

    start = MONDAY  # a whole multiple of ten minutes
    with time_machine.travel(start, tick=False) as traveller:
        for _ in range(3):
            hit()
        for _ in range(5):
            with pytest.raises(TooMany) as refused:
                hit()
        assert refused.value.retry_after == 600
        assert limits.count("x", per=timedelta(minutes=10)) == 3, "a refused one does not count"
        hit("another")
        traveller.move_to(start + timedelta(minutes=9, seconds=59))
        with pytest.raises(TooMany) as refused:
            hit()
        assert refused.value.retry_after == 1
        traveller.move_to(start + timedelta(minutes=10))
        hit()
        with unit_of_work():
            limits.give_back("x", per=timedelta(minutes=10))
        assert limits.count("x", per=timedelta(minutes=10)) == 0
        with unit_of_work():
            limits.give_back("x", per=timedelta(minutes=10))
        assert limits.count("x", per=timedelta(minutes=10)) == 0
        traveller.move_to(start + timedelta(minutes=30))
        with unit_of_work():
            assert limits.sweep() == 3
        # F14: the clock is set back: nobody is locked out for longer than a window.
        traveller.move_to(start - timedelta(hours=1))
        hit()


def test_parallel_hits_are_all_counted(app: Flask) -> None:
    refused: list[Exception] = []

    def work() -> None:
        with app.app_context():
            for _ in range(5):
                try:
                    hit("y", limit=12, per=timedelta(days=1))
                except TooMany as error:
                    refused.append(error)
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 8
    assert limits.count("y", per=timedelta(days=1)) == 12


def test_errors_of_the_database_are_told_apart(app: Flask) -> None:
    class Broken(Exception):
        sqlstate = "40P01"

    with pytest.raises(TryAgain), unit_of_work():
        raise sa.exc.DBAPIError("SELECT 1", None, Broken())
    Broken.sqlstate = "53100"  # the disk is full
    with pytest.raises(Unavailable), unit_of_work():
        raise sa.exc.DBAPIError("SELECT 1", None, Broken())
    Broken.sqlstate = "22P02"  # a mistake of ours
    with pytest.raises(sa.exc.DBAPIError), unit_of_work():
        raise sa.exc.DBAPIError("SELECT 1", None, Broken())
