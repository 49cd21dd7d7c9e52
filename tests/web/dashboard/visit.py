"""A signed-in window on the dashboard that notes what the browser complains of."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

SIZES = {"phone": (390, 844), "desk": (1280, 800), "wall": (1920, 1080)}
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PERIOD = "2026-Q3"


class Visit:
    """A signed-in window that notes what the browser complains of."""

    def __init__(self, browser, demonstration, screenshots, who=None):
        client, password = demonstration
        self.client, self.screenshots = client, screenshots
        context = browser.new_context(base_url=str(client.base_url), locale="vi-VN")
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if who:
            self.page.goto("/sign-in")
            self.page.fill("#email", f"{who}@demo.example")
            self.page.fill("#password", password)
            self.page.click("main button")
            expect(self.page.locator("h1")).to_be_visible()

    def _note(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def look(self, name, sizes=SIZES):
        for size, (width, height) in ((size, SIZES[size]) for size in sizes):
            self.page.set_viewport_size({"width": width, "height": height})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} px wide on a {size} of {width} px"
            # Tables are cards on a phone; on a wall the layout is the desk's.
            if size == "phone" or (size == "desk" and name in ("overview", "sections")):
                found = Axe().run(self.page, options=WCAG)
                assert not found.violations_count, f"{name}, {size}: {found.generate_report()}"
            picture = self.screenshots / f"dashboard_{name}-{width}.png"
            self.page.screenshot(path=str(picture), full_page=size != "wall")
        assert self.complaints == []

    def text(self, selector="main"):
        return " ".join(self.page.locator(selector).first.inner_text().split())

    def view(self, name, **parameters):
        answer = self.client.get(f"/api/v1/views/{name}", params={"period": PERIOD} | parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()
