"""Append to the chain, and walk it."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any, cast

import sqlalchemy as sa

from collab.audit.models import AuditEvent, AuditHead, Who
from collab.core import clock
from collab.core.db import connection, db, unit_of_work

GENESIS = "0" * 64
_TABLE = cast(sa.Table, AuditEvent.__table__)
_EVENT = sa.insert(_TABLE)
_HEAD = sa.select(AuditHead.__table__.c.hash).with_for_update()
_FIRST = sa.text("INSERT INTO audit_head (id, hash) VALUES (1, :hash) ON CONFLICT DO NOTHING")
_NEXT = sa.text("UPDATE audit_head SET hash = :hash WHERE id = 1")


def record(
    action: str,
    *,
    by: Who,
    department_id: int | None = None,
    on: tuple[str, int] | None = None,
    refused: bool = False,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one event, in the caller's transaction. No message bodies, no addresses, no secrets in ``detail``.

    :param action: ``room.verb_in_past_tense``, e.g. ``inquiry.declined``.
    :param on: kind and id of what it was done to.
    """
    database = connection()
    before = database.scalar(_HEAD)
    if before is None:  # the very first event; somebody else may be writing it this moment, too
        database.execute(_FIRST, {"hash": GENESIS})
        before = database.scalar(_HEAD)
    kind, object_id = on or (None, None)
    event: dict[str, Any] = {
        "at": clock.now().replace(microsecond=0),
        "action": action,
        "actor_kind": by.kind,
        "actor_id": by.user_id,
        "network": by.network,
        "request_id": by.request_id,
        "department_id": department_id,
        "object_kind": kind,
        "object_id": object_id,
        "refused": refused,
        "detail": detail or None,
        "before": before,
    }
    event["hash"] = hash_of(event)
    database.execute(_EVENT, event)
    database.execute(_NEXT, {"hash": event["hash"]})


def record_refusal(
    action: str,
    *,
    by: Who,
    department_id: int | None = None,
    on: tuple[str, int] | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append a refused or failed attempt in its own transaction, after the attempt's was rolled back."""
    with unit_of_work():
        record(action, by=by, department_id=department_id, on=on, refused=True, detail=detail)


#: What the hash covers, in its order; the moment and whether it was refused are written the same for all databases.
_COVERED = (
    "before",
    "at",
    "action",
    "actor_kind",
    "actor_id",
    "network",
    "request_id",
    "department_id",
    "object_kind",
    "object_id",
    "refused",
    "detail",
)


def hash_of(event: Mapping[str, Any]) -> str:
    """SHA-256 over the event's content and the hash before it."""
    regular = {**event, "at": event["at"].isoformat(), "refused": bool(event["refused"])}
    content = [regular[name] for name in _COVERED]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def verify() -> int | None:
    """Walk the chain from its beginning.

    :returns: the id of the first event that was changed or whose predecessor is missing; 0 when the chain's end was
        cut off; ``None`` when all is well.
    """
    before = GENESIS
    rows = sa.select(_TABLE).order_by(_TABLE.c.id).execution_options(yield_per=1000)
    with closing(db.session.execute(rows)) as events:
        for row in events:
            event = row._asdict()
            if event["before"] != before or hash_of(event) != event["hash"]:
                return int(event["id"])
            before = event["hash"]
    head = db.session.get(AuditHead, 1)
    return 0 if (head.hash if head else GENESIS) != before else None
