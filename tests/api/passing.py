"""A loop whose time passes by itself: what waits for a moment is woken at once, and that moment is then the time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

_Found = list[tuple[selectors.SelectorKey, int]]


class _Skipping(selectors.BaseSelector):
    """Tells what is ready now; where nothing is, the time that would have been waited has passed."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.passed_s = 0.0

    def select(self, timeout: float | None = None) -> _Found:
        found = self._real.select(0)
        if not found:
            assert timeout is not None, "everything waits for something that will never come"
            self.passed_s += timeout
        return found

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class PassingLoop(asyncio.SelectorEventLoop):
    """What would run in a thread is done at once, and takes no time."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.passed_s

    def run_in_executor(self, _: Any, work: Callable[..., Any], *given: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        done = self.create_future()
        try:
            done.set_result(work(*given))
        except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
            done.set_exception(error)
        return done


def passing(work: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end in such a loop."""
    with asyncio.Runner(loop_factory=PassingLoop) as runner:
        return runner.run(work)
