"""When even the error page cannot be made, people get a plain one in both languages."""

import pytest
from flask import Flask

from tests.support.client import Client


@pytest.mark.one_database
def test_the_plain_page_needs_nothing(app: Flask, client: Client) -> None:
    @app.context_processor
    def _breaks() -> dict[str, str]:
        raise ZeroDivisionError

    response = client.get("/en/there-is/no/such/page")
    assert response.status_code == 404
    assert "This is our fault" in response.text
    assert "系统出现故障" in response.text
    assert response.headers["Cache-Control"] == "private, no-store"
