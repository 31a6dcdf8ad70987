"""A department's settings: everything about it that is not code, as one checked, frozen document.

The document is written by people (``department.yaml`` in the department's folder) and kept as JSON in its
row. An unknown key is a mistake, not a wish: it is refused with its place.
"""

import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from collab.departments.tracks import Track

Line = Annotated[str, Field(min_length=1, max_length=300)]
Prose = Annotated[str, Field(min_length=1, max_length=6000)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Days = Annotated[int, Field(ge=0, le=730)]
Weeks = Annotated[int, Field(ge=0, le=156)]
#: The context in which settings are read that were taken in before: a newer rule must not shut a department.
KEPT = {"kept": True}


class Document(BaseModel):
    """The base of what is read from a folder: unknown keys refused, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Bilingual(Document):
    """The same words in English and in Chinese. Neither may be missing."""

    en: Prose
    zh: Prose

    def get(self, lang: str) -> str:
        """The words in the reader's language; any language other than Chinese reads English."""
        return self.zh if lang.startswith("zh") else self.en


class AreaKind(StrEnum):
    """Why an area can be chosen."""

    OFFERED = "offered"
    FOCUS = "focus"
    OPEN = "open"


class Area(Document):
    """A field of work an inquiry can name.

    :param kind: ``offered`` for cooperation, a research ``focus``, or ``open`` ("not sure").
    """

    code: Code
    name: Bilingual
    kind: AreaKind


class VisitorType(Document):
    """In which capacity somebody comes.

    :param max_weeks: the longest stay the department takes in this capacity.
    :param lead_time_weeks: from the inquiry to the earliest start when a visa is needed.
    """

    code: Code
    name: Bilingual
    help: Bilingual | None = None
    max_weeks: Annotated[int, Field(ge=1, le=52)] = 52
    lead_time_weeks: Weeks = 12


class Offer(Document):
    """What one track says of itself.

    :param title: the door's heading, e.g. "Propose cooperation".
    :param door: one or two sentences behind it.
    :param call: the words of the link to the form.
    :param lede: the opening of the track's page.
    :param offers: what the department offers, one sentence each.
    :param welcome: who may write.
    :param later: what is asked for when the department has said that it is interested.
    :param formal: what other offices ask for themselves afterwards, outside this portal.
    """

    title: Bilingual
    door: Bilingual
    call: Bilingual
    lede: Bilingual
    offers: tuple[Bilingual, ...] = ()
    welcome: tuple[Bilingual, ...] = ()
    later: tuple[Bilingual, ...] = ()
    formal: tuple[Bilingual, ...] = ()


class Cooperation(Offer):
    """The cooperation track."""


class Visit(Offer):
    """The visit track.

    :param lead_time_weeks_without_visa: shortest preparation when no visa is needed.
    """

    visitor_types: Annotated[tuple[VisitorType, ...], Field(min_length=1)]
    lead_time_weeks_without_visa: Weeks = 4

    def visitor_type(self, code: str) -> VisitorType | None:
        return next((kind for kind in self.visitor_types if kind.code == code), None)

    @model_validator(mode="after")
    def _once(self) -> Self:
        _unique("visitor_types", [kind.code for kind in self.visitor_types])
        return self


class Training(Offer):
    """The joint-training track.

    :param lead_time_weeks: visa and papers, once the university has admitted.
    """

    lead_time_weeks: Weeks = 12


class Tracks(Document):
    """The three tracks."""

    cooperation: Cooperation
    visit: Visit
    training: Training

    def of(self, track: Track) -> Offer:
        """The offer of one track."""
        offer: Offer = getattr(self, track.value)
        return offer


class Admission(StrEnum):
    """How somebody is enrolled at the university."""

    DEGREE = "degree"
    NON_DEGREE = "non_degree"


MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


class Window(Document):
    """A time of the year in which the university takes applications.

    :param opens, closes: month and day, ``09-15``; both days count.
    :param term_starts: the month in which the term begins, the first such month after the window has closed.
    """

    code: Code
    name: Bilingual
    takes: Annotated[tuple[Admission, ...], Field(min_length=1)]
    opens: MonthDay
    closes: MonthDay
    term_starts: Annotated[int, Field(ge=1, le=12)]

    @field_validator("opens", "closes")
    @classmethod
    def _exists(cls, value: str) -> str:
        month, day = value.split("-")
        date(2027, int(month), int(day))  # 29 February does not come every year
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closes < self.opens:
            raise ValueError(f"window {self.code} closes before it opens")
        return self

    def closes_in(self, year: int) -> date:
        """The last day of this window in a year."""
        return _in(year, self.closes)

    def opens_in(self, year: int) -> date:
        """The first day of this window in a year."""
        return _in(year, self.opens)

    def term_after(self, year: int) -> date:
        """The first day of the month in which the term for this year's window begins."""
        closes = self.closes_in(year)
        return date(year + (self.term_starts <= closes.month), self.term_starts, 1)


class Office(Document):
    """Where an inquiry is sent that is not the department's business. No contact is kept that nobody gave."""

    name: Bilingual
    url: Annotated[str, Field(pattern=r"^https://")] | None = None


class TotalDays(Document):
    """Calendar days from confirmation to the decision, by track; ``warn_*``: when it shows as late soon."""

    cooperation: Days = 30
    visit: Days = 30
    training: Days = 42

    def of(self, track: Track) -> int:
        days: int = getattr(self, track.value)
        return days


#: A time of day at the department's place; in YAML it wants quotes.
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class ServiceLevels(Document):
    """Deadlines (domain.md B.6). Working days of the department's calendar, unless it says calendar days."""

    first_answer_days: Days = 5
    first_answer_warn_days: Days = 4
    first_answer_escalate_days: Days = 6
    patient_request_days: Days = 1
    triage_days: Days = 3
    triage_warn_days: Days = 3
    triage_escalate_days: Days = 5
    host_answer_days: Days = 10
    host_answer_warn_days: Days = 7
    #: From when the coordinator is asked to find another host.
    host_answer_escalate_days: Days = 10
    review_days: Days = 10
    #: Reminders so many days before the due date, on the day, and so many days after.
    review_remind_before_days: Days = 3
    review_remind_after_days: Days = 3
    #: From when the coordinator is asked to find another reviewer.
    review_replace_days: Days = 13
    decision_days: Days = 5
    decision_warn_days: Days = 3
    #: Calendar days between the reminders of a head whose decision is late.
    decision_repeat_days: Annotated[int, Field(ge=1, le=90)] = 7
    #: Calendar days.
    total_days: TotalDays = TotalDays()
    total_warn_days: TotalDays = TotalDays(cooperation=25, visit=25, training=35)
    #: Calendar days a partner has for an answer, and the days on which to remind.
    needs_info_days: Days = 30
    needs_info_reminders: tuple[Days, ...] = (7, 14, 21)
    #: Calendar days.
    offer_reply_days: Days = 14
    offer_reply_reminders: tuple[Days, ...] = (7, 12)
    waitlist_refresh_days: Days = 60
    #: Calendar days after which what a patient wrote is gone, once the patient was referred.
    patient_text_days: Annotated[int, Field(ge=1, le=30)] = 30
    #: When a partner is told that a promise will not be kept: on its last working day, while it still holds.
    late_notice_time: TimeOfDay = "15:00"
    #: When the staff's daily digest is written, on working days.
    digest_time: TimeOfDay = "07:30"
    #: Minutes a decision's mail is held back, in which it can be taken back.
    hold_minutes: Annotated[int, Field(ge=0, le=1440)] = 15

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.first_answer_warn_days <= self.first_answer_days <= self.first_answer_escalate_days:
            raise ValueError("first answer: warn <= target <= escalate")
        for name, days in (
            ("triage", (self.triage_warn_days, self.triage_days, self.triage_escalate_days)),
            (
                "host_answer",
                (self.host_answer_warn_days, self.host_answer_days, self.host_answer_escalate_days),
            ),
            ("review", (self.review_remind_before_days, self.review_days, self.review_replace_days)),
            ("decision", (self.decision_warn_days, self.decision_days)),
        ):
            if list(days) != sorted(days):
                raise ValueError(f"{name}: warn <= target <= escalate")
        for track in Track:
            if self.total_warn_days.of(track) > self.total_days.of(track):
                raise ValueError(f"total: warn <= target, also for {track}")
        for name, reminders, last in (
            ("needs_info", self.needs_info_reminders, self.needs_info_days),
            ("offer_reply", self.offer_reply_reminders, self.offer_reply_days),
        ):
            if list(reminders) != sorted(set(reminders)) or any(day >= last for day in reminders):
                raise ValueError(f"{name}_reminders: rising days before the last one")
        return self


class Anchors(Document):
    """What the best, the middle and the worst number mean for one criterion."""

    five: Bilingual
    three: Bilingual
    one: Bilingual


class Criterion(Document):
    """One criterion of a rubric.

    :param code: stays the same when the words change, so that a score begun goes on.
    :param weight: out of 100, all criteria of a rubric together.
    """

    code: Code
    name: Bilingual
    weight: Annotated[int, Field(ge=1, le=100)]
    anchors: Anchors


class RubricSettings(Document):
    """What reviewers judge on one track, and how much each of it counts."""

    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=12)]

    def criterion(self, code: str) -> Criterion | None:
        """The criterion with a code; ``None`` where this rubric has none such."""
        return next((one for one in self.criteria if one.code == code), None)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _unique("criteria", [one.code for one in self.criteria])
        total = sum(one.weight for one in self.criteria)
        if total != 100:
            raise ValueError(f"the weights add up to {total}, not to 100")
        return self


