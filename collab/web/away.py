"""The form on which an absence is entered, one's own or somebody else's."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import InputRequired

from collab import accounts
from collab.accounts import Absence
from collab.core.errors import Invalid
from collab.departments import Department
from collab.inquiries import deputies
from collab.web.access import actor
from collab.web.forms import Day, PortalForm


class AbsenceForm(PortalForm):
    """Away from one day to another, both included. A page leaves out what is settled: the person, or the department."""

    person = SelectField(_l("Who is away"), validators=[InputRequired(_l("Choose a person."))])
    department = SelectField(_l("Department"), validators=[InputRequired(_l("Choose one."))])
    first_day = Day(_l("First day away"), validators=[InputRequired(_l("Choose a day."))])
    last_day = Day(_l("Last day away"), validators=[InputRequired(_l("Choose a day."))])
    deputy = SelectField(_l("Who deputises"))

    def enter(self, person_id: int, department: Department) -> Absence:
        """Enter what was filled in.

        :raises Invalid: the person, the days or the deputy are not possible.
        """
        person = accounts.user_by_id(person_id)
        if not person.roles_in(department.id):
            raise Invalid("person", _("%(name)s does not work in this department.", name=person.name))
        return deputies.enter_absence(
            person,
            department=department,
            first_day=self.first_day.data or date.min,
            last_day=self.last_day.data or date.min,
            deputy=accounts.user_by_id(int(self.deputy.data)) if self.deputy.data else None,
            by=actor(),
        )
