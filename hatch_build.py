"""What a build adds to the sources: compiled catalogues, and the pages inside the package.

`templates/` and `static/` lie beside the package in the repository and inside it in a wheel;
`collab.create_app` looks in both places.
"""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Build(BuildHookInterface[Any]):
    """Runs for wheels, source archives and editable installs alike."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile every catalogue; for a wheel that is copied, take the pages along."""
        for source in sorted(Path(self.root, "collab", "locale").glob("*/LC_MESSAGES/*.po")):
            compile_catalogue(source)
        build_data["artifacts"].append("collab/locale/*/LC_MESSAGES/*.mo")
        if self.target_name == "wheel" and version == "standard":
            for folder in ("static", "templates"):
                build_data["force_include"][str(Path(self.root, folder))] = f"collab/{folder}"


def compile_catalogue(source: Path) -> None:
    """Write the `.mo` beside a `.po`; fuzzy entries stay out, so that no guess is ever shown."""
    with source.open("rb") as lines:
        catalogue = read_po(lines, locale=source.parts[-3])
    with source.with_suffix(".mo").open("wb") as compiled:
        write_mo(compiled, catalogue, use_fuzzy=False)
