"""The templates of assets/report; their words are marked for gettext, and stand in English until there are others."""

import jinja2

from indutech.system.settings import PROJECT

STYLE = PROJECT / "assets" / "report"


def render(name: str, **context: object) -> str:
    """A template filled in."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(STYLE), autoescape=True, extensions=["jinja2.ext.i18n"]
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    return environment.get_template(name).render(context) + "\n"