class ReviewSettings(Document):
    """How inquiries are reviewed (domain.md C).

    :param reviewers: how many reviews an inquiry needs; one more where they are far apart.
    :param accept_from, discuss_from: the guide lines, in points of 100; below the second one: decline.
    :param apart_mean: weighted means (1 to 5) that differ by so much ask for a third reader.
    :param apart_criterion: so do two scores of one criterion.
    :param blind: reviewers do not see name, country and institution before their own review is in.
    :param keep_months: months after the decision for which reviews and scores are kept.
    :param rubrics: the department's own rubrics to begin with, by track; without them, general ones.
    """

    reviewers: Annotated[int, Field(ge=1, le=4)] = 2
    accept_from: Annotated[int, Field(ge=0, le=100)] = 70
    discuss_from: Annotated[int, Field(ge=0, le=100)] = 50
    apart_mean: Annotated[float, Field(gt=0, le=4)] = 1.0
    apart_criterion: Annotated[int, Field(ge=1, le=4)] = 3
    blind: bool = False
    keep_months: Annotated[int, Field(ge=1, le=120)] = 12
    rubrics: dict[Track, RubricSettings] = {}

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if self.discuss_from > self.accept_from:
            raise ValueError("guide lines: discuss_from <= accept_from")
        return self


class GateStage(StrEnum):
    """When a gate is asked: with the first reading, or only of what is in review."""

    GATE = "gate"
    CHECK = "check"


