"""A61: erase a person, then look for them in the very bytes of the next backup, and in what was logged."""

from pathlib import Path
from typing import Any

import pytest

from collab import privacy
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.mail import MailState
from tests.support.world import World

CANARY = "Xochiquetzal"


def backup(path: Path) -> bytes:
    """What a backup of the database would hold."""
    db.session.rollback()
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("VACUUM INTO ?", (str(path),))
        connection.exec_driver_sql("BEGIN")
    return path.read_bytes()


@pytest.mark.one_database
@pytest.mark.settings(log_level="info")
def test_an_erased_person_is_not_in_the_next_backup(world: World, tmp_path: Path, capfd: Any) -> None:
    id = world.at("declined", full_name=f"{CANARY} One", email=f"{CANARY}@example.org", title=f"{CANARY} two")
    forms = [form.encode() for form in (CANARY, CANARY.casefold(), f"{CANARY}@example.org".casefold())]
    before = backup(tmp_path / "before.db")
    assert all(form in before for form in forms), "else this test proves nothing"
    world.do(privacy.erase, id, by=world.actor("coordinator"))
    with unit_of_work():  # the farewell left
        farewell = world.mails(id)[0]
        farewell.state, farewell.sent_at = MailState.SENT, clock.now()
    with unit_of_work():
        assert privacy.actions.forget_farewells() == 1
    after = backup(tmp_path / "after.db")
    assert world.get(id).reference.encode() in after
    assert [form for form in forms if form in after] == []
    written = capfd.readouterr()
    assert CANARY.casefold() not in (written.out + written.err).casefold()
