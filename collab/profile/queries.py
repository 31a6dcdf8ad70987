"""Reading profiles."""

from dataclasses import dataclass

import sqlalchemy as sa

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


def find(department: Department, query: str, lang: str) -> Found:
    """Facts and pages that hold the words, whichever language they were typed in; named in ``lang``."""
    wanted = words.terms(query)
    if not wanted:
        return Found()
    entries = _entries(
        department.content_digest, department.settings, current_revision(department).digest, lang
    )
    scored = []
    for hit, hay, name in entries(current(department)):
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

    def __init__(self, settings: DepartmentSettings, lang: str) -> None:
        self.settings = settings
        self.lang = lang
        self.rows: list[tuple[Hit, str, str]] | None = None

    def __call__(self, document: ProfileDocument) -> list[tuple[Hit, str, str]]:
        if self.rows is None:
            self.rows = [*self._facts(document), *self._pages()]
        return self.rows

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


_prepared: dict[tuple[str, str, str], _Entries] = {}


def _entries(content: str, settings: DepartmentSettings, profile: str, lang: str) -> _Entries:
    key = (content, profile, lang)
    found = _prepared.get(key)
    if found is None:
        if len(_prepared) > 32:
            _prepared.clear()
        found = _prepared[key] = _Entries(settings, lang)
    return found
