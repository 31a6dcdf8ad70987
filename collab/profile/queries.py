"""Reading profiles."""

from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from collab import departments
from collab.core.db import db
from collab.core.errors import NotFound
from collab.departments import Department, DepartmentSettings
from collab.profile import words
from collab.profile.document import PageKey, ProfileDocument
from collab.profile.models import ProfileRevision

#: A search shows at most so many; a profile rarely has more to say.
MOST_HITS = 40


@dataclass(frozen=True)
class Hit:
    """Something a search found.

    :param page: the page it stands on (a ``PageKey``, ``start``, ``privacy`` or ``about-data``).
    :param anchor: the element's id there.
    """

    page: str
    anchor: str
    title: str
    text: str
    weight: float


@dataclass(frozen=True)
class Found:
    """What a search found.

    :param complete: the hits hold everything that was asked for; otherwise only a part of it.
    """

    hits: tuple[Hit, ...] = ()
    complete: bool = True


@dataclass(frozen=True, eq=False)
class Edition:
    """What a department says of itself at one moment: settings and profile, parsed once and apart from their rows.

    :param key: the same key, the same words; it holds the digests of all there is.
    """

    key: tuple[object, ...]
    id: int
    slug: str
    timezone: str
    is_demo: bool
    settings: DepartmentSettings
    profile: ProfileDocument

    def name(self, lang: str) -> str:
        return self.settings.name.get(lang)

    def institution(self, lang: str) -> str:
        return self.settings.institution.get(lang)


_editions: dict[tuple[object, ...], Edition] = {}
_KEY = sa.select(
    Department.id,
    Department.slug,
    Department.timezone,
    Department.is_demo,
    Department.content_digest,
    sa.select(ProfileRevision.digest)
    .where(ProfileRevision.department_id == Department.id)
    .order_by(ProfileRevision.number.desc())
    .limit(1)
    .scalar_subquery(),
).where(Department.slug == sa.bindparam("slug"))


def edition(slug: str) -> Edition:
    """What the department of an address says now. Read with one small statement while it says the same as before.

    :raises NotFound: there is no such department, or it has published no profile.
    """
    with (
        db.engine.connect() as connection
    ):  # not the session: nothing here is written, and this costs a third
        row = connection.execute(_KEY, {"slug": slug}).one_or_none()
    if row is None or row[-1] is None:
        raise NotFound
    return _editions.get(tuple(row)) or _read(slug)


def _read(slug: str) -> Edition:
    department = departments.by_slug(slug)
    revision = current_revision(department)
    # The rows' own digests: something may have been published since the first look.
    key = (
        department.id,
        department.slug,
        department.timezone,
        department.is_demo,
        department.content_digest,
        revision.digest,
    )
    found = Edition(key, *key[:4], department.settings, revision.content)
    if len(_editions) > 64:
        _editions.clear()
    _editions[key] = found
    return found


def current_revision(department: Department) -> ProfileRevision:
    """The published revision.

    :raises NotFound: none was published yet.
    """
    found = db.session.scalar(
        sa.select(ProfileRevision)
        .where(ProfileRevision.department_id == department.id)
        .order_by(ProfileRevision.number.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound
    return found


def current(department: Department) -> ProfileDocument:
    """The published profile.

    :raises NotFound: none was published yet.
    """
    return current_revision(department).content


def find(edition: Edition, query: str, lang: str) -> Found:
    """Facts and pages that hold the words, whichever language they were typed in; named in ``lang``."""
    wanted = words.terms(query)
    if not wanted:
        return Found()
    scored = []
    for hit, hay, name in _entries(edition, lang).rows:
        shares = [words.share(term, hay) for term in wanted]
        if any(shares):
            in_name = sum(words.share(term, name) for term in wanted) / len(wanted)
            scored.append((sum(shares) / len(wanted), in_name + hit.weight, hit))
    complete = [entry for entry in scored if entry[0] > 0.75]
    kept = complete or [entry for entry in scored if entry[0] >= 0.4]
    kept.sort(key=lambda entry: (-round(entry[0], 1), -entry[1]))
    return Found(tuple(hit for *_, hit in kept[:MOST_HITS]), complete=bool(complete))


class _Entries:
    """Everything of a profile that can be found, prepared once per content and language."""

    def __init__(self, settings: DepartmentSettings, document: ProfileDocument, lang: str) -> None:
        self.settings = settings
        self.lang = lang
        self.rows = [*self._facts(document), *self._pages()]

    def _facts(self, document: ProfileDocument) -> list[tuple[Hit, str, str]]:
        rows = []
        for fact in document.facts:
            section = document.sections[fact.section]
            note = fact.note.get(self.lang) if fact.note else ""
            hit = Hit(
                page=document.place_of[fact.section],
                anchor=fact.key,
                title=fact.get(self.lang),
                text=note if fact.words(self.lang) == fact.get(self.lang) else fact.words(self.lang),
                weight=0.5,
            )
            names = [fact.en, fact.zh, fact.source_text]
            more: list[str | None] = [section.title.en, section.title.zh]
            if fact.note:
                more += [fact.note.en, fact.note.zh]
            rows.append((hit, words.haystack([*names, *more]), words.haystack(names)))
        return rows

    def _pages(self) -> list[tuple[Hit, str, str]]:
        rows = []
        tracks = self.settings.tracks
        for page, offer in (
            (PageKey.COOPERATE, tracks.cooperation),
            (PageKey.VISIT, tracks.visit),
            (PageKey.TRAIN, tracks.training),
        ):
            texts = [offer.door, offer.lede, *offer.offers, *offer.welcome, *offer.later, *offer.formal]
            if page is PageKey.VISIT:
                texts += [kind.name for kind in tracks.visit.visitor_types]
            hit = Hit(page.value, "top", offer.title.get(self.lang), offer.door.get(self.lang), 0.2)
            names = words.haystack([offer.title.en, offer.title.zh])
            rows.append((hit, names + words.haystack(t for text in texts for t in (text.en, text.zh)), names))
        for part in self.settings.privacy.parts:
            hit = Hit("privacy", part.key, part.title.get(self.lang), part.text.get(self.lang), 0.0)
            names = words.haystack([part.title.en, part.title.zh])
            rows.append((hit, names + words.haystack([part.text.en, part.text.zh]), names))
        return rows


@lru_cache(maxsize=32)
def _entries(edition: Edition, lang: str) -> _Entries:
    return _Entries(edition.settings, edition.profile, lang)
