"""The audit log: append-only, chained, kept with the deed; a refusal is kept without it. F26, A60."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import audit
from collab.audit import AuditEvent, Who
from collab.core.db import db, unit_of_work
from collab.reviews.actions import STEPS
from collab.reviews.models import DecisionRecord
from tests.support.world import World

SOMEBODY = Who(kind="staff", user_id=7, network="192.0.2.0/24", request_id="abc")


def chain(number: int = 9) -> list[int]:
    """A chain of so many events; their ids."""
    for n in range(number):
        with unit_of_work():
            audit.record(
                "test.done",
                by=SOMEBODY,
                department_id=1,
                on=("thing", n),
                detail={"number": n, "words": "Zoë 王", "nothing": None, "list": [1, "a"]},
            )
    return list(db.session.scalars(sa.select(AuditEvent.id).order_by(AuditEvent.id)))


def raw(statement: str, **values: Any) -> None:
    """Somebody at the database, past the portal."""
    with db.engine.begin() as connection:
        connection.execute(sa.text(statement), values)
    db.session.rollback()


def test_a_whole_chain_verifies(app: Flask) -> None:
    assert audit.verify() is None
    chain()
    assert audit.verify() is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "test.undone"),
        ("actor_kind", "system"),
        ("actor_id", 8),
        ("actor_id", None),
        ("network", "198.51.100.0/24"),
        ("request_id", "abd"),
        ("department_id", 2),
        ("object_kind", "other"),
        ("object_id", 99),
        ("refused", True),
        ("detail", '{"number": 3}'),
        ("detail", None),
        ("at", "2020-01-01 00:00:00"),
        ("before", "f" * 64),
        ("hash", "f" * 64),
    ],
)
def test_an_edit_is_found(app: Flask, column: str, value: Any) -> None:
    ids = chain()
    raw(f"UPDATE audit_event SET {column} = :value WHERE id = :id", value=value, id=ids[3])
    assert audit.verify() == ids[3]


def test_a_missing_one_is_found(app: Flask) -> None:
    ids = chain()
    raw("DELETE FROM audit_event WHERE id = :id", id=ids[3])
    assert audit.verify() == ids[4]


def test_a_missing_first_one_is_found(app: Flask) -> None:
    ids = chain()
    raw("DELETE FROM audit_event WHERE id = :id", id=ids[0])
    assert audit.verify() == ids[1]


def test_two_swapped_are_found(app: Flask) -> None:
    ids = chain()
    for old, new in ((ids[3], -1), (ids[5], ids[3]), (-1, ids[5])):
        raw("UPDATE audit_event SET id = :new WHERE id = :old", new=new, old=old)
    assert audit.verify() == ids[3]


@pytest.mark.parametrize("cut", [1, 4, 9])
def test_a_cut_off_end_is_found(app: Flask, cut: int) -> None:
    ids = chain()
    raw("DELETE FROM audit_event WHERE id >= :id", id=ids[-cut])
    assert audit.verify() == 0
    with unit_of_work():  # and does not heal by going on
        audit.record("test.done", by=SOMEBODY)
    assert audit.verify() not in (None, 0)


def test_an_event_is_kept_exactly_if_its_deed_is(world: World) -> None:
    before = world.stored()["audit_event"]
    with pytest.raises(ZeroDivisionError):
        _broken(world)
    assert world.stored()["audit_event"] == before
    assert audit.verify() is None


def _broken(world: World) -> None:
    with unit_of_work():
        audit.record("test.done", by=SOMEBODY)
        raise ZeroDivisionError


def test_parallel_writers_make_one_chain(app: Flask) -> None:
    failed: list[BaseException] = []

    def write() -> None:
        with app.app_context():
            try:
                chain(10)
            except BaseException as error:  # noqa: BLE001
                failed.append(error)
            db.session.remove()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == 40
    assert audit.verify() is None


def test_every_step_of_an_inquiry_is_in_it_and_no_text_is(world: World) -> None:
    ids = [world.at(status) for status in ("declined", "accepted", "lapsed", "withdrawn", "void")]
    assert audit.verify() is None
    seals = 0
    for id in ids:
        logged = [
            event.action.removeprefix("inquiry.")
            for event in db.session.scalars(
                sa.select(AuditEvent).filter_by(object_kind="inquiry", object_id=id).order_by(AuditEvent.id)
            )
        ]
        decided = {str(step) for step, _target in STEPS.values()}
        expected: list[str] = []
        for step in world.kinds(id):  # the seal of what a decision rested on follows its step at once
            expected += [step, "decision.recorded"] if step in decided else [step]
        assert logged == expected
        seals += logged.count("decision.recorded")
    assert seals == db.session.scalar(sa.select(sa.func.count()).select_from(DecisionRecord)) > 1
    for event in db.session.scalars(sa.select(AuditEvent)):
        text = str(event.detail)
        for typed in ("Erika", "example.org", "ligands", "Dear"):
            assert typed not in text
