"""The questions that are ready: one YAML file each in `layers/questions`, checked when the server starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from layers.ask.question.asked import Question
from layers.declared import declaration_files, read_declaration
from layers.errors import BadDeclaration
from layers.spec import Access, Title

FOLDER: Final = Path(__file__).parents[1] / "questions"
READY_ACCESS: Final = Access(view="public", edit="nobody")
_QUESTION: TypeAdapter[Question] = TypeAdapter(Question)


@dataclass(frozen=True)
class Ready:
    """A question that ships: `about` says what to look at in its answer."""

    id: str
    order: int
    title: Title
    about: Title
    question: Question

    @property
    def access(self) -> Access:
        """Everyone may ask it who may know of its layers; nobody changes it but by its file."""
        return READY_ACCESS

    @property
    def asked(self) -> dict[str, Any]:
        """The question as canonical JSON."""
        asked: dict[str, Any] = self.question.model_dump(mode="json", exclude_none=True)
        return asked


def ready_questions(folder: Path = FOLDER) -> dict[str, Ready]:
    """All of them by id (the name of the file), in their order; BadDeclaration with file, line and reason."""
    found = [_read(path) for path in declaration_files(folder)]
    return {one.id: one for one in sorted(found, key=lambda one: (one.order, one.id))}


def _read(path: Path) -> Ready:
    given = read_declaration(path).section(required=("order", "title", "about", "question"))
    asked = yaml.safe_load(path.read_text(encoding="utf-8"))["question"]
    try:
        question = _QUESTION.validate_python(asked)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        line = _line(given["question"].node, first["loc"])
        raise BadDeclaration(path, line, f"{where}: {first['msg']}") from error
    return Ready(path.stem, given["order"].whole(0, 999), given["title"].title(), given["about"].title(), question)


def _line(node: yaml.Node, place: tuple[int | str, ...]) -> int:
    """The line of the innermost part of a document that a place names."""
    line = int(node.start_mark.line) + 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            inner = next((pair for pair in node.value if pair[0].value == part), None)
            if inner is None:
                continue  # the name of a kind of question, which pydantic puts in between
            line, node = inner[0].start_mark.line + 1, inner[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
