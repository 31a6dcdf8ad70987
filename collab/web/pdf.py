"""PDF out of HTML, where the extra ``pdf`` (WeasyPrint) is installed.

Nothing is fetched: a sheet may name our own stylesheets, and any other address is refused.
"""

import logging
from functools import cache
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Any

from collab.core.package import folder

_SCHEME = "collab-static:"


@cache
def available() -> bool:
    """Whether PDF can be written here: the package is there, and the libraries it draws with."""
    if find_spec("weasyprint") is None:
        return False
    try:
        import weasyprint  # noqa: F401
    except OSError:  # Pango is missing on this machine
        logging.getLogger("collab.web").warning("pdf_libraries_missing")
        return False
    return True


def write(html: str) -> bytes:
    """A sheet as PDF/UA-ready PDF with tags and language."""
    from weasyprint import HTML

    document = HTML(string=html, base_url=_SCHEME, url_fetcher=fetcher(), media_type="print")
    written: bytes = document.write_pdf(pdf_tags=True)
    return written


def fetcher() -> Any:
    """What fetches for a sheet: our own static files by name, nothing else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Ours(URLFetcher):  # type: ignore[misc]
        """Reads from the folder of static files."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            """:raises ValueError: any other address."""
            name = url.removeprefix(_SCHEME) if url.startswith(_SCHEME) else ""
            path = PurePosixPath(name)
            if not name or path.suffix != ".css" or path.is_absolute() or ".." in path.parts:
                raise ValueError("not one of ours")
            content = (folder("static") / path).read_bytes()
            return URLFetcherResponse(url, content, {"Content-Type": "text/css"})

    return Ours()