class GateOwner(StrEnum):
    """The role that answers a gate."""

    COORDINATOR = "coordinator"
    HEAD = "head"
    COMPLIANCE = "compliance"
    RADIATION_SAFETY_OFFICER = "radiation_safety_officer"


class GateKind(Document):
    """Something that must not stand against an inquiry, whatever the reviewers think (domain.md B.8, C).

    :param question: what its owner answers.
    :param stage: a ``check`` is the compliance office's: never made of a first contact, and answered before a decision.
    :param tracks: of which inquiries it is asked.
    :param when: answers of the form that make it needed, by field; without any it is always needed.
    :param on_request: not needed until somebody asks for it.
    :param days: working days in which it is answered.
    :param evidence: whoever clears it says on what grounds.
    :param shows_name: its owner needs the partner's name for it, as a search in lists of persons does.
    :param answered_by: what answers it by itself: the partner's declaration of that name, or the ``host``.
    """

    code: Code
    name: Bilingual
    question: Bilingual
    stage: GateStage = GateStage.GATE
    owner: GateOwner = GateOwner.COORDINATOR
    tracks: Annotated[tuple[Track, ...], Field(min_length=1)] = tuple(Track)
    when: dict[Code, Annotated[tuple[Code, ...], Field(min_length=1)]] = {}
    on_request: bool = False
    days: Annotated[int, Field(ge=1, le=120)] = 5
    evidence: bool = False
    shows_name: bool = False
    answered_by: Code | None = None

    @property
    def is_check(self) -> bool:
        return self.stage is GateStage.CHECK

    def is_needed(self, answers: dict[str, Any]) -> bool:
        """Whether somebody has to answer it, from what the form says."""
        if self.on_request:
            return False
        return not self.when or any(
            str(answers.get(field, "")) in codes for field, codes in self.when.items()
        )


