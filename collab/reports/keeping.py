"""Keeping the sums: what changed is noted by the change itself, and counted soon after by the worker.

A change of an inquiry leaves a ``FigureDue`` in its own transaction. The worker takes what the inquiry added before out
of the sums, adds what it adds now, and forgets the note, all in one transaction with the inquiry's row locked. Who
reads in between counts the few noted ones live (``queries``): figures are always those of this moment.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapper

from collab.core import clock
from collab.core.db import db
from collab.departments import Department, all_departments, working_calendar
from collab.inquiries.models import Inquiry, InquiryEvent
from collab.inquiries.statuses import Status
from collab.reports.facts import RULES, Cell, Facts, Measure, Move, Place, count, facts_of
from collab.reports.models import Figure, FigureBasis, FigureDue, FigureSum

#: How many inquiries are counted in one transaction.
BATCH = 500

#: The columns facts are made of: a change of anything else changes no figure.
COLUMNS: tuple[Any, ...] = (
    Inquiry.department_id,
    Inquiry.is_demo,
    Inquiry.confirmed_at,
    Inquiry.track,
    Inquiry.area,
    Inquiry.country,
    Inquiry.answers,
    Inquiry.locale,
    Inquiry.source_page,
    Inquiry.status,
    Inquiry.status_since,
    Inquiry.reason,
    Inquiry.coordinator_id,
    Inquiry.first_answer_at,
)
#: Sums that become nothing as time goes on; they are not kept at nothing.
_PASSING = (Measure.OPEN, Measure.UNANSWERED, Measure.OWNER)
#: The few columns of facts that are not said by another one.
_FACTS = tuple(Facts.__dataclass_fields__)


# -- noting ----------------------------------------------------------------------------------------------------------


@event.listens_for(Inquiry, "after_insert")
@event.listens_for(Inquiry, "after_update")
def _note_change(_mapper: Mapper[Any], connection: Connection, inquiry: Inquiry) -> None:
    """Whatever changes what an inquiry adds to the figures notes it, in the same transaction."""
    if inquiry.status is Status.UNCONFIRMED:
        return  # adds nothing yet
    attributes: Any = sa.inspect(inquiry).attrs
    if any(attributes[column.key].history.has_changes() for column in COLUMNS):
        _note(connection, inquiry.id)


@event.listens_for(Inquiry, "after_delete")
def _note_end(_mapper: Mapper[Any], connection: Connection, inquiry: Inquiry) -> None:
    """What is deleted is taken out of the sums."""
    _note(connection, inquiry.id)


def _note(connection: Connection, inquiry_id: int) -> None:
    noted = _insert(connection.dialect.name)(FigureDue).values(inquiry_id=inquiry_id, since=clock.now())
    connection.execute(noted.on_conflict_do_nothing())


def _insert(dialect: str) -> Any:
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


# -- counting --------------------------------------------------------------------------------------------------------


def keep(most: int = BATCH) -> int:
    """Count what was noted, eldest notes first; returns how many inquiries were looked at.

    Inquiries that somebody works on this moment wait for the next time.
    """
    ids = list(db.session.scalars(sa.select(FigureDue.inquiry_id).order_by(FigureDue.inquiry_id).limit(most)))
    if not ids:
        return 0
    known = set(db.session.scalars(sa.select(Inquiry.id).where(Inquiry.id.in_(ids))))
    locked = set(
        db.session.scalars(
            sa.select(Inquiry.id)
            .where(Inquiry.id.in_(ids))
            .order_by(Inquiry.id)
            .with_for_update(skip_locked=True)
        )
    )
    ready = [id for id in ids if id in locked or id not in known]
    before, now = kept(ready), current(ready)
    changes = count(list(now.values()))
    changes.subtract(count(list(before.values())))
    _add(changes)
    gone = [id for id in ready if now.get(id) is None]
    db.session.execute(sa.delete(Figure).where(Figure.inquiry_id.in_(gone)))
    insert = _insert(db.engine.dialect.name)(Figure)
    rows = [{"inquiry_id": id, **asdict(facts)} for id, facts in now.items() if facts is not None]
    if rows:
        changed = {name: insert.excluded[name] for name in _FACTS}
        db.session.execute(insert.on_conflict_do_update(index_elements=["inquiry_id"], set_=changed), rows)
    db.session.execute(sa.delete(FigureDue).where(FigureDue.inquiry_id.in_(ready)))
    return len(ready)


def _add(changes: Counter[Cell]) -> None:
    """Add to the sums, always in the same order."""
    rows = [{**cell._asdict(), "n": n} for cell, n in sorted(changes.items()) if n]
    if not rows:
        return
    insert = _insert(db.engine.dialect.name)(FigureSum)
    db.session.execute(
        insert.on_conflict_do_update(
            index_elements=[*Cell._fields], set_={"n": FigureSum.n + insert.excluded.n}
        ),
        rows,
    )
    db.session.execute(
        sa.delete(FigureSum).where(
            FigureSum.department_id.in_(sorted({cell.department_id for cell in changes})),
            FigureSum.measure.in_([*_PASSING]),
            FigureSum.n == 0,
        )
    )


def kept(ids: Sequence[int]) -> dict[int, Facts]:
    """What these inquiries added when they were last counted."""
    columns = [getattr(Figure, name) for name in _FACTS]
    rows = db.session.execute(sa.select(Figure.inquiry_id, *columns).where(Figure.inquiry_id.in_(ids)))
    return {row[0]: Facts(*row[1:]) for row in rows}


def current(ids: Sequence[int]) -> dict[int, Facts | None]:
    """What these inquiries add now."""
    moves: dict[int, list[Move]] = defaultdict(list)
    events = db.session.execute(
        sa.select(
            InquiryEvent.inquiry_id,
            InquiryEvent.at,
            InquiryEvent.kind,
            InquiryEvent.from_status,
            InquiryEvent.to_status,
        )
        .where(InquiryEvent.inquiry_id.in_(ids), InquiryEvent.to_status.is_not(None))
        .order_by(InquiryEvent.id)
    )
    for inquiry_id, at, what, source, target in events:
        assert target is not None
        moves[inquiry_id].append(Move(at, what, source, target))
    places = {one.id: place_of(one) for one in all_departments()}
    rows = db.session.execute(sa.select(Inquiry.id, *COLUMNS).where(Inquiry.id.in_(ids)))
    return {row.id: facts_of(row, moves[row.id], places[row.department_id]) for row in rows}


def place_of(department: Department) -> Place:
    """Where and when a department works."""
    return Place(ZoneInfo(department.timezone), working_calendar(department))


# -- making anew -----------------------------------------------------------------------------------------------------


def basis_of(department: Department) -> str:
    """By which rules a department's sums are made now."""
    calendar = working_calendar(department)
    days = [sorted(day.isoformat() for day in days) for days in (calendar.holidays, calendar.workdays)]
    return hashlib.sha256(repr((RULES, department.timezone, days)).encode()).hexdigest()


