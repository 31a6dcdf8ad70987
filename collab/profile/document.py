"""The profile as a document: facts with value, unit, period, source and note, and the pages they stand on."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from collab.departments.settings import Bilingual, Document, Line

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=60)]
Number = int | float


class PeriodState(StrEnum):
    """What the source says about the time a figure covers."""

    STATED = "stated"
    #: A count over time whose period the source leaves out. It is never guessed.
    UNSTATED = "unstated"
    #: A figure of one moment whose date the source leaves out.
    UNDATED = "undated"
    #: Not a figure that needs one.
    NONE = "none"


class Period(Document):
    """The time a figure covers, as far as the source says."""

    state: PeriodState = PeriodState.NONE
    text: Bilingual | None = None

    @model_validator(mode="after")
    def _text_if_stated(self) -> Self:
        if (self.state is PeriodState.STATED) != (self.text is not None):
            raise ValueError("a period has a text exactly when it is stated")
        return self


class Qualifier(StrEnum):
    """How exact a value is."""

    AROUND = "around"
    MORE_THAN = "more_than"


class Fact(Document):
    """One statement of the source.

    :param part_of: the fact this one is a part or a detail of (a profession of the staff, a study's funder).
    :param remark: it says something about its section's list and is no item of it ("and so on").
    :param source_text: the source's own words, verbatim.
    :param inferred: the wording in the other language is the portal's and waits for the department's word.
    """

    key: Key
    section: Key
    order: int
    part_of: Key | None = None
    remark: bool = False
    en: Line
    zh: Line
    source_text: Line
    value: Number | str | None = None
    qualifier: Qualifier | None = None
    unit: Bilingual | None = None
    period: Period = Period()
    note: Bilingual | None = None
    inferred: bool = False

    @property
    def is_number(self) -> bool:
        return isinstance(self.value, int | float)

    def get(self, lang: str) -> str:
        """The fact's name in the reader's language."""
        return self.zh if lang == "zh" else self.en

    def words(self, lang: str) -> str:
        """What the fact says: in English the source's own words, in Chinese ours."""
        return self.zh if lang == "zh" else self.source_text


class SectionKind(StrEnum):
    """How a section is drawn."""

    WORDS = "words"
    QUOTES = "quotes"
    LIST = "list"
    NUMBERED = "numbered"
    FUNDED = "funded"
    FIGURES = "figures"
    BARS = "bars"


class Meaning(StrEnum):
    """What a section's facts are, for machines (schema.org)."""

    KNOWS_ABOUT = "knows_about"
    LABORATORY = "laboratory"
    PROJECT = "project"
    EQUIPMENT = "equipment"
    PREMISES = "premises"
    STAFF = "staff"
    IMAGING = "imaging"
    THERAPY = "therapy"
    COURSE = "course"
    PROGRAMME = "programme"


class Section(Document):
    """Facts that belong together."""

    kind: SectionKind
    means: Meaning | None = None
    title: Bilingual
    intro: Bilingual | None = None


class PageKey(StrEnum):
    """The profile's pages. The start page has a form of its own."""

    RESEARCH = "research"
    CLINICAL = "clinical"
    FACILITIES = "facilities"
    TEAM = "team"
    TEACHING = "teaching"
    COOPERATE = "cooperate"
    VISIT = "visit"
    TRAIN = "train"


#: The pages that show the profile alone; the others lead to a form.
READING = (PageKey.RESEARCH, PageKey.CLINICAL, PageKey.FACILITIES, PageKey.TEAM, PageKey.TEACHING)


class Page(Document):
    """One page: its title and its sections in order."""

    title: Bilingual
    lede: Bilingual | None = None
    sections: Annotated[tuple[Key, ...], Field(min_length=1)]


class Start(Document):
    """The start page's own words, its key figures and its sections."""

    lede: Bilingual
    sections: tuple[Key, ...] = ()
    figures: Annotated[tuple[Key, ...], Field(max_length=8)] = ()


class Source(Document):
    """Where the facts come from.

    :param statement: one sentence on what comes from it.
    :param remarks: what a reader should know of its wording and its gaps.
    :param stamp: what the source page says of its own time, verbatim; not the date of the figures.
    """

    title: Bilingual
    statement: Bilingual
    remarks: tuple[Bilingual, ...] = ()
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    stamp: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?$")] | None = None

    @property
    def day(self) -> str | None:
        """The stamp's day, ``2017-06-23``."""
        return self.stamp[:10] if self.stamp else None


class ProfileDocument(Document):
    """A department's profile."""

    format: Literal["profile/1"]
    source: Source
    start: Start
    pages: dict[PageKey, Page]
    sections: dict[Key, Section]
    facts: Annotated[tuple[Fact, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        keys = [fact.key for fact in self.facts]
        problems = [
            f"fact {key} stands there twice" for key in sorted({k for k in keys if keys.count(k) > 1})
        ]
        problems += [f"page {key.value} is missing" for key in PageKey if key not in self.pages]
        for fact in self.facts:
            if fact.section not in self.sections:
                problems.append(f"fact {fact.key}: there is no section {fact.section}")
            if fact.part_of is not None and fact.part_of not in keys:
                problems.append(f"fact {fact.key}: there is no fact {fact.part_of}")
        for name, page in self.pages.items():
            problems += [
                f"page {name.value}: no section {key}" for key in page.sections if key not in self.sections
            ]
        problems += [f"start: no section {key}" for key in self.start.sections if key not in self.sections]
        problems += [f"start: there is no fact {key}" for key in self.start.figures if key not in keys]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @cached_property
    def by_key(self) -> dict[str, Fact]:
        return {fact.key: fact for fact in self.facts}

    @cached_property
    def by_section(self) -> dict[str, tuple[Fact, ...]]:
        """Every section's facts in their order."""
        return {
            key: tuple(sorted((f for f in self.facts if f.section == key), key=lambda f: f.order))
            for key in self.sections
        }

    @cached_property
    def place_of(self) -> dict[str, str]:
        """The first page a section stands on: a ``PageKey``, ``start``, or ``about-data`` for what is on no other."""
        found = dict.fromkeys(self.start.sections, "start")
        for name in PageKey:
            for key in self.pages[name].sections:
                found.setdefault(key, name.value)
        return {key: found.get(key, "about-data") for key in self.sections}

    @property
    def unplaced(self) -> tuple[str, ...]:
        """The sections that stand on the data note because no other page shows them."""
        return tuple(key for key, place in self.place_of.items() if place == "about-data")

    def parts(self, fact: Fact) -> tuple[Fact, ...]:
        """What is part of a fact, in order."""
        return tuple(f for f in self.by_section[fact.section] if f.part_of == fact.key)

    def wholes(self, section: str) -> tuple[Fact, ...]:
        """A section's facts that are part of no other, without remarks."""
        return tuple(fact for fact in self.by_section[section] if fact.part_of is None and not fact.remark)

    def remarks(self, section: str) -> tuple[Fact, ...]:
        """What is said about a section's list as such."""
        return tuple(fact for fact in self.by_section[section] if fact.remark)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=False)
