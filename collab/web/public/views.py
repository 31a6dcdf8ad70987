"""The pages. Each reads the department and its profile, and says the same to everybody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from flask import current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab import departments, profile
from collab.core import clock
from collab.departments import Admission, EarliestStart, Track, Window
from collab.profile import READING, Edition, Fact, PageKey, ProfileDocument
from collab.web import hooks, pieces, templating
from collab.web.access import public
from collab.web.page_cache import cacheable
from collab.web.public import bp, linked_data, shown
from collab.web.public.addresses import absolute, alternates, base_url

TRACK_OF = {PageKey.COOPERATE: Track.COOPERATION, PageKey.VISIT: Track.VISIT, PageKey.TRAIN: Track.TRAINING}


@bp.get("/")
@public
def root() -> ResponseReturnValue:
    """On to the reader's language."""
    response = redirect(url_for(".languages", lang=hooks.preferred_language()))
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Vary"] = "Accept-Language"
    return response


@bp.get("/<any(en,zh):lang>/")
@public
@cacheable
def languages() -> ResponseReturnValue:
    """The institution's departments; on to the only one."""
    only = departments.only()
    if only is not None:
        return redirect(url_for(".start", dept=only.slug))
    everyone = departments.all_departments()
    return render_template(
        "public/departments.html",
        departments=everyone,
        institution=everyone[0].institution(g.lang) if everyone else None,
        canonical_url=absolute("public.languages", g.lang),
        alternates=alternates("public.languages"),
    )


@bp.get("/<any(en,zh):lang>/<dept>/")
@public
@cacheable
def start(dept: str) -> ResponseReturnValue:
    """Who the department is, the three doors, the key figures."""
    at = _Place.of(dept, "public.start")
    document = at.document
    return at.render(
        "public/start.html",
        lambda: at.given(
            title=at.department.name(g.lang),
            description=document.start.lede.get(g.lang),
            sections=document.start.sections,
            figures=[document.by_key[key] for key in document.start.figures],
            pages=[(document.pages[key], at.address_of(key.value)) for key in READING],
        ),
    )


@bp.get("/<any(en,zh):lang>/<dept>/<any(research,clinical,facilities,team,teaching):page>")
@public
@cacheable
def page(dept: str, page: str) -> ResponseReturnValue:
    """One page of the profile."""
    at = _Place.of(dept, "public.page", page=page)
    content = at.document.pages[PageKey(page)]
    return at.render(
        "public/page.html",
        lambda: at.given(
            title=content.title.get(g.lang),
            description=content.lede.get(g.lang) if content.lede else "",
            sections=content.sections,
        ),
    )


@bp.get("/<any(en,zh):lang>/<dept>/<any(cooperate,visit,train):page>")
@public
@cacheable
def door(dept: str, page: str) -> ResponseReturnValue:
    """What one track offers, whom it is for, what it needs, how long it takes; then the form."""
    at = _Place.of(dept, "public.door", page=page)
    return at.render("public/door.html", lambda: _door(at, PageKey(page)))


def _door(at: "_Place", key: PageKey) -> dict[str, Any]:
    track = TRACK_OF[key]
    settings = at.department.settings
    offer = settings.tracks.of(track)
    today = at.today
    return at.given(
        title=offer.title.get(g.lang),
        description=offer.lede.get(g.lang),
        sections=at.document.pages[key].sections,
        form=url_for("partner.inquire", dept=at.department.slug, track=track.value),
        action="CommunicateAction" if track is Track.COOPERATION else "ApplyAction",
        track=track,
        offer=offer,
        levels=settings.service_levels,
        earliest={
            "visa": departments.earliest_visit(settings, today=today),
            "no_visa": departments.earliest_visit(settings, today=today, visa=False),
            "non_degree": departments.earliest_enrolment(
                settings, today=today, admission=Admission.NON_DEGREE
            ),
            "degree": departments.earliest_enrolment(settings, today=today, admission=Admission.DEGREE),
        },
        start_of=_start_of,
        windows=[(window, *_next_turn(window, today)) for window in settings.windows],
        total_days=settings.service_levels.total_days.of(track),
    )


@bp.get("/<any(en,zh):lang>/<dept>/privacy")
@public
@cacheable
def privacy(dept: str) -> ResponseReturnValue:
    """The privacy notice."""
    at = _Place.of(dept, "public.privacy")
    notice = at.department.settings.privacy
    return at.render(
        "public/privacy.html",
        lambda: at.given(
            title=_("Privacy notice"),
            description=notice.summary.get(g.lang),
            notice=notice,
        ),
    )


@bp.get("/<any(en,zh):lang>/<dept>/about-data")
@public
@cacheable
def about_data(dept: str) -> ResponseReturnValue:
    """Where the facts come from, all of them in one table, and what is not known."""
    at = _Place.of(dept, "public.about_data")
    return at.render(
        "public/about_data.html",
        lambda: at.given(
            title=_("About these data"),
            description=_(
                "Source, page stamp and every fact with its wording, period and note; and what is not known."
            ),
            sections=at.document.unplaced,
            page_title=at.page_title,
            unknown={
                state: [fact for fact in at.document.facts if fact.period.state.value == state]
                for state in ("unstated", "undated")
            },
            inferred=[fact for fact in at.document.facts if fact.inferred],
        ),
    )


@bp.get("/<any(en,zh):lang>/<dept>/accessibility")
@public
@cacheable
def accessibility(dept: str) -> ResponseReturnValue:
    """How these pages can be used, and what is known to be missing."""
    at = _Place.of(dept, "public.accessibility")
    return at.render(
        "public/accessibility.html",
        lambda: at.given(
            title=_("Accessibility"),
            description=_(
                "How these pages can be used with keyboard, screen reader, zoom and without scripts."
            ),
        ),
    )


