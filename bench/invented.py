"""Very many inquiries, all invented and marked as such, written straight into the tables."""

import random
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bench.installation import department
from collab.core import clock
from collab.core.db import db
from collab.departments import Track
from collab.inquiries.models import Inquiry, InquiryCount, InquiryEvent, ReferenceCounter
from collab.inquiries.statuses import Status
from collab.search import actions as search

#: In every inquiry's text, and in one of 2,000.
COMMON, RARE = "cooperation", "zirconium"
BATCH = 2_000

_LATIN = """
    research university visiting scholar joint training doctoral programme quantum computing materials science
    engineering machine learning biology environment energy agreement funding project method protocol cohort imaging
    detector analysis workshop exchange supervision proposal schedule partner laboratory instrument sample
""".split()  # noqa: SIM905
_HAN = """
    合作 研究 大学 学院 访问 学者 联合 培养 博士 项目 申请 计算 材料 科学 工程 机器 学习 环境 能源 交流 协议 导师 经费
""".split()  # noqa: SIM905
_COUNTRIES = ("DE", "FR", "IT", "JP", "KR", "TH", "VN", "KE", "BR", "US", "GB", "PL")
_STATUSES = (
    *[Status.RECEIVED] * 6,
    *[Status.IN_REVIEW] * 8,
    *[Status.NEEDS_INFO] * 4,
    *[Status.DECLINED] * 40,
    *[Status.ACCEPTED] * 36,
    *[Status.UNCONFIRMED] * 6,
)


def load(until: int) -> None:
    """Fill up to ``until`` inquiries; the same ones every time."""
    home = department()
    codes = [area.code for area in home.settings.areas]
    have = db.session.scalar(sa.select(sa.func.count()).select_from(Inquiry)) or 0
    now = clock.now()
    with db.engine.connect() as connection:
        _pragma(connection, "synchronous = off")
        for first in range(have + 1, until + 1, BATCH):
            numbers = range(first, min(first + BATCH, until + 1))
            rows = [_row(number, home.id, home.code, codes, now) for number in numbers]
            connection.execute(sa.insert(Inquiry.__table__), rows)
            connection.execute(
                search.upsert(connection.dialect.name),
                [search.row("inquiry", row["id"], home.id, _text(row)) for row in rows],
            )
            connection.execute(
                sa.insert(InquiryEvent.__table__),
                [
                    {
                        "inquiry_id": row["id"],
                        "at": row["submitted_at"],
                        "kind": "submitted",
                        "actor_kind": "applicant",
                        "actor_name": row["full_name"],
                    }
                    for row in rows
                ],
            )
            connection.commit()
        _keep_counts(connection, home.id, until, now.year)
        _analyse(connection)
        _pragma(connection, "wal_checkpoint(truncate)")
        _pragma(connection, "synchronous = full")
    db.session.rollback()


def _pragma(connection: sa.Connection, pragma: str) -> None:
    # Not inside a transaction, which SQLAlchemy would begin.
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        driver.execute(f"PRAGMA {pragma}")


def _analyse(connection: sa.Connection) -> None:
    # What PostgreSQL's autovacuum does meanwhile where people work.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def floor_rows(many: int) -> Any:
    """The same invented inquiries for the floor's table."""
    for number in range(1, many + 1):
        row = _row(number, 1, "XX", ["unsure"], clock.now())
        yield (
            number,
            row["status"].value,
            row["reference"],
            row["title"],
            row["full_name"],
            row["institution_name"],
            row["country"],
            search.words(_text(row)),
        )


def _row(number: int, department_id: int, code: str, areas: list[str], now: Any) -> dict[str, Any]:
    chance = random.Random(number)
    status = chance.choice(_STATUSES)
    at = now - timedelta(minutes=10 * (1_000_000 - number) / 1_000)
    summary = (
        f"Invented for a measurement. {COMMON} "
        + (f"{RARE} " if number % 2_000 == 7 else "")
        + " ".join(chance.choices(_LATIN, k=45))
        + "。"
        + "".join(chance.choices(_HAN, k=25))
    )
    return {
        "id": number,
        "version": 1,
        "department_id": department_id,
        "reference": f"{code}-{now.year}-{number:04d}",
        "track": chance.choice(list(Track)),
        "status": status,
        "locale": "en",
        "submission_key": f"invented-{number}",
        "full_name": f"Invented Person {number}",
        "email": f"person.{number}@bench.example",
        "email_key": f"person.{number}@bench.example",
        "institution_name": f"Invented University {number % 5_000}",
        "country": chance.choice(_COUNTRIES),
        "area": chance.choice(areas),
        "title": f"Invented inquiry {number}: {' '.join(chance.choices(_LATIN, k=5))}",
        "answers": {"summary": summary},
        "privacy_version": "1",
        "privacy_acknowledged_at": at,
        "submitted_at": at,
        "confirmed_at": None if status is Status.UNCONFIRMED else at,
        "status_since": at,
        "first_answer_due": at + timedelta(days=7),
        "due_at": at + timedelta(days=7) if status in {Status.RECEIVED, Status.IN_REVIEW} else None,
        "paused_at": at if status is Status.NEEDS_INFO else None,
        "asked_from": Status.IN_REVIEW if status is Status.NEEDS_INFO else None,
        "closed_at": at if status in {Status.DECLINED, Status.ACCEPTED} else None,
        "reminded": 0,
        "urgency": 2 if number % 97 == 0 else 0,
        "unread": status is Status.RECEIVED,
        "file_count": 0,
        "is_demo": True,
    }


def _text(row: dict[str, Any]) -> str:
    parts = (row["reference"], row["full_name"], row["email"], row["institution_name"], row["title"])
    return "\n".join([*parts, row["answers"]["summary"]])


def _keep_counts(connection: sa.Connection, department_id: int, until: int, year: int) -> None:
    connection.execute(sa.delete(InquiryCount))
    grouped = sa.select(Inquiry.department_id, Inquiry.status, sa.func.count()).group_by(
        Inquiry.department_id, Inquiry.status
    )
    connection.execute(sa.insert(InquiryCount).from_select(["department_id", "status", "count"], grouped))
    connection.execute(sa.delete(ReferenceCounter))
    connection.execute(
        sa.insert(ReferenceCounter), [{"department_id": department_id, "year": year, "last": until}]
    )
    connection.commit()
