"""Rubrics: which version is in force, and making a new one. Reviews keep the version they were written by."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa
import yaml
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite

from collab import audit
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, check
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict
from collab.departments import Criterion, Department, RubricSettings, Track
from collab.reviews.models import Rubric


@cache
def general() -> dict[Track, RubricSettings]:
    """The rubrics a department begins with when its settings bring none; they are data, next to this file."""
    text = (files("collab.reviews") / "rubrics.yaml").read_text(encoding="utf-8")
    return {
        Track(track): RubricSettings.model_validate(rubric) for track, rubric in yaml.safe_load(text).items()
    }


def first_of(department: Department, track: Track) -> RubricSettings:
    """What a track is judged by before anybody has changed it."""
    return department.settings.review.rubrics.get(track) or general()[track]


def in_force(department: Department, track: Track) -> Rubric | None:
    """The version new reviews are written by; ``None`` as long as it is the one the department began with."""
    return db.session.scalar(
        sa.select(Rubric).filter_by(department_id=department.id, track=track, retired_at=None)
    )


def versions(department: Department, track: Track) -> list[Rubric]:
    """Every version there was, newest first."""
    return list(
        db.session.scalars(
            sa.select(Rubric)
            .filter_by(department_id=department.id, track=track)
            .order_by(Rubric.number.desc())
        )
    )


def criteria_of(department: Department, track: Track, rubric: Rubric | None) -> Sequence[Criterion]:
    """The criteria of a version, or of the one the department began with."""
    return (rubric.content if rubric else first_of(department, track)).criteria


def kept(department: Department, track: Track) -> Rubric:
    """The version in force as a row: the one a department began with is written down when it is first used."""
    found = in_force(department, track)
    if found is None:
        insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
        db.session.execute(
            insert(Rubric)
            .values(
                department_id=department.id,
                track=track,
                number=1,
                criteria=first_of(department, track).model_dump(mode="json"),
                created_at=clock.now(),
            )
            .on_conflict_do_nothing()
        )
        found = in_force(department, track)
        assert found is not None
    return found


def activate(
    department: Department, track: Track, content: RubricSettings, *, seen: int, by: Actor
) -> Rubric:
    """Bring a new version into force; reviews handed in before keep theirs.

    :param seen: the number of the version that was changed; 0 for the one the department began with.
    :raises Conflict: somebody else brought another version into force in the meantime.
    """
    check(by, Permission.EDIT_RUBRICS, department.id)
    db.session.execute(sa.select(Department.id).filter_by(id=department.id).with_for_update())
    before = in_force(department, track)
    if (before.number if before else 0) != seen and not (
        seen == 0 and before is not None and _is_first(before)
    ):
        raise Conflict(
            _(
                "Somebody else changed this rubric while you had it open. Nothing of yours was done, and what you "
                "typed is still here: compare, then send it again if it still fits."
            )
        )
    if before is None:
        before = kept(department, track)
    now = clock.now()
    before.retired_at = now
    db.session.flush()
    rubric = Rubric(
        department_id=department.id,
        track=track,
        number=before.number + 1,
        criteria=content.model_dump(mode="json"),
        created_at=now,
        created_by_id=by.user_id,
    )
    db.session.add(rubric)
    db.session.flush()
    audit.record(
        "rubric.changed",
        by=by,
        department_id=department.id,
        on=("rubric", rubric.id),
        detail={"track": track, "version": rubric.number, "weights": _weights(content)},
    )
    return rubric


def _is_first(rubric: Rubric) -> bool:
    """Whether it is the one the department began with: written down by its first use, changed by nobody."""
    return rubric.number == 1 and rubric.created_by_id is None


def _weights(content: RubricSettings) -> dict[str, Any]:
    return {one.code: one.weight for one in content.criteria}


__all__ = [
    "activate",
    "criteria_of",
    "first_of",
    "general",
    "in_force",
    "kept",
    "versions",
]
