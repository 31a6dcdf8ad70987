"""What the mail tests share."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from collab import mail
from collab.core.db import unit_of_work
from collab.mail import OutboxMail


@pytest.fixture
def put(app: Flask) -> Callable[..., int]:
    """Puts one mail into the outbox in a transaction of its own; returns its id."""

    def put(**changes: Any) -> int:
        values: dict[str, Any] = {
            "to": "partner@example.org",
            "locale": "en",
            "subject": "A subject",
            "text": "A text.\n",
            "reader": "partner",
        }
        with unit_of_work():
            queued: OutboxMail = mail.enqueue("T1", **(values | changes))
            return queued.id

    return put
