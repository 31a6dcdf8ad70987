"""For search engines: where the pages are, and what is not for them."""

from xml.sax.saxutils import escape, quoteattr

from flask import Response, url_for

from collab import departments, profile
from collab.core.errors import NotFound
from collab.departments import Department
from collab.profile import READING, PageKey
from collab.web.access import public
from collab.web.public import bp
from collab.web.public.addresses import LANGUAGES, absolute, alternates, base_url

PRIVATE = ("/staff/", "/api/", "/en/i/", "/zh/i/", "/en/my/", "/zh/my/", "/en/confirm/", "/zh/confirm/")


@bp.get("/robots.txt")
@public
def robots() -> Response:
    """What robots may read: the public pages, not the private ones and not every search."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE), "Disallow: /*/search", "Allow: /"]
    lines += ["", f"Sitemap: {base_url()}{url_for('public.sitemap')}"]
    return _answer("\n".join(lines) + "\n", "text/plain")


@bp.get("/sitemap.xml")
@public
def sitemap() -> Response:
    """Every public page in both languages."""
    entries = []
    for department in departments.all_departments():
        try:
            published = profile.current_revision(department).published_at.date().isoformat()
        except NotFound:
            continue
        for endpoint, values in pages_of(department):
            links = "".join(
                f'<xhtml:link rel="alternate" hreflang={quoteattr(tag)} href={quoteattr(url)}/>'
                for tag, url in alternates(endpoint, **values).items()
            )
            for lang in LANGUAGES:
                location = escape(absolute(endpoint, lang, **values))
                entries.append(f"<url><loc>{location}</loc><lastmod>{published}</lastmod>{links}</url>")
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:xhtml="http://www.w3.org/1999/xhtml">\n' + "\n".join(entries) + "\n</urlset>\n"
    )
    return _answer(text, "application/xml")


def pages_of(department: Department) -> list[tuple[str, dict[str, str]]]:
    """The endpoints of a department's public pages with their values."""
    dept = {"dept": department.slug}
    found: list[tuple[str, dict[str, str]]] = [("public.start", dept)]
    found += [
        ("public.page" if key in READING else "public.door", dept | {"page": key.value}) for key in PageKey
    ]
    return [
        *found,
        *((f"public.{name}", dept) for name in ("answers", "privacy", "about_data", "accessibility")),
    ]


def _answer(text: str, mimetype: str) -> Response:
    response = Response(text, mimetype=mimetype)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