@bp.get("/<any(en,zh):lang>/<dept>/search")
@public
@cacheable
def search(dept: str) -> ResponseReturnValue:
    """Search over the profile, in both languages at once."""
    at = _Place.of(dept, "public.search")
    query = "".join(c if c.isprintable() else " " for c in request.args.get("q", "")[:200]).strip()
    return at.render(
        "public/search.html",
        lambda: at.given(
            title=_("Search"),
            description=_("Search over the department's profile, in English and Chinese."),
            address=at.address_of,
            page_title=at.page_title,
            noindex=True,
        ),
        q=query,
        found=profile.find(at.department, query, g.lang),
    )


@dataclass
class _Place:
    """Where a visitor is: the department as it presents itself now, and how the page at hand is addressed."""

    department: Edition
    endpoint: str
    values: dict[str, str]
    today: date

    @classmethod
    def of(cls, slug: str, endpoint: str, **values: str) -> "_Place":
        """:raises collab.core.errors.NotFound: no such department, or it has published no profile."""
        department = g.department = profile.edition(slug)
        return cls(department, endpoint, {"dept": slug, **values}, clock.today(department.timezone))

    @property
    def document(self) -> ProfileDocument:
        return self.department.profile

    def render(self, template: str, fill: Callable[[], dict[str, Any]], **asked: Any) -> str:
        """Draw the page, or put it together from what was drawn before.

        :param fill: what the templates are given, asked for when this content has no sheet of the page yet.
        :param asked: what belongs to this request alone.
        """
        sheets: pieces.Sheets = current_app.extensions["collab.sheets"]
        key = (self.department.key, g.lang, self.today, request.script_root, template, *self.values.values())
        sheet = sheets.of(key, fill)
        return pieces.page(template, sheet, templating.other_language_url(), asked)

    def given(
        self,
        *,
        title: str,
        description: str,
        sections: tuple[str, ...] = (),
        form: str | None = None,
        action: Literal["CommunicateAction", "ApplyAction"] = "CommunicateAction",
        **context: Any,
    ) -> dict[str, Any]:
        """What every page of the department gives its templates."""
        crumbs = self._crumbs(None if self.endpoint == "public.start" else title)
        url = absolute(self.endpoint, g.lang, **self.values)
        figures: list[Fact] = context.get("figures", [])
        nodes = linked_data.page(
            self.department,
            lang=g.lang,
            url=url,
            home=absolute("public.start", "en", dept=self.department.slug),
            title=title,
            description=description,
            crumbs=[(name, base_url() + address if address else None) for name, address in crumbs],
            sections=sections,
            form=form
            and absolute("partner.inquire", g.lang, dept=self.department.slug, track=context["track"].value),
            action=action,
            figures=figures,
        )
        return {
            "department": self.department,
            "document": self.document,
            "settings": self.department.settings,
            "title": title,
            "description": description,
            "section_keys": sections,
            "form_url": form,
            "crumbs_here": crumbs,
            "nav": self._navigation(),
            "canonical_url": url,
            "alternates": alternates(self.endpoint, **self.values),
            "linked_data": linked_data.script(nodes),
            "value_of": shown.value,
            "period_of": shown.period,
            **context,
        }

    def page_title(self, page: str) -> str:
        """The title of a page a fact stands on."""
        if page in set(PageKey):
            return self.document.pages[PageKey(page)].title.get(g.lang)
        return {"privacy": _("Privacy notice"), "about-data": _("About these data")}.get(
            page, self.department.name(g.lang)
        )

    def address_of(self, page: str, anchor: str = "") -> str:
        """The address of a page a fact stands on, with the fact's anchor."""
        slug, mark = self.department.slug, anchor or None
        if page in set(PageKey):
            endpoint = "public.page" if PageKey(page) in READING else "public.door"
            return url_for(endpoint, dept=slug, page=page, _anchor=mark)
        endpoint = {"privacy": "public.privacy", "about-data": "public.about_data"}.get(page, "public.start")
        return url_for(endpoint, dept=slug, _anchor=mark)

    def _navigation(self) -> list[tuple[str, str, bool]]:
        here = self.values.get("page")
        pages = [
            (self.page_title(key.value), self.address_of(key.value), here == key.value) for key in READING
        ]
        return [(_("About"), self.address_of("start"), self.endpoint == "public.start"), *pages]

    def _crumbs(self, title: str | None) -> list[tuple[str, str | None]]:
        settings = self.department.settings
        crumbs: list[tuple[str, str | None]] = [(settings.institution.get(g.lang), None)]
        crumbs += [(step.get(g.lang), None) for step in settings.breadcrumb]
        crumbs.append((settings.short_name.get(g.lang), self.address_of("start") if title else None))
        return [*crumbs, (title, None)] if title else crumbs


def _start_of(start: EarliestStart) -> str:
    """A term in words with the window that leads to it; a day where no window decides."""
    if start.window is None or start.apply_by is None:
        return _("from %(day)s", day=templating.day(start.day))
    return _(
        "%(term)s %(year)s (about %(month)s); the window closes on %(day)s",
        term=start.window.name.get(g.lang),
        year=start.day.year,
        month=templating.month(start.day.isoformat()),
        day=templating.day(start.apply_by),
    )


def _next_turn(window: Window, today: date) -> tuple[date, date]:
    year = today.year if window.closes_in(today.year) >= today else today.year + 1
    return window.opens_in(year), window.closes_in(year)
