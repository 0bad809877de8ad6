"""Driving a real browser: where it is, what it complained about, what axe finds, and pictures for people."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PICTURES = Path("artifacts/screenshots")
CANDIDATES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """The browser to use: ``CHROMIUM`` from the environment, or one of Debian's names on the path."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((path for name in CANDIDATES if (path := shutil.which(name))), None)


@dataclass
class Complaints:
    """What the browser said: script errors, console errors (CSP violations among them), answers of 500 and above."""

    lines: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.lines.append(f"script error: {error}"))
        page.on("console", lambda message: self._console(message))
        page.on("response", lambda answer: answer.status >= 500 and self.lines.append(f"{answer.status} {answer.url}"))

    def _console(self, message: Any) -> None:
        # A 4xx answer is part of many journeys (422 of a form); the journey itself says what it expects of it.
        if (
            message.type == "error"
            and "Failed to load resource: the server responded with a status of 4" not in message.text
        ):
            self.lines.append(f"console: {message.text}")


def axe_findings(page: Page, include: str | None = None) -> list[str]:
    """What axe objects to on the page (or inside ``include``), WCAG 2.2 AA and best practices: rule, words, elements."""
    _settle(page)
    found = Axe().run(page, context=include, options={"resultTypes": ["violations"], "preload": False})
    return [
        f"{v['id']}: {v['help']}: " + " | ".join(str(n["target"]) + " " + _why(n) for n in v["nodes"][:4])
        for v in found.response["violations"]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [*node.get("any", []), *node.get("all", []), *node.get("none", [])]
    return checks[0]["message"][:160] if checks else ""


def _settle(page: Page) -> None:
    """Contrast is measured at rest: let short motions end."""
    page.evaluate(
        "() => Promise.all(document.getAnimations()"
        ".filter(a => a.effect.getTiming().iterations !== Infinity).map(a => a.finished.catch(() => 0)))"
    )


def sideways(page: Page) -> int:
    """How many pixels the page scrolls sideways; nothing should."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page as an artifact."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    # Hiding the caret would leave style attributes behind, which our content security policy refuses to have copied.
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True, caret="initial")
