"""Logging: one JSON object a line to standard output, with the request's id; nothing personal, no secrets."""

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO

import structlog


class Patient:
    """A stream for logs alone: a full disk or a reader that went away costs the line, not the request it tells of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure(*, level: str = "info", form: str = "json") -> None:
    """Set up structlog and let the standard library's loggers speak through it."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=True)
        if form == "json"
        # Plain tracebacks: the rich ones show the values of variables, and with them what people typed.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    if form == "json":
        shared.append(structlog.processors.format_exc_info)
    out: Any = Patient(sys.stdout)
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=last, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(getattr(logging, level.upper()))
    for noisy in ("alembic", "pypdf", "_granian", "granian.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
