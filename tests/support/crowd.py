"""Many at once: the same work from several threads that start together, each with a session of its own."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from collab.core.db import db
from collab.jobs.rounds import retrying


def at_once(app: Flask, works: Iterable[Callable[[], Any]], *, again: bool = True) -> list[Any]:
    """Each work in a unit of work on its own thread; what it returned, or the error it ended with.

    :param again: run it again when the database broke it off, as the web's dispatcher and the worker do.
    """
    works = list(works)
    results: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(number: int, work: Callable[[], Any]) -> None:
        with app.app_context():
            start.wait()
            try:
                if again:
                    results[number] = retrying(work)
                else:
                    results[number] = work()
            except Exception as error:  # noqa: BLE001  # the test looks at it
                results[number] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    db.session.rollback()
    return results
