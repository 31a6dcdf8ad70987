"""A person's browser: Debian's Chromium, watched for anything a page must not do."""

import json
import shutil
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request

ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--font-render-hinting=none",
    "--lang=en-GB",
    "--no-first-run",
    "--no-sandbox",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def executable() -> str:
    """Where Chromium is.

    :raises RuntimeError: there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError("There is no Chromium. Install it: apt-get install chromium")


class Watch:
    """Collects what a page did wrong: errors in its console, and requests to anywhere else."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.wrong: list[str] = []

    def follow(self, page: Page) -> None:
        """Watch a page from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"error in a script: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # A refused form answers 4xx, which Chromium reports as an error of its own.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if (
            address.scheme in ("http", "https", "ws", "wss")
            and f"{address.scheme}://{address.netloc}" != self.origin
        ):
            self.wrong.append(f"request to elsewhere: {request.url}")


def axe(page: Page) -> None:
    """Fail on anything axe finds on the page, best practices included."""
    violations = Axe().run(page).response["violations"]
    found = [
        {"rule": v["id"], "help": v["help"], "nodes": [node["html"][:200] for node in v["nodes"][:3]]}
        for v in violations
    ]
    assert not found, f"{page.url}:\n{json.dumps(found, indent=1, ensure_ascii=False)}"


def fits(page: Page) -> None:
    """Fail when the page must be scrolled sideways."""
    wide, window = page.locator("html").evaluate("(root) => [root.scrollWidth, root.clientWidth]")
    assert wide <= window, f"{page.url} is {wide} px wide in a window of {window} px."
