"""What a browser calls itself becomes a few words; what it sent is never shown."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_babel import force_locale

from collab.web.account.browsers import in_words
from tests.support.html import text_of
from tests.support.people import Staff

Make = Callable[..., Staff]

MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox on Windows",
        ),
        (f"{MOZILLA} (X11; Linux x86_64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36", "Chrome on Linux"),
        (f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            f"{MOZILLA} (iPad; CPU OS 17_0 like Mac OS X) CriOS/142.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPad",
        ),
        (
            f"{MOZILLA} (Linux; Android 15; SM-S921B) SamsungBrowser/28.0 Chrome/130.0",
            "Samsung Internet on Android",
        ),
        (
            f"{MOZILLA} (Linux; Android 14) {WEBKIT} Chrome/126.0 Mobile MicroMessenger/8.0.49",
            "WeChat on Android",
        ),
        (f"{MOZILLA} (X11; CrOS x86_64 16000.0.0) {WEBKIT} Chrome/142.0 Safari/537.36", "Chrome on ChromeOS"),
        ("Firefox/145.0", "Firefox"),
        ("SomethingNew/1.0 (Windows NT 10.0)", "Unknown browser on Windows"),
        ("curl/8.5.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_in_words(app: Flask, agent: str, words: str) -> None:
    with force_locale("en"):
        assert in_words(agent) == words


def test_browsers_in_chinese(app: Flask) -> None:
    with force_locale("zh"):
        assert in_words(f"{MOZILLA} (Windows NT 10.0) Chrome/126.0 MicroMessenger/8.0") == "微信（Windows）"
        assert in_words("curl/8.5.0") == "未知浏览器"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (f"{MOZILLA} (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Windows"),
        ("<script>alert(1)</script> Firefox/145.0 on my mind", "Firefox"),
        ("Signed in by your administrator <b>trust me</b>", "Unknown browser"),
    ],
)
def test_the_account_page_says_the_words_and_never_the_string(staff: Make, agent: str, words: str) -> None:
    host = staff("host", signed_in=False)
    host.environ_base["HTTP_USER_AGENT"] = agent
    host.sign_in()
    page = host.page("/staff/account")
    (cell,) = [cell for cell in page.iter("th") if cell.get("data-label") == "Browser"]
    assert text_of(cell) == f"{words} This one"
    for raw in ("Gecko", "<script", "my mind", "administrator", "trust me"):
        assert raw not in text_of(cell)