class HintSettings(Document):
    """What is pointed out when an inquiry arrives.

    :param text_percent: from how much of the shorter text two texts count as alike.
    :param most: how many other inquiries are shown at most.
    :param signals: the department's own words, beside the general ones, by kind of signal and of rule in it.
    """

    text_percent: Annotated[int, Field(ge=10, le=100)] = 50
    most: Annotated[int, Field(ge=1, le=20)] = 5
    signals: dict[Code, dict[Code, tuple[Line, ...]]] = {}

    @field_validator("signals")
    @classmethod
    def _of_words(
        cls, value: dict[str, dict[str, tuple[str, ...]]], info: ValidationInfo
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        if info.context == KEPT:
            return value
        every = [
            (name, phrase) for lists in value.values() for name, some in lists.items() for phrase in some
        ]
        for name, phrase in every:
            if not re.search(r"\w", unicodedata.normalize("NFKC", phrase)):
                raise ValueError(f"{name}: “{phrase}” holds no word to look for")
        return value


class NoticePart(Document):
    """One heading of the privacy notice."""

    key: Code
    title: Bilingual
    text: Bilingual


class Places(Document):
    """How many guests can be here at the same time. Nothing counts them but the hints on the head's page.

    :param areas: the areas that share these places: a laboratory, say.
    """

    code: Code
    name: Bilingual
    areas: Annotated[tuple[Code, ...], Field(min_length=1)]
    tracks: Annotated[tuple[Track, ...], Field(min_length=1)] = (Track.VISIT, Track.TRAINING)
    places: Annotated[int, Field(ge=1, le=500)]


class PrivacyNotice(Document):
    """The privacy notice of one version.

    Whoever accepted an older one keeps that version's number with the inquiry.
    """

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]{1,20}$")]
    summary: Bilingual
    parts: Annotated[tuple[NoticePart, ...], Field(min_length=1)]


CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class CountryGroup(Document):
    """Countries and regions that the fairness report compares as one (ISO 3166-1 codes)."""

    code: Code
    name: Bilingual
    countries: Annotated[tuple[CountryCode, ...], Field(min_length=1)]


class DepartmentSettings(Document):
    """One department.

    :param country_groups: what the fairness report compares; the world's regions when none are given.
    """

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,7}$")]
    timezone: str
    calendar: Code
    name: Bilingual
    short_name: Bilingual
    institution: Bilingual
    breadcrumb: tuple[Bilingual, ...] = ()
    areas: Annotated[tuple[Area, ...], Field(min_length=1)]
    tracks: Tracks
    windows: tuple[Window, ...] = ()
    admission_note: Bilingual
    patients_note: Bilingual
    offices: dict[Code, Office] = {}
    service_levels: ServiceLevels = ServiceLevels()
    review: ReviewSettings = ReviewSettings()
    hints: HintSettings = HintSettings()
    gates: tuple[GateKind, ...] = ()
    places: tuple[Places, ...] = ()
    privacy: PrivacyNotice
    country_names: dict[CountryCode, Bilingual] = {}
    country_groups: tuple[CountryGroup, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("takes an IANA time zone such as Asia/Shanghai") from None
        return value

    @model_validator(mode="after")
    def _codes(self) -> Self:
        _unique("areas", [area.code for area in self.areas])
        _unique("windows", [window.code for window in self.windows])
        _unique("country_groups", [group.code for group in self.country_groups])
        _unique("country_groups", [country for group in self.country_groups for country in group.countries])
        _unique("gates", [gate.code for gate in self.gates])
        _unique("places", [one.code for one in self.places])
        unknown = {area for one in self.places for area in one.areas} - {area.code for area in self.areas}
        if unknown:
            raise ValueError(f"places: no such area: {', '.join(sorted(unknown))}")
        return self

    def area(self, code: str) -> Area | None:
        """The area with a code; ``None`` for a code that the department does not have (any more)."""
        return next((area for area in self.areas if area.code == code), None)

    def area_name(self, code: str, lang: str) -> str:
        """How people call an area; the code itself when it was taken out of the settings since."""
        area = self.area(code)
        return area.name.get(lang) if area else code

    def gate(self, code: str) -> GateKind | None:
        """The gate with a code; ``None`` for one that was taken out of the settings since."""
        return next((gate for gate in self.gates if gate.code == code), None)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=False)


def _in(year: int, month_day: str) -> date:
    month, day = month_day.split("-")
    return date(year, int(month), int(day))


def _unique(what: str, codes: list[str]) -> None:
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise ValueError(f"{what}: named twice: {', '.join(twice)}")
