"""F17: eight send at the same time, ten times each; nothing is refused, lost or counted wrong."""

from typing import Any

from flask import Flask

from collab import audit, inquiries
from collab.jobs.rounds import retrying
from tests.support.crowd import at_once
from tests.support.world import World


def test_eight_submitters_ten_times_each(app: Flask, world: World) -> None:
    from collab.accounts import Actor

    def send(number: int) -> list[int]:
        by = Actor(kind="visitor", network=f"10.0.{number}.0/24")
        return [retrying(lambda: inquiries.submit(world.submission(), by=by).id) for _ in range(10)]

    results: list[Any] = at_once(app, [lambda n=n: send(n) for n in range(8)], again=False)
    failed = [one for one in results if isinstance(one, Exception)]
    assert failed == []
    ids = sorted(id for some in results for id in some)
    assert len(set(ids)) == 80
    numbers = sorted(int(world.get(id).reference.rpartition("-")[2]) for id in ids)
    assert numbers == list(range(1, 81))
    assert world.counts() == world.real_counts() == {"unconfirmed": 80}
    assert all(world.topics(id) == ["M1"] for id in ids)
    assert audit.verify() is None
