"""Bytes ready in a WSGI function. ``FLOOR_BYTES`` says how many: as many as the product's page has, compressed."""

import os
from collections.abc import Iterable
from typing import Any

CONTENT = os.urandom(int(os.environ.get("FLOOR_BYTES", "6000")))
HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Encoding", "gzip"),
    ("Content-Length", str(len(CONTENT))),
]


def app(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer everything."""
    start_response("200 OK", HEADERS)
    return [CONTENT]
