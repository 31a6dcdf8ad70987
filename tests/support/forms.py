"""Forms as a browser sees them: what they hold before anybody types, and what is sent when a button is pressed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from tests.support.html import text_of

#: A file as `client.fill` takes it: name and content.
File = tuple[str, bytes]

NOT_TYPED = {"button", "image", "reset", "submit", "file"}


@dataclass
class Button:
    """A button that sends the form."""

    label: str
    name: str | None
    value: str
    action: str | None

    def answers_to(self, wanted: str) -> bool:
        return wanted in (self.label, self.value, self.name)


class Form:
    """One form of a page."""

    def __init__(self, element: Element, page: Element) -> None:
        self.element = element
        self.method = element.get("method", "get").upper()
        self.action = element.get("action", "")
        self.multipart = element.get("enctype") == "multipart/form-data"
        self.controls = [control for control in _controls(element, page) if "disabled" not in control.attrib]

    @property
    def names(self) -> set[str]:
        """The names one can fill in."""
        return {name for control in self.controls if (name := control.get("name"))}

    @property
    def buttons(self) -> list[Button]:
        found = []
        for control in self.controls:
            kind = control.get("type", "submit" if control.tag == "button" else "text")
            if control.tag in ("button", "input") and kind == "submit":
                label = text_of(control) if control.tag == "button" else control.get("value", "")
                found.append(
                    Button(label, control.get("name"), control.get("value", ""), control.get("formaction"))
                )
        return found

    def held(self) -> list[tuple[str, str]]:
        """Names and values as the page brought them, in order."""
        return [pair for control in self.controls for pair in _held(control)]

    def value(self, name: str) -> str | None:
        """The first value a field holds; None when it holds nothing."""
        return next((value for key, value in self.held() if key == name), None)

    def choices(self, name: str) -> list[str]:
        """The values one can choose in a field that offers some; empty for a field to type into."""
        found = []
        for control in self.controls:
            if control.get("name") != name:
                continue
            if control.tag == "select":
                found += [
                    _option(option) for option in control.iter("option") if "disabled" not in option.attrib
                ]
            elif control.get("type") in ("radio", "checkbox"):
                found.append(control.get("value", "on"))
        return found

    def answer(
        self, fields: Mapping[str, Any], button: str | None = None
    ) -> tuple[str, list[tuple[str, str]]]:
        """Where the form is sent and what with, after a person filled in `fields` and pressed `button`.

        A list fills a field that takes several values; True and False tick and untick a single box; None leaves the
        field out. A field or choice that the form does not offer is a mistake of the test.
        """
        if unknown := fields.keys() - self.names:
            raise AssertionError(f"The form has no {sorted(unknown)}; it has {sorted(self.names)}.")
        sent = [(name, value) for name, value in self.held() if name not in fields]
        for name, given in fields.items():
            values = self._values(name, given)
            offered = self.choices(name)
            if offered and (strange := set(values) - set(offered)):
                raise AssertionError(f"{name} does not offer {sorted(strange)}; it offers {offered}.")
            sent += [(name, value) for value in values]
        pressed = self._button(button)
        if pressed and pressed.name:
            sent.append((pressed.name, pressed.value))
        return (pressed.action if pressed and pressed.action is not None else self.action), sent

    def _values(self, name: str, given: Any) -> list[str]:
        if given is None or given is False:
            return []
        if given is True:
            offered = self.choices(name)
            if len(offered) != 1:
                raise AssertionError(f"{name} is no single box to tick; it offers {offered}.")
            return offered
        if isinstance(given, str) or not isinstance(given, Sequence):
            return [str(given)]
        return [str(value) for value in given]

    def _button(self, wanted: str | None) -> Button | None:
        if wanted is None:
            return self.buttons[0] if self.buttons else None
        for button in self.buttons:
            if button.answers_to(wanted):
                return button
        raise AssertionError(f"The form has no button {wanted!r}; it has {[b.label for b in self.buttons]}.")


def forms_of(page: Element) -> list[Form]:
    """All forms of a page, in order."""
    return [Form(element, page) for element in page.iter("form")]


def choose(
    forms: Sequence[Form], *, wanted: str | None, fields: Mapping[str, Any], button: str | None
) -> Form:
    """The one form that is meant: by its id or the end of its action, or else the only one that fits the fields."""
    if wanted is not None:
        fitting = [form for form in forms if form.element.get("id") == wanted or form.action.endswith(wanted)]
    else:
        posting = [form for form in forms if form.method == "POST"] or list(forms)
        fitting = [form for form in posting if fields.keys() <= form.names]
        if button is not None:
            fitting = [form for form in fitting if any(b.answers_to(button) for b in form.buttons)]
    if len(fitting) != 1:
        seen = "\n  ".join(f"{form.element.get('id') or form.action}: {sorted(form.names)}" for form in forms)
        raise AssertionError(
            f"{len(fitting)} forms fit {wanted or button or sorted(fields)}. The page has:\n  {seen}"
        )
    return fitting[0]


def _controls(form: Element, page: Element) -> Iterator[Element]:
    identity = form.get("id")
    inside = set(form.iter())
    for element in page.iter():
        if element.tag in ("input", "select", "textarea", "button"):
            owner = element.get("form")
            if (owner is None and element in inside) or (owner is not None and owner == identity):
                yield element


def _held(control: Element) -> Iterator[tuple[str, str]]:
    name = control.get("name")
    if not name or control.tag == "button":
        return
    if control.tag == "textarea":
        text = "".join(control.itertext())
        yield name, text.removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
    elif control.tag == "select":
        options = [option for option in control.iter("option") if "disabled" not in option.attrib]
        chosen = [option for option in options if "selected" in option.attrib]
        if not chosen and "multiple" not in control.attrib:
            chosen = options[:1]
        yield from ((name, _option(option)) for option in chosen)
    elif control.get("type") in ("checkbox", "radio"):
        if "checked" in control.attrib:
            yield name, control.get("value", "on")
    elif control.get("type", "text") not in NOT_TYPED:
        yield name, control.get("value", "")


def _option(option: Element) -> str:
    return option.get("value", text_of(option))
