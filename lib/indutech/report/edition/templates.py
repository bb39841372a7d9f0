"""The templates of assets/report; their words are marked for gettext, and come in the language being written in."""

import jinja2

from indutech.report.edition.translation import recognised
from indutech.show import language
from indutech.system.settings import PROJECT

STYLE = PROJECT / "assets" / "report"


def render(name: str, **context: object) -> str:
    """A template filled in."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(STYLE), autoescape=True, extensions=["jinja2.ext.i18n"]
    )
    in_language(environment)
    return environment.get_template(name).render(context) + "\n"


def in_language(environment: jinja2.Environment) -> None:
    """Give templates the words of the language, its name, and a filter that says what a run has said in English."""
    translations = language.translations(language.active())
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(lang=language.active(), source_lang=language.SOURCE)
    environment.filters["said"] = recognised.said
