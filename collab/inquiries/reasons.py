"""Why an inquiry was declined, referred or set aside (domain.md B.4), with the sentence the partner reads."""

from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


class Reason(StrEnum):
    """A reason code. What kind of closing it belongs to is in ``DECLINE``, ``REFERRAL`` and ``VOIDING``."""

    OUT_OF_SCOPE = "out_of_scope"
    NO_HOST_IN_AREA = "no_host_in_area"
    NO_CAPACITY_IN_PERIOD = "no_capacity_in_period"
    LEAD_TIME_SHORT = "lead_time_short"
    FUNDING_MISSING = "funding_missing"
    QUALIFICATION_MISMATCH = "qualification_mismatch"
    LANGUAGE_LEVEL = "language_level"
    HANDS_ON_NOT_POSSIBLE = "hands_on_not_possible"
    UNDER_18 = "under_18"
    COMPLIANCE_NOT_CLEARED = "compliance_not_cleared"
    ETHICS_MISSING = "ethics_missing"
    PROPOSAL_QUALITY = "proposal_quality"
    INCOMPLETE = "incomplete"

    DEGREE_ADMISSION = "degree_admission"
    DOMESTIC_ADVANCED_TRAINING = "domestic_advanced_training"
    OTHER_DEPARTMENT = "other_department"
    UNIVERSITY_AGREEMENT = "university_agreement"
    PATIENT_REQUEST = "patient_request"
    PROCUREMENT = "procurement"
    PRESS = "press"
    EMPLOYMENT = "employment"

    SPAM = "spam"
    DUPLICATE = "duplicate"
    TEST = "test"

    @property
    def label(self) -> LazyString:
        return LABELS[self]

    @property
    def sentence(self) -> LazyString:
        """One sentence for the partner; no blame, no score."""
        return SENTENCES[self]


_R = Reason
DECLINE: tuple[Reason, ...] = (
    _R.OUT_OF_SCOPE,
    _R.NO_HOST_IN_AREA,
    _R.NO_CAPACITY_IN_PERIOD,
    _R.LEAD_TIME_SHORT,
    _R.FUNDING_MISSING,
    _R.QUALIFICATION_MISMATCH,
    _R.LANGUAGE_LEVEL,
    _R.HANDS_ON_NOT_POSSIBLE,
    _R.UNDER_18,
    _R.COMPLIANCE_NOT_CLEARED,
    _R.ETHICS_MISSING,
    _R.PROPOSAL_QUALITY,
    _R.INCOMPLETE,
)
REFERRAL: tuple[Reason, ...] = (
    _R.DEGREE_ADMISSION,
    _R.DOMESTIC_ADVANCED_TRAINING,
    _R.OTHER_DEPARTMENT,
    _R.UNIVERSITY_AGREEMENT,
    _R.PATIENT_REQUEST,
    _R.PROCUREMENT,
    _R.PRESS,
    _R.EMPLOYMENT,
)
VOIDING: tuple[Reason, ...] = (_R.SPAM, _R.TEST)

#: Reasons that are facts rather than judgements of quality (domain.md C, gates): a coordinator may decline with
#: these; the others are the head's.
GATE: frozenset[Reason] = frozenset(DECLINE) - {
    _R.QUALIFICATION_MISMATCH,
    _R.LANGUAGE_LEVEL,
    _R.PROPOSAL_QUALITY,
}

LABELS: dict[Reason, LazyString] = {
    _R.OUT_OF_SCOPE: _l("Out of scope"),
    _R.NO_HOST_IN_AREA: _l("No host in this area"),
    _R.NO_CAPACITY_IN_PERIOD: _l("No capacity in the period"),
    _R.LEAD_TIME_SHORT: _l("Lead time too short"),
    _R.FUNDING_MISSING: _l("Funding missing"),
    _R.QUALIFICATION_MISMATCH: _l("Qualification does not match"),
    _R.LANGUAGE_LEVEL: _l("Language level"),
    _R.HANDS_ON_NOT_POSSIBLE: _l("Hands-on work not possible"),
    _R.UNDER_18: _l("Under 18"),
    _R.COMPLIANCE_NOT_CLEARED: _l("Compliance not cleared"),
    _R.ETHICS_MISSING: _l("Ethics approval missing"),
    _R.PROPOSAL_QUALITY: _l("Quality of the proposal"),
    _R.INCOMPLETE: _l("Incomplete"),
    _R.DEGREE_ADMISSION: _l("Degree admission"),
    _R.DOMESTIC_ADVANCED_TRAINING: _l("Domestic advanced training"),
    _R.OTHER_DEPARTMENT: _l("Another department"),
    _R.UNIVERSITY_AGREEMENT: _l("University-wide agreement"),
    _R.PATIENT_REQUEST: _l("Request of a patient"),
    _R.PROCUREMENT: _l("Procurement"),
    _R.PRESS: _l("Press"),
    _R.EMPLOYMENT: _l("Employment"),
    _R.SPAM: _l("Spam"),
    _R.DUPLICATE: _l("Duplicate"),
    _R.TEST: _l("Test"),
}

SENTENCES: dict[Reason, LazyString] = {
    _R.OUT_OF_SCOPE: _l("The topic lies outside what the department works on."),
    _R.NO_HOST_IN_AREA: _l("No group in the department can host this area at present."),
    _R.NO_CAPACITY_IN_PERIOD: _l("All places in the period you named are taken."),
    _R.LEAD_TIME_SHORT: _l("The time before the start you named is too short to prepare the formal steps."),
    _R.FUNDING_MISSING: _l("The department cannot pay for this, and no other funding is secured yet."),
    _R.QUALIFICATION_MISMATCH: _l("The plan needs other qualifications than those described."),
    _R.LANGUAGE_LEVEL: _l("The plan needs a working language that is not confirmed yet."),
    _R.HANDS_ON_NOT_POSSIBLE: _l("The department cannot offer hands-on clinical work for this plan."),
    _R.UNDER_18: _l("Radiation areas are open to adults only."),
    _R.COMPLIANCE_NOT_CLEARED: _l("A required clearance could not be obtained."),
    _R.ETHICS_MISSING: _l("The ethics approval that this plan needs is not in place."),
    _R.PROPOSAL_QUALITY: _l("The proposal did not convince us in its present form."),
    _R.INCOMPLETE: _l("Important information is missing."),
    _R.DEGREE_ADMISSION: _l("Admission to a degree is decided by the university, not by the department."),
    _R.DOMESTIC_ADVANCED_TRAINING: _l(
        "Advanced training for colleagues within China has its own intake at the hospital."
    ),
    _R.OTHER_DEPARTMENT: _l("Another department is the right partner for this topic."),
    _R.UNIVERSITY_AGREEMENT: _l(
        "Agreements between universities or hospitals are made by their offices; we can only support them."
    ),
    _R.PATIENT_REQUEST: _l(
        "Requests about treatment go to the hospital's service for patients, not through this portal."
    ),
    _R.PROCUREMENT: _l("Offers of goods and services go to the hospital's purchasing office."),
    _R.PRESS: _l("Requests of the press go to the hospital's press office."),
    _R.EMPLOYMENT: _l("Applications for employment go to the hospital's personnel office."),
    _R.SPAM: _l("The message was set aside."),
    _R.DUPLICATE: _l("The message was joined with an earlier one."),
    _R.TEST: _l("The message was a test."),
}
