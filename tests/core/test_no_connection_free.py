"""All connections taken: the portal says that it cannot just now, and never that it broke (F18, pool exhausted)."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.pool import QueuePool

from collab.core.db import db, is_away, unit_of_work
from collab.core.errors import Unavailable


def test_f18_a_unit_of_work_without_a_free_connection_is_put_off(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = sa.create_engine(
        db.engine.url, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.05
    )
    monkeypatch.setitem(db.engines, None, small)
    with small.connect():
        with pytest.raises(Unavailable), unit_of_work():
            db.session.execute(sa.text("SELECT 1"))
        with pytest.raises(sa.exc.TimeoutError) as none_free:
            db.session.execute(sa.text("SELECT 1"))
        assert is_away(none_free.value)
    small.dispose()
