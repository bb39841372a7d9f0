"""The sentences that code puts together: f-strings and texts of notebooks and modules, with names for the values.

`f"**{len(stored):,}** rows"` becomes the message `**{len_stored}** rows`, which a translator can work on and which is
recognised again in what a run has printed.
"""

import ast
import re
import string
from collections.abc import Iterator

SPEAKING = ("say", "Markdown", "text")  # calls in a notebook whose texts are read by people
PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
MARK = re.compile(r"^\s*(?:(?:#{1,6}|[-*+>]|\d+\.)\s+)+")  # of a heading, a list or a quotation
_WORD = re.compile(r"[A-Za-z]{3,}")


def of_cell(source: str) -> Iterator[str]:
    """The sentences of a notebook's code cell: every f-string, and every text that is shown as Markdown."""
    tree = ast.parse(source)
    yield from _templates(tree)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name in SPEAKING and call.args:
            yield from _texts(call.args[0])


def of_module(source: str) -> Iterator[str]:
    """The sentences that a module puts together; errors are not on a page."""
    yield from _templates(ast.parse(source))


def places(message: str) -> list[str]:
    """The names of the values in a message."""
    return PLACE.findall(message)


def reads_as_words(text: str) -> bool:
    """Whether a text has a word in it outside of code and of the places of values."""
    return bool(_WORD.search(PLACE.sub("", re.sub(r"`[^`]*`|https?:\S+", "", text))))


def _templates(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Raise):
            continue
        if isinstance(node, ast.JoinedStr | ast.BinOp) and (made := _written(node)) is not None:
            yield from _lines(made)
            inner = [part.value for part in _parts(node) if isinstance(part, ast.FormattedValue)]
            for value in inner:
                yield from _choices(value)
                yield from _templates(value)
            continue
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format" and _is_text(node.func):
            yield from _lines(_plain(node.func.value.value))  # type: ignore[attr-defined]
        yield from _templates(node)


def _texts(node: ast.AST) -> Iterator[str]:
    """Texts under an argument, where they are whole: a part of an f-string is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _lines(_plain(node.value))
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _choices(value: ast.AST) -> Iterator[str]:
    """The words of `{'more' if … else 'less'}`."""
    if isinstance(value, ast.IfExp):
        for branch in (value.body, value.orelse):
            if isinstance(branch, ast.Constant) and isinstance(branch.value, str) and reads_as_words(branch.value):
                yield branch.value


def _lines(made: str) -> Iterator[str]:
    """A message for each line of a sentence, without its mark; one without words of its own is none."""
    for line in made.split("\n"):
        words = MARK.sub("", line).strip()
        if " " in words and reads_as_words(words):
            yield words


def _parts(node: ast.AST) -> list[ast.AST]:
    """The pieces of an f-string, or of texts that are added to each other."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_parts(node.left), *_parts(node.right)]
    if isinstance(node, ast.JoinedStr):
        return list(node.values)
    return [node]


def _written(node: ast.AST) -> str | None:
    """The message of an f-string; of texts that are added to each other only if one of them is a text."""
    parts = _parts(node)
    if not any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts):
        return None
    names: list[str] = []
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else f"{{{_named(part, names)}}}" for part in parts
    )


def _named(part: ast.AST, taken: list[str]) -> str:
    value = part.value if isinstance(part, ast.FormattedValue) else part
    words = re.sub(r"\W+", "_", ast.unparse(value)).strip("_").lower()
    name = base = re.sub(r"^(?:(?:self|model|\d+)_)+", "", words)[:40].strip("_") or "value"
    number = 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.append(name)
    return name


def _plain(template: str) -> str:
    """A template of `str.format` without the forms of its values."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError:
        return template
    return "".join(text + (f"{{{name}}}" if name else "") for text, name, _, _ in parsed)


def _is_text(called: ast.AST) -> bool:
    return isinstance(called, ast.Attribute) and isinstance(getattr(called.value, "value", None), str)
