"""The queue of the staff, at several sizes: p50 of its pages beside the floor's, and how many queries they take."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.installation import Installation, cookies, department
from bench.load import ask, median
from bench.processes import granian
from bench.report import Row
from tests.support.postgres import Postgres

TIMES = 40
ROUNDS = 3


@dataclass(frozen=True)
class View:
    """One page of the queue, and the floor's of the same kind."""

    name: str
    path: str
    floor: str


def rows(
    installation: Installation, folder: Path, *, sizes: tuple[int, ...], server: Postgres | None = None
) -> Iterator[Row]:
    """Each view at each size beside its floor; then how flat it is from the smallest size to the largest.

    :param server: where the floor's table goes when it is not to be SQLite.
    """
    from bench import invented
    from bench.floors import queue as floor_queue

    staff = _staff(installation)
    p50: dict[str, dict[int, float]] = {}
    for size in sizes:
        with installation.application():
            invented.load(size)
        place = server.create(f"floor_{size}") if server else str(folder / f"floor-{size}.db")
        floor_queue.prepare(place, invented.floor_rows(size))
        with (
            installation.serve() as portal,
            granian("bench.floors.queue:app", log=folder / "queue.log", FLOOR_DATABASE=place) as floor,
        ):
            for view in views(size):
                ask(portal, view.path, times=6, headers={"Cookie": staff})
                ask(floor, view.floor, times=6)
                ours, theirs, spent = [], [], []
                for _ in range(ROUNDS):
                    before = portal.cpu()
                    ours.append(median(ask(portal, view.path, times=TIMES, headers={"Cookie": staff})))
                    spent.append((portal.cpu() - before) / TIMES * 1000)
                    theirs.append(median(ask(floor, view.floor, times=TIMES)))
                best, least = min(ours), min(theirs)
                p50.setdefault(view.name, {})[size] = best
                note = f"{min(spent):.1f} ms of processor"
                yield Row(
                    f"queue of {size:,}: {view.name}", best, "ms p50", "<= 3", least, best / least, note
                )
    if len(sizes) > 1:
        for name, by_size in p50.items():
            flat = by_size[sizes[-1]] / by_size[sizes[0]]
            note = f"{sizes[0]:,} -> {sizes[-1]:,}"
            yield Row(
                f"queue, {name}: flat", by_size[sizes[-1]], "ms p50", "<= 1.5", by_size[sizes[0]], flat, note
            )
    yield from queries(installation)


def views(size: int) -> list[View]:
    """First, deep, filtered, searched."""
    from bench.invented import COMMON, RARE
    from collab.core.paging import to_cursor

    half = size // 2
    return [
        View("first page", "/staff/inquiries", "/"),
        View("deep page", f"/staff/inquiries?after={to_cursor((0, half))}", f"/?before={half}"),
        View("filtered", "/staff/inquiries?status=in_review&country=DE", "/?status=in_review"),
        View("search, common word", f"/staff/inquiries?{urlencode({'q': COMMON})}", f"/?q={COMMON}"),
        View("search, beginning of a word", "/staff/inquiries?q=coop", f"/?q={COMMON}"),
        View("search, rare word", f"/staff/inquiries?{urlencode({'q': RARE})}", f"/?q={RARE}"),
        View(
            "search, Chinese", f"/staff/inquiries?{urlencode({'q': '合作'})}", f"/?{urlencode({'q': '合作'})}"
        ),
        View(
            "line of three terms",
            f"/staff/inquiries?{urlencode({'q': 'status:in_review -country:DE has:file'})}",
            "/?status=in_review",
        ),
        View(
            "line of three terms that little fits",
            f"/staff/inquiries?{urlencode({'q': 'status:closed country:JP,KR answered:no'})}",
            "/?status=in_review",
        ),
        View(
            "sent in some days",
            f"/staff/inquiries?{urlencode({'q': 'status:open sent:>20d'})}",
            "/?status=in_review",
        ),
        View(
            "search, filtered",
            f"/staff/inquiries?{urlencode({'q': COMMON, 'country': 'JP'})}",
            f"/?q={COMMON}",
        ),
    ]


def queries(installation: Installation) -> Iterator[Row]:
    """How many statements a page sends to the database."""
    import sqlalchemy as sa

    from collab.core.db import db
    from collab.inquiries.models import Inquiry
    from collab.inquiries.statuses import Status
    from tests.support import people

    with installation.application() as app:
        coordinator = people.staff(app, department(), "coordinator")
        reference = db.session.scalar(
            sa.select(Inquiry.reference)
            .where(Inquiry.status == Status.IN_REVIEW)
            .order_by(Inquiry.id.desc())
            .limit(1)
        )
        sent: list[str] = []
        sa.event.listen(db.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
        for name, path, most in (
            ("queue page", "/staff/inquiries", 8),
            ("queue page with search", "/staff/inquiries?q=coop&country=DE", 8),
            ("queue page of a line", "/staff/inquiries?q=status:open+-country:DE+sent:<=30d+coop", 8),
            ("inquiry page", f"/staff/inquiries/{reference}", 15),
        ):
            coordinator.get(path)
            db.session.remove()
            sent.clear()
            assert coordinator.get(path).status_code == 200
            count = sum(
                statement.split(None, 1)[0] not in {"BEGIN", "COMMIT", "ROLLBACK"} for statement in sent
            )
            yield Row(f"queries per {name}", count, "", f"<= {most}")


def _staff(installation: Installation) -> str:
    from tests.support import people

    with installation.application() as app:
        member = people.staff(app, department(), "coordinator")
        member.get("/staff/")  # gives the cookie that a browser then has as well: the key of its forms
        return cookies(member)
