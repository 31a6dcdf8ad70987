"""What the first contact asks (domain.md A.1–A.4): every field's label, and every choice in words.

The form, the inquiry's page and the partner's own data all read their words here.
"""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from collab.core.wording import format_day, format_month
from collab.departments.settings import DepartmentSettings
from collab.departments.tracks import Track
from collab.inquiries.models import Inquiry

LABELS: dict[str, LazyString] = {
    "full_name": _l("Full name"),
    "email": _l("E-mail"),
    "institution_name": _l("Institution"),
    "country": _l("Country or region of the institution"),
    "organisation_type": _l("Kind of organisation"),
    "visitor_type": _l("You come as"),
    "degree_status": _l("Where you are now"),
    "area": _l("Area"),
    "cooperation_type": _l("What you have in mind"),
    "training_model": _l("What you are looking for"),
    "title": _l("Title of the inquiry"),
    "summary": _l("Your proposal in brief"),
    "purpose": _l("What you want to learn or do"),
    "interest_statement": _l("Your topic and why here"),
    "needed_by": _l("Deadline, if any"),
    "preferred_start": _l("Preferred start"),
    "duration_weeks": _l("Length in weeks"),
    "funding_source": _l("Who pays travel and stay"),
    "adult_declaration": _l("I will be 18 or older at the start"),
    "non_confidential_declaration": _l("My text holds nothing confidential and no patient data"),
    "privacy_ack": _l("I have read the privacy notice"),
}

FUNDING_SOURCES: dict[str, LazyString] = {
    "self": _l("Myself"),
    "home_institution": _l("My institution"),
    "csc": _l("China Scholarship Council (CSC)"),
    "iaea": _l("International Atomic Energy Agency (IAEA)"),
    "grant": _l("A research grant"),
    "scholarship_other": _l("Another scholarship"),
    "host_requested": _l("I ask the host to pay"),
    "undecided": _l("Not decided yet"),
}

#: Fields with fixed choices. Areas and visitor types are the department's own, see ``choices``.
CHOICES: dict[str, dict[str, LazyString]] = {
    "organisation_type": {
        "university": _l("University"),
        "hospital": _l("Hospital"),
        "research_institute": _l("Research institute"),
        "company": _l("Company"),
        "government_or_ngo": _l("Government body or non-profit organisation"),
        "scientific_society": _l("Scientific society"),
        "other": _l("Other"),
    },
    "cooperation_type": {
        "joint_project": _l("Joint project"),
        "clinical_study": _l("Clinical study"),
        "material_or_data_sharing": _l("Sharing of materials or data"),
        "method_exchange": _l("Exchange of methods"),
        "joint_event": _l("Joint event"),
        "industry_partnership": _l("Partnership with industry"),
        "institutional_agreement": _l("Agreement between institutions"),
        "other": _l("Other"),
    },
    "funding_source": FUNDING_SOURCES,
    "degree_status": {
        "bachelor_enrolled": _l("Bachelor's degree, enrolled"),
        "bachelor_completed": _l("Bachelor's degree, completed"),
        "master_enrolled": _l("Master's degree, enrolled"),
        "master_completed": _l("Master's degree, completed"),
        "doctorate_enrolled": _l("Doctorate, enrolled"),
        "doctorate_completed": _l("Doctorate, completed"),
    },
    "training_model": {
        "sandwich": _l("Research stay; the degree stays with my university"),
        "cotutelle": _l("Doctorate of both universities, by an individual agreement"),
        "co_supervision": _l("Co-supervision, mostly at a distance"),
        "full_degree": _l("Full degree at the university"),
        "other_unsure": _l("Something else, or not sure"),
    },
}

#: A track's fields in the order in which they are asked, part by part: about you, what you want, check and send.
PARTS: dict[Track, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    Track.COOPERATION: (
        ("full_name", "email", "institution_name", "country", "organisation_type"),
        ("area", "cooperation_type", "title", "summary", "needed_by"),
        ("non_confidential_declaration", "privacy_ack"),
    ),
    Track.VISIT: (
        ("full_name", "email", "institution_name", "country", "visitor_type"),
        ("area", "preferred_start", "duration_weeks", "purpose", "funding_source"),
        ("adult_declaration", "privacy_ack"),
    ),
    Track.TRAINING: (
        ("full_name", "email", "institution_name", "country", "degree_status"),
        ("training_model", "area", "preferred_start", "interest_statement", "funding_source"),
        ("adult_declaration", "privacy_ack"),
    ),
}

LONG = frozenset({"summary", "purpose", "interest_statement"})
DECLARATIONS = frozenset({"adult_declaration", "non_confidential_declaration", "privacy_ack"})


@dataclass(frozen=True)
class Answer:
    """One answer as people read it.

    :param long: it may have several lines.
    """

    name: str
    label: str
    value: str
    long: bool = False


def choices(name: str, settings: DepartmentSettings, lang: str) -> dict[str, str]:
    """What can be chosen in a field: code and words. Empty for fields to type into."""
    if name == "area":
        return {area.code: area.name.get(lang) for area in settings.areas}
    if name == "visitor_type":
        return {kind.code: kind.name.get(lang) for kind in settings.tracks.visit.visitor_types}
    return {code: str(label) for code, label in CHOICES.get(name, {}).items()}


def in_words(name: str, value: object, settings: DepartmentSettings, lang: str) -> str:
    """A kept value in words; a code that is not offered any more stays as it is."""
    if value is None or value == "":
        return ""
    if name == "needed_by":
        from datetime import date

        return format_day(date.fromisoformat(str(value)), lang)
    if name == "preferred_start":
        return format_month(str(value), lang)
    return choices(name, settings, lang).get(str(value), str(value))


def answers(inquiry: Inquiry, lang: str) -> list[Answer]:
    """What an inquiry answers on its track's questions, in their order, without contact and declarations.

    What was answered on another track, before it was moved here, follows in its old wording.
    """
    settings = inquiry.department.settings
    own = {"area": inquiry.area, **inquiry.answers}
    found = []
    tracks = (inquiry.track, *(track for track in PARTS if track is not inquiry.track))
    for name in dict.fromkeys(name for track in tracks for part in PARTS[track] for name in part):
        if name in DECLARATIONS or name not in own:
            continue
        words = in_words(name, own[name], settings, lang)
        if words:
            found.append(Answer(name, str(LABELS[name]), words, name in LONG))
    return found
