"""Staff's visits to pages: windows that note what the browser complains of."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

GOOD = "bốn từ ngẫu nhiên đây"
SIZES = {"phone": (320, 640), "tall phone": (390, 844), "kiosk": (768, 1024), "desk": (1280, 800)}
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


class Visit:
    """A browser window that notes what the browser complains of."""

    def __init__(self, browser, client, screenshots, language="vi-VN"):
        self.base, self.screenshots = str(client.base_url), screenshots
        context = browser.new_context(base_url=self.base, locale=language)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message):
        # That an answer was 401, 404 or 422 is what those pages are for.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def sign_in(self, email, password=GOOD):
        self.page.goto("/sign-in")
        self.page.fill("#email", email)
        self.page.fill("#password", password)
        self.page.click("main button")
        expect(self.page.locator("h1")).to_be_visible()

    def look(self, name):
        """Check the page as it stands at every size."""
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} px wide on a {size} of {width} px"
            if size in ("phone", "desk"):  # the layouts between them differ from neither
                found = Axe().run(self.page, options=WCAG)
                assert not found.violations_count, f"{name}, {size}: {found.generate_report()}"
            picture = self.screenshots / f"{name}-{width}.png"
            self.page.screenshot(path=str(picture), full_page=True)
        assert self.complaints == []
