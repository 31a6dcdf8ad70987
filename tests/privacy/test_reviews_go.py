"""Reviews and scores go twelve months after the decision, and with the person; figures of who answered when stay."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import time_machine

from collab import privacy, reviews
from collab.audit import AuditEvent
from collab.core.db import db
from collab.inquiries import Status
from collab.jobs.inquiries import retain
from collab.reviews import Content, Opinion, OpinionDraft, Recommendation
from tests.support.reviewing import marks
from tests.support.world import MONDAY, World


def at(days: float) -> Any:
    return time_machine.travel(MONDAY + timedelta(days=days), tick=False)


def reviewed(world: World) -> int:
    """One review handed in, one begun."""
    one, other = world.actor("reviewer", name="One"), world.actor("reviewer", name="Other")
    id = world.received()
    world.route(id)
    for reviewer in (one, other):
        world.route(id, reviewer, kind="reviewer")
        world.declare(id, reviewer)
    world.do(
        reviews.give_opinion,
        id,
        Recommendation.ACCEPT,
        because="Sound.",
        scores=marks(5, None, 3),
        by=one,
    )
    world.do(reviews.save_draft, id, Content(because="Begun."), by=other, revision=0)
    world.host_says(id)
    world.clear(id)
    world.ready(id)
    return id


def kept(id: int) -> tuple[int, int]:
    return (
        db.session.query(Opinion).filter_by(inquiry_id=id).count(),
        db.session.query(OpinionDraft).filter_by(inquiry_id=id).count(),
    )


def test_twelve_months_after_the_decision(world: World) -> None:
    with at(0):
        decided, waiting = reviewed(world), reviewed(world)
        world.decide(decided, "accept")
    answered = {one.user_id: one.answered_at for one in world.get(decided).assignments}
    with at(363):
        assert retain() == 0
        assert kept(decided) == (1, 2)
    with at(364.5):
        assert privacy.reviews_due() == [decided]
        assert retain() == 1
        assert kept(decided) == (0, 0)
        assert kept(waiting) == (1, 2), "what is open is not touched"
        assert world.kinds(decided)[-1] == "reviews_deleted"
        assert {one.user_id: one.answered_at for one in world.get(decided).assignments} == answered
        found = world.get(decided)
        assert (found.status, found.version > 0) == (Status.ACCEPTED, True)
        counted = db.session.scalars(sa.select(AuditEvent).filter_by(action="privacy.reviews_deleted"))
        assert [event.detail for event in counted] == [{"inquiries": 1}]
        before = world.stored()
        assert retain() == 0
        assert world.stored() == before


def test_erasing_the_person_takes_them_along_and_keeps_the_figures(world: World) -> None:
    with at(0):
        id = reviewed(world)
        world.decide(id, "accept")
        world.end_hold(id)
    figures = [(one.kind, one.assigned_at, one.answered_at, one.due_on) for one in world.get(id).assignments]
    with at(1):
        world.do(privacy.erase, id, by=world.actor("head"))
    assert kept(id) == (0, 0)
    assert [
        (one.kind, one.assigned_at, one.answered_at, one.due_on) for one in world.get(id).assignments
    ] == figures


def test_a09_the_partners_copy_holds_nothing_of_a_review(world: World) -> None:
    with at(0):
        id = reviewed(world)
    text = str(privacy.everything_of(world.get(id)))
    for secret in ("Sound.", "Begun.", "One", "scores", "opinion", "rubric", "light"):
        assert secret not in text, secret
