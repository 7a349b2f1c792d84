"""How tests look at pages: what a browser complains of is collected, and waited for is what is seen, never time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

SCREENS = Path(__file__).parents[3] / "test-output" / "screens"
_WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (e) => window.__violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""
DESK = {"viewport": {"width": 1360, "height": 860}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@dataclass
class Look:
    """A page of a browser, and what went wrong in it."""

    page: Any
    url: str
    wrong: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def by(cls, browser: Any, url: str, **how: Any) -> Iterator[Self]:
        """A look in a context of its own."""
        context = browser.new_context(**{**DESK, **how})
        context.add_init_script(_WATCH)
        page = context.new_page()
        page.set_default_timeout(120_000)
        looking = cls(page, url)
        looking._listen()
        try:
            yield looking
        finally:
            looking._gather()
            context.close()

    def _listen(self) -> None:
        host = urlsplit(self.url).netloc

        def asked(request: Any) -> None:
            parts = urlsplit(request.url)
            if parts.scheme not in ("data", "blob", "about") and parts.netloc != host:
                self.elsewhere.append(request.url)

        def dialog(shown: Any) -> None:
            self.dialogs.append(shown.message)
            shown.dismiss()

        def told(message: Any) -> None:
            if message.type == "error" and "409" not in message.text:
                self.wrong.append(f"{self.page.url}: {message.text}")

        self.page.on("request", asked)
        self.page.on("dialog", dialog)
        self.page.on("console", told)
        self.page.on("pageerror", lambda error: self.wrong.append(f"{self.page.url}: {error}"))

    def to(self, path: str) -> Any:
        """Go to a page, and wait until its scripts are at work."""
        self._gather()
        answer = self.page.goto(self.url + path, wait_until="domcontentloaded")
        self.page.wait_for_selector("html[data-ready]", state="attached")
        return answer

    def _gather(self) -> None:
        if self.page.url.startswith(self.url):
            self.violations += self.page.evaluate("window.__violations")

    def assert_harmless(self) -> None:
        """Nothing ran, was refused by the policy, asked anything of another host, or failed."""
        self._gather()
        assert self.dialogs == []
        assert self.violations == []
        assert self.elsewhere == []
        assert self.wrong == []

    def shoot(self, name: str) -> None:
        """Keep what is seen, as test output."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png", full_page=True)

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────────

    def see(self, text: str) -> None:
        """Wait until this is to be read."""
        self.page.get_by_text(text).first.wait_for()

    def status(self, wanted: str) -> None:
        """Wait until the run that is shown is so."""
        self.page.locator(f".run-head .pill:text-is('{wanted}')").wait_for()

    def press(self, name: str) -> None:
        """A button."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def act(self, name: str, reason: str = "") -> None:
        """A button that opens a dialog, and what the dialog asks for."""
        self.press(name)
        dialog = self.page.locator("dialog#act")
        dialog.wait_for()
        if reason:
            dialog.get_by_label("Reason").fill(reason)
        dialog.locator("#act-do").click()
        dialog.wait_for(state="hidden")
