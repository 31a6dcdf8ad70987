"""A60: what was refused is kept although the attempt was rolled back; hostile values stay in their fields."""

import sqlalchemy as sa

from collab import audit
from collab.audit import AuditEvent
from collab.core.db import db, unit_of_work
from collab.core.errors import Forbidden
from tests.support.world import World


def test_a_refusal_survives_the_rollback(world: World) -> None:
    id, stranger = world.at("decision_ready"), world.actor("viewer")
    before = world.stored()["audit_event"]
    try:
        world.decide(id, "accept", by=stranger)
    except Forbidden:
        audit.record_refusal(
            "inquiry.decided", by=stranger, department_id=world.department_id, on=("inquiry", id)
        )
    assert world.stored()["audit_event"] == before + 1
    event = db.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert (event.action, event.refused, event.actor_id, event.object_id) == (
        "inquiry.decided",
        True,
        stranger.user_id,
        id,
    )
    assert audit.verify() is None


def test_hostile_values_are_data(world: World) -> None:
    evil = "a\r\nb\x1b[2J\u2028c\u202ed\"'; DROP TABLE audit_event; --" + "x" * 5000
    somebody = world.actor("admin")
    with unit_of_work():
        audit.record("test.done", by=somebody, detail={"value": evil, evil[:20]: [evil]})
    event = db.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert event.detail == {"value": evil, evil[:20]: [evil]}
    assert audit.verify() is None
