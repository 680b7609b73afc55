"""A person at the admin in a real browser: headless Chromium, the portal as a live server, the
other sides in the sandbox, the queue when the test says so. Pictures are left in build/."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.connectors.conftest import day as day
from tests.connectors.day import Day

PICTURES = Path(__file__).resolve().parents[2] / "build" / "screenshots"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
# The browser's driver keeps an event loop in this thread; the database is still called by it alone.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, day: Day) -> Iterator[Page]:
    """The operator, logged in."""
    context = chromium.new_context(viewport=WIDE, locale="pt-BR", base_url=day.hub)
    context.set_default_timeout(10_000)
    session = day.browser.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": day.hub}])
    yield context.new_page()
    context.close()


@pytest.fixture
def shot(page: Page, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Look at the page, wide and narrow: keep both pictures; nothing serious may be wrong for
    whoever cannot see or use a mouse, and nothing may lie beyond the edge."""
    folder = PICTURES / request.node.name.replace("[", "-").rstrip("]")

    def take(name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        assert problems(page) == []
        page.screenshot(path=folder / f"{name}-1280.png", full_page=True)
        page.set_viewport_size(NARROW)
        page.wait_for_timeout(150)
        page.screenshot(path=folder / f"{name}-360.png", full_page=True)
        beyond = page.evaluate(
            "(document.querySelector('.activating') || document.body).scrollWidth > innerWidth"
        )
        page.set_viewport_size(WIDE)
        assert not beyond

    return take


def problems(page: Page) -> list[Any]:
    page.wait_for_load_state()  # only then are all fields named
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
