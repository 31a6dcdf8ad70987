"""How often something may happen in a while, counted in the database so that all processes see the same count."""

from datetime import timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from collab.core import clock
from collab.core.db import Model, connection, db
from collab.core.errors import TooMany


class RateCount(Model):
    """How often a bucket was hit in one window."""

    __tablename__ = "rate_count"

    bucket: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    window: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    ends: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    hits: Mapped[int] = mapped_column(sa.Integer)


def hit(bucket: str, *, limit: int, per: timedelta) -> None:
    """Count one more in this bucket; refuse when it is over the limit. Runs inside the caller's transaction.

    The refused one is rolled back with the caller's work: who is over the limit stays there only until the window
    ends, not as long as he keeps trying.

    :param limit: how many may happen in one window.
    :param per: the window's length.
    :raises TooMany: with the seconds until the window ends.
    """
    hit_all((bucket, limit, per))


def hit_all(*buckets: tuple[str, int, timedelta]) -> None:
    """The same for several buckets at once, each given as bucket, limit and window.

    :raises TooMany: one of them is over its limit; with the seconds until the last such window ends.
    """
    moment = int(clock.now().timestamp())
    values: dict[str, str | int] = {}
    limits = {}
    # In one order, so that two callers never wait for each other.
    for number, (bucket, limit, per) in enumerate(sorted(buckets)):
        seconds = int(per.total_seconds())
        window = moment // seconds
        values |= {f"bucket{number}": bucket[:160], f"window{number}": window}
        values |= {f"ends{number}": (window + 1) * seconds}
        limits[bucket[:160]] = limit
    counted = connection().execute(_counting(len(buckets)), values)
    over = [ends for bucket, hits, ends in counted if hits > limits[bucket]]
    if over:
        raise TooMany(retry_after=max(max(over) - moment, 1))


@cache
def _counting(number: int) -> sa.TextClause:
    """The statement that counts in so many buckets; the same on both databases."""
    rows = ", ".join(f"(:bucket{one}, :window{one}, :ends{one}, 1)" for one in range(number))
    return sa.text(
        f'INSERT INTO rate_count (bucket, "window", ends, hits) VALUES {rows} '  # noqa: S608  # numbers alone
        'ON CONFLICT (bucket, "window") DO UPDATE SET hits = rate_count.hits + 1 RETURNING bucket, hits, ends'
    )


def give_back(bucket: str, *, per: timedelta) -> None:
    """Take one hit out of the present window again: it turned out not to be what is limited."""
    seconds = int(per.total_seconds())
    window = int(clock.now().timestamp()) // seconds
    db.session.execute(
        sa.update(RateCount)
        .where(RateCount.bucket == bucket[:160], RateCount.window == window, RateCount.hits > 0)
        .values(hits=RateCount.hits - 1)
        .execution_options(synchronize_session=False)
    )


def count(bucket: str, *, per: timedelta) -> int:
    """How often the bucket was hit in the present window."""
    window = int(clock.now().timestamp()) // int(per.total_seconds())
    return db.session.scalar(sa.select(RateCount.hits).filter_by(bucket=bucket[:160], window=window)) or 0


def sweep() -> int:
    """Forget windows that are over; returns how many."""
    result = db.session.execute(sa.delete(RateCount).where(RateCount.ends < int(clock.now().timestamp())))
    return int(getattr(result, "rowcount", 0))
