"""Assets: addresses by content, headers, and nothing else from the disk."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from collab.core.package import folder
from collab.settings import Settings
from collab.web import assets, hooks

STYLE = b".a { color: #123456 }\n" * 40


@pytest.fixture
def served(tmp_path: Path) -> assets.Assets:
    static = tmp_path / "static"
    (static / "css").mkdir(parents=True)
    (static / "img").mkdir()
    (static / ".git").mkdir()
    (static / "css/theme.css").write_bytes(STYLE)
    (static / "img/icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (static / "img/dot.png").write_bytes(b"\x89PNG" + bytes(200))
    (static / ".git/config.txt").write_text("hidden")
    (static / "notes.md").write_text("no kind that is served")
    (tmp_path / "secret.txt").write_text("secret")
    (static / "link.txt").symlink_to(tmp_path / "secret.txt")
    security = hooks.security_headers(Settings(instance=tmp_path, base_url="https://collab.example.org"))
    return assets.Assets(assets.files_in(static), security)


@pytest.fixture
def browser(served: assets.Assets) -> Client:
    return Client(served)


def test_only_known_kinds_inside_the_folder_are_there(served: assets.Assets) -> None:
    assert sorted(served.names()) == ["css/theme.css", "img/dot.png", "img/icon.svg"]
    with pytest.raises(KeyError):
        served.address("css/missing.css")


def test_a_fingerprinted_asset_may_be_kept_for_good(served: assets.Assets, browser: Client) -> None:
    address = served.address("css/theme.css")
    assert re.fullmatch("/static/[0-9a-f]{8}/css/theme.css", address)
    answer = browser.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert answer.status_code == 200
    assert gzip.decompress(answer.data) == STYLE
    expected = {
        "Content-Type": "text/css; charset=utf-8",
        "Content-Encoding": "gzip",
        "Content-Length": str(len(answer.data)),
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        "ETag": answer.headers["ETag"],
        "Content-Security-Policy": hooks.CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    }
    assert dict(answer.headers) == expected


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity", "gzip; q=0.0"])
def test_without_gzip_the_plain_bytes_come(browser: Client, accepted: str) -> None:
    answer = browser.get("/static/css/theme.css", headers={"Accept-Encoding": accepted})
    assert (answer.data, answer.headers.get("Content-Encoding")) == (STYLE, None)
    assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"


def test_the_address_changes_with_the_content(served: assets.Assets) -> None:
    other = assets.Assets({"css/theme.css": STYLE + b"/**/"}, {})
    assert other.address("css/theme.css") != served.address("css/theme.css")


def test_an_old_address_gets_what_there_is_but_not_for_good(browser: Client) -> None:
    answer = browser.get("/static/00000000/css/theme.css")
    assert (answer.status_code, answer.data) == (200, STYLE)
    assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"


def test_what_the_browser_has_is_not_sent_again(served: assets.Assets, browser: Client) -> None:
    for coding in ("gzip", ""):
        headers: dict[str, Any] = {"Accept-Encoding": coding}
        tag = browser.get("/static/css/theme.css", headers=headers).headers["ETag"]
        again = browser.get("/static/css/theme.css", headers={**headers, "If-None-Match": f'"x", W/{tag}'})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert "Content-Length" not in again.headers
        assert (
            browser.get("/static/css/theme.css", headers={**headers, "If-None-Match": '"x"'}).status_code
            == 200
        )


def test_head_says_the_same_without_the_bytes(browser: Client) -> None:
    got, head = browser.get("/static/img/dot.png"), browser.head("/static/img/dot.png")
    assert (head.status_code, head.data) == (200, b"")
    assert dict(head.headers) == dict(got.headers)
    assert got.headers["Content-Type"] == "image/png"
    assert "Vary" not in got.headers


def test_the_icon_is_found_where_browsers_look(browser: Client) -> None:
    answer = browser.get("/favicon.ico")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/css",
        "/static/css/",
        "/static/missing.css",
        "/static/../secret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/css/../../secret.txt",
        "/static/..%2fsecret.txt",
        "/static//etc/passwd",
        "/static/link.txt",
        "/static/.git/config.txt",
        "/static/notes.md",
        "/static/00000000/../secret.txt",
        "/static/0000000g/css/theme.css",
        "/static/css/theme.css\x00.png",
        "/static/" + "a" * 5000,
    ],
)
def test_nothing_else_is_there(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.data) == (404, b"404 Not Found\n")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_nothing_can_be_sent_to_an_asset(browser: Client) -> None:
    answer = browser.post("/static/css/theme.css", data=b"x")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_bootstrap_is_cut_to_what_is_used() -> None:
    cut = assets.bootstrap(frozenset({"btn", "btn-", "form-control"})).decode()
    assert ".btn-primary{" in cut
    assert ".form-control:focus{" in cut
    assert "box-sizing:border-box" in cut
    for absent in (
        ".card",
        ".navbar",
        ".form-select",
        ".modal",
        "data-bs-theme=dark",
        "sourceMappingURL",
        "url(http",
    ):
        assert absent not in cut, absent
    read = set(re.findall(r"var\((--bs-[\w-]+)[,)]", cut))
    whole = assets.bootstrap(frozenset({"btn", "btn-", "form-control", "data-bs-theme"})).decode()
    assert read - set(re.findall(r"(--bs-[\w-]+):", cut)) == read - set(re.findall(r"(--bs-[\w-]+):", whole))
    assert cut.count("{") == cut.count("}")


def test_our_own_assets_are_small_and_from_nowhere_else() -> None:
    """What every first view loads, compressed: with the page itself it must stay below 60 KB."""
    views = Path(assets.__file__).parent
    own = assets.files_in(folder("static"))
    own[assets.BOOTSTRAP] = assets.bootstrap(assets.words_in(folder("templates"), folder("static"), views))
    first_view = (assets.BOOTSTRAP, "css/theme.css", "js/site.js", "img/icon.svg")
    assert sum(len(gzip.compress(own[name], 9)) for name in first_view) < 40_000
    for name, content in own.items():
        if name.endswith((".css", ".js")):
            assert not re.search(rb"(?:url\(|@import|from|import)\s*[\"']?(?:https?:)?//", content), name