def begin_anew(*, always: bool = False) -> int:
    """Empty the sums of departments whose rules changed, and note all their inquiries; returns how many departments."""
    known = {row.department_id: row.basis for row in db.session.scalars(sa.select(FigureBasis))}
    insert = _insert(db.engine.dialect.name)
    done = 0
    for department in all_departments():
        basis = basis_of(department)
        if not always and known.get(department.id) == basis:
            continue
        done += 1
        for model in (FigureSum, Figure, FigureBasis):
            db.session.execute(sa.delete(model).where(model.department_id == department.id))
        db.session.add(FigureBasis(department_id=department.id, basis=basis))
        every = sa.select(Inquiry.id, sa.literal(clock.now(), FigureDue.since.type)).where(
            Inquiry.department_id == department.id, Inquiry.confirmed_at.is_not(None)
        )
        db.session.execute(
            insert(FigureDue).from_select(["inquiry_id", "since"], every).on_conflict_do_nothing()
        )
    return done


# -- looking whether it is right -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A sum that is not what counting gives."""

    cell: Cell
    kept: int
    counted: int


def differences(batch: int = 2_000) -> Iterator[Difference]:
    """Count every inquiry anew, and name the sums that are wrong. Takes a while with very many."""
    counted: Counter[Cell] = Counter()
    last = 0
    while ids := list(
        db.session.scalars(sa.select(Inquiry.id).where(Inquiry.id > last).order_by(Inquiry.id).limit(batch))
    ):
        counted.update(count(list(current(ids).values())))
        last = ids[-1]
    sums: Counter[Cell] = Counter()
    for row in db.session.execute(
        sa.select(*(getattr(FigureSum, name) for name in Cell._fields), FigureSum.n)
    ):
        sums[Cell(*row[:-1])] += row[-1]
    waiting = list(db.session.scalars(sa.select(FigureDue.inquiry_id)))
    for first in range(0, len(waiting), batch):
        some = waiting[first : first + batch]
        sums.subtract(count(list(kept(some).values())))
        sums.update(count(list(current(some).values())))
    for cell in sorted(sums.keys() | counted.keys()):
        if sums[cell] != counted[cell]:
            yield Difference(cell, sums[cell], counted[cell])


def waiting_since() -> datetime | None:
    """Since when the eldest noted change waits to be counted."""
    return db.session.scalar(sa.select(sa.func.min(FigureDue.since)))
