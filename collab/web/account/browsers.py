"""What a browser calls itself, in words: ``Firefox on Windows``.

A table of what most people use and no more: it recognises nobody's version and is never used to decide anything. What
it does not know is an unknown browser; what the browser really sent is never shown.
"""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

#: The first mark that is found counts: most browsers also claim to be those further down.
BROWSERS = (
    (("MicroMessenger/",), _l("WeChat")),
    (("Edg/", "EdgA/", "EdgiOS/"), "Edge"),
    (("OPR/", "OPT/"), "Opera"),
    (("SamsungBrowser/",), "Samsung Internet"),
    (("MQQBrowser/", "QQBrowser/"), "QQ Browser"),
    (("HuaweiBrowser/",), "Huawei Browser"),
    (("Firefox/", "FxiOS/"), "Firefox"),
    (("Chrome/", "CriOS/"), "Chrome"),
    (("Safari/",), "Safari"),
)
SYSTEMS = (
    (("HarmonyOS", "OpenHarmony"), "HarmonyOS"),
    (("iPhone", "iPod"), "iPhone"),
    (("iPad",), "iPad"),
    (("Android",), "Android"),
    (("Windows NT",), "Windows"),
    (("Macintosh",), "macOS"),
    (("CrOS",), "ChromeOS"),
    (("Linux", "X11"), "Linux"),
)


def in_words(agent: str) -> str:
    """The browser and its system, as far as the browser's own word says."""
    browser = next((str(name) for marks, name in BROWSERS if any(mark in agent for mark in marks)), None)
    system = next((name for marks, name in SYSTEMS if any(mark in agent for mark in marks)), None)
    if browser is None:
        return _("Unknown browser on %(system)s", system=system) if system else _("Unknown browser")
    return _("%(browser)s on %(system)s", browser=browser, system=system) if system else browser
