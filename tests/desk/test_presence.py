"""Who has an inquiry open: told again and again, forgotten within a minute."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import desk
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.desk import Someone
from collab.desk.models import Presence
from collab.inquiries import Inquiry
from tests.support.crowd import at_once
from tests.support.people import Staff

pytestmark = pytest.mark.usefixtures("department")
MONDAY = clock.parse("2026-11-23T02:00:00+00:00")


def test_two_people_see_each_other_and_not_themselves(
    staff: Callable[..., object], inquiry: Callable[..., Inquiry]
) -> None:
    one = inquiry("cooperation")
    first = staff("coordinator", name="Ada First", signed_in=False)
    second = staff("coordinator", name="Ben Second", signed_in=False)
    with time_machine.travel(MONDAY, tick=False):
        with unit_of_work():
            assert desk.here(one, writing=False, by=first.actor) == []
        with unit_of_work():
            assert desk.here(one, writing=True, by=second.actor) == [Someone("Ada First", False, MONDAY)]
        assert desk.present(one, seen_by=first.actor) == [Someone("Ben Second", True, MONDAY)]


def test_who_is_not_heard_of_is_gone_and_forgotten(
    staff: Callable[..., object], inquiry: Callable[..., Inquiry]
) -> None:
    one = inquiry("cooperation")
    first, second = staff("coordinator", signed_in=False), staff("coordinator", signed_in=False)
    with time_machine.travel(MONDAY, tick=False) as now:
        with unit_of_work():
            desk.here(one, writing=True, by=first.actor)
        now.shift(timedelta(seconds=44))
        assert len(desk.present(one, seen_by=second.actor)) == 1
        now.shift(timedelta(seconds=2))
        assert desk.present(one, seen_by=second.actor) == []
        with unit_of_work():
            desk.here(one, writing=False, by=second.actor)
        assert db.session.scalars(sa.select(Presence.user_id)).all() == [second.user_id]


def test_leaving_is_seen_at_once(staff: Callable[..., object], inquiry: Callable[..., Inquiry]) -> None:
    one = inquiry("cooperation")
    first, second = staff("coordinator", signed_in=False), staff("coordinator", signed_in=False)
    with unit_of_work():
        desk.here(one, writing=False, by=first.actor)
    with unit_of_work():
        desk.leave(one, by=first.actor)
    assert desk.present(one, seen_by=second.actor) == []


@pytest.mark.both_databases
def test_two_pages_of_one_person_tell_at_once(
    app: Flask, staff: Callable[..., Staff], inquiry: Callable[..., Inquiry]
) -> None:
    one, other = inquiry("cooperation").id, staff("coordinator", signed_in=False).actor
    me = staff("coordinator", name="Ada First", signed_in=False).actor
    db.session.rollback()

    def tell() -> list[Someone]:
        return desk.here(db.session.get_one(Inquiry, one), writing=True, by=me)

    assert at_once(app, [tell] * 12) == [[]] * 12
    (seen,) = desk.present(db.session.get_one(Inquiry, one), seen_by=other)
    assert (seen.name, seen.writing) == ("Ada First", True)
    with time_machine.travel(clock.now() + timedelta(seconds=10), tick=False), unit_of_work():
        desk.here(db.session.get_one(Inquiry, one), writing=False, by=me)
    (later,) = desk.present(db.session.get_one(Inquiry, one), seen_by=other)
    assert later == Someone("Ada First", False, seen.since)
