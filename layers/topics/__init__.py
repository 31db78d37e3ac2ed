"""Topics (专题): one YAML file each, here or in the city's data folder; drop one in and the page can be arranged so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from layers.declared import declaration_files
from layers.errors import BadDeclaration
from layers.people.access import Actor, may
from layers.topics.reading import Known, read_topic
from layers.topics.topic import There, Topic, arranged

SHIPPED = Path(__file__).parent
FOLDER = "topics"  # below the data folder
MOST_TOPICS = 100

__all__ = [
    "FOLDER",
    "MOST_TOPICS",
    "SHIPPED",
    "Known",
    "There",
    "Topic",
    "Topics",
    "arranged",
    "read_topic",
    "told",
    "topics_in",
]


class Topics:
    """The topics of some folders, read when they are first asked for."""

    def __init__(self, folders: Iterable[Path], known: Callable[[], Known]) -> None:
        self._folders, self._known = tuple(folders), known
        self._lock = threading.Lock()
        self._all: Mapping[str, Topic] | None = None

    def all(self) -> Mapping[str, Topic]:
        """Every topic by name; BadDeclaration for a file that is none."""
        with self._lock:
            if self._all is None:
                self._all = topics_in(self._folders, self._known())
            return self._all


def topics_in(folders: Iterable[Path], known: Known) -> dict[str, Topic]:
    """The topics of the folders by name, of two with one name the later; BadDeclaration for a file that is none."""
    found: dict[str, Topic] = {}
    for folder in folders:
        for path in declaration_files(folder):
            if len(found) == MOST_TOPICS:
                raise BadDeclaration(path, None, f"there are more than {MOST_TOPICS} topics")
            found[path.stem] = read_topic(path, known)
    return found


def told(topics: Mapping[str, Topic], there: There, actor: Actor) -> list[dict[str, Any]]:
    """The topics that the actor may see and of which something is there, as JSON."""
    seen = (arranged(topic, there) for topic in topics.values() if may(actor, "view", topic))
    return [topic for topic in seen if topic is not None]
