"""The desk in a real browser: what its tests share, to open it as somebody and to look at cases behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.api.people import signed_in
from tests.conftest import ROOT, Server
from tests.web import pages

AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS = 20_000
LAMPS = "01037"
Open = Callable[..., Page]


@contextmanager
def desks(browser: Browser, server: Server, dispatcher: str) -> Iterator[Open]:
    """Opens the desk (or another page, `path`), signed in as the dispatcher or as `login`."""
    expect.set_options(timeout=PATIENCE_MS)
    with pages.visiting(browser, server.url) as visit:

        def open_page(
            fragment: str = "",
            *,
            login: str | None = dispatcher,
            path: str = "/desk",
            before: Callable[[Page], None] | None = None,
            **options: Any,
        ) -> Page:
            page = visit(ready=False, **options)
            if login is not None:
                sign_in(page, server, login)
            if before is not None:
                before(page)
            page.goto(f"{server.url}{path}{fragment}")
            pages.await_map(page)
            return page

        yield open_page
    expect.set_options(timeout=None)


def sign_in(page: Page, server: Server, login: str) -> None:
    """Give a page the session of somebody."""
    with signed_in(server, login) as client:
        cookies = [{"name": one.name, "value": one.value or "", "url": server.url} for one in client.cookies.jar]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]


def case_of(client: httpx.Client, id: str) -> dict[str, Any]:
    """A case as the client reads it."""
    answer = client.get(f"/incidents/{id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def steps_of(client: httpx.Client, id: str) -> list[str]:
    """The steps that a case took, in their order."""
    return [step["step"] for step in case_of(client, id)["steps"]]


def take(client: httpx.Client, id: str, step: str, **carries: Any) -> None:
    """Take a step without a page."""
    last = max(one["id"] for one in case_of(client, id)["steps"])
    answer = client.post(f"/incidents/{id}/steps", json={"step": step, "expected": last, **carries})
    assert answer.status_code == 200, answer.text


def violations(page: Page) -> list[str]:
    """What keeps people out of a page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })")
    return [f"{one['id']}: {one['nodes'][0]['html'][:150]}" for one in found["violations"]]
