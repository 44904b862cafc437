"""The page in a real Chromium, in front of the real models: what a person drops, sees and sends."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tandem.runtime.server import TritonServer
from tests.door.process import ROOT, DoorProcess
from tests.server.conftest import triton_server

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.triton,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium"),
]
SAMPLE = ROOT / "docs" / "images" / "sample.jpg"
SHOTS = os.environ.get("TANDEM_SCREENSHOTS")
"""A folder for pictures of the page; none are made without it."""
WIDE, PHONE = (1280, 900), (390, 844)
PATIENCE_MS = 180_000
DROP = """(zone, text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  zone.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
PASTE = """(zone, text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""
BLUE_PIXELS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] < 40 && Math.abs(data[i + 1] - 107) < 25 && data[i + 2] > 180) count++;
  }
  return count;
}"""
assert triton_server  # the fixture


@pytest.fixture(scope="module")
def real_door(triton_server: TritonServer) -> Iterator[DoorProcess]:
    with DoorProcess("--triton", triton_server.grpc_url, "--services", "id_card") as door:
        yield door


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Visitor:
    """A tab of the browser that notes what it must not see."""

    def __init__(self, browser: Any, door: DoorProcess, size: tuple[int, int], locale: str = "en-GB") -> None:
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=locale)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.url = f"http://{door.http}/"
        self.page.goto(self.url)

    def leave(self) -> None:
        """Nothing was asked elsewhere, nothing went wrong, nothing was kept."""
        outside = [url for url in self.asked if not url.startswith((self.url, "blob:", "data:"))]
        kept = self.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie.length]")
        self.context.close()
        assert outside == []
        assert self.said == []
        assert kept == [0, 0, 0]

    def shot(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"{name}.jpg", type="jpeg", quality=72, full_page=True)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_dropped_card_and_sixteen(real_door: DoorProcess, browser: Any, size: tuple[int, int]) -> None:
    visitor = Visitor(browser, real_door, size)
    page = visitor.page
    page.locator(".drop").evaluate(DROP, base64.b64encode(SAMPLE.read_bytes()).decode())
    card = page.locator(".card")
    card.wait_for()
    assert "宋帆洋" in card.inner_text()
    assert "429006199310055513" in card.inner_text().replace("\n", "")
    assert card.locator(".checks .yes").count() == 4
    canvas = page.locator(".picture canvas")
    assert canvas.get_attribute("data-outlines") == "1"
    assert canvas.evaluate(BLUE_PIXELS) > 1000
    assert card.locator(".rectified").count() == 1
    page.locator(".times .bar").first.wait_for()
    assert page.locator(".times .bar").count() == 6  # the door, and the ensemble's five steps
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]

    bursts = [_burst(page) for _ in range(3)]
    assert all(two * 2 + one == 16 for two, one in bursts)  # nobody else asks: each of them is in one batch
    # A burst begins and ends with lone ones, and may be unlucky on a busy machine; three are not.
    assert sum(two for two, _ in bursts) > sum(one for _, one in bursts)
    assert page.locator(".lane").count() == 5
    assert "16 of 16 answered" in page.locator(".burst .sum").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    visitor.shot(f"door-page-{size[0]}")
    visitor.leave()


def _burst(page: Any) -> tuple[int, int]:
    """Sends sixteen; how many batches of two and of one the slowest step ran."""
    page.locator(".sixteen").click()
    page.locator(".burst .sum:not(:empty)").wait_for()
    assert page.locator(".sixteen-items .done").count() == 16
    burst = page.locator(".burst")
    return int(burst.get_attribute("data-two")), int(burst.get_attribute("data-one"))


def test_the_load_and_the_planners_curve(real_door: DoorProcess, browser: Any) -> None:
    visitor = Visitor(browser, real_door, WIDE)
    page = visitor.page
    page.locator("#tabs [data-name=load]").click()
    page.locator("table.load tbody tr").first.wait_for()
    assert page.locator("table.load tbody tr").count() == 5
    # The sixteen before have run both batch sizes.
    page.locator(".curve svg").wait_for()
    assert page.locator(".curve path.m1, .curve path.m2").count() == 2
    assert re.search(r"s\(1\) = [\d.]+ ms and s\(2\) = [\d.]+ ms", page.locator(".curve-note").inner_text())
    visitor.shot("door-load")
    visitor.leave()


def test_pasted_in_chinese(real_door: DoorProcess, browser: Any) -> None:
    visitor = Visitor(browser, real_door, PHONE, locale="zh-CN")
    page = visitor.page
    page.locator("text=拖入、粘贴或拍摄身份证").wait_for()
    page.locator(".drop").evaluate(PASTE, base64.b64encode(SAMPLE.read_bytes()).decode())
    page.locator(".card").wait_for()
    assert "人像面" in page.locator(".card").inner_text()
    page.locator("#language").click()
    page.locator("text=Drop, paste or photograph an identity card").wait_for()
    visitor.leave()


def test_a_refused_picture_says_why(real_door: DoorProcess, browser: Any) -> None:
    visitor = Visitor(browser, real_door, WIDE)
    page = visitor.page
    page.locator(".drop").evaluate(DROP, base64.b64encode(b"no picture").decode())
    page.locator(".message.bad").wait_for()
    assert "JPEG, PNG, WebP, BMP or TIFF is allowed" in page.locator(".message.bad").inner_text()
    # A browser itself notes each answer that is a failure; nothing else was said.
    said, visitor.said = visitor.said, []
    assert all("status of 400" in line for line in said)
    visitor.leave()


def test_the_documentation_needs_no_other_machine(real_door: DoorProcess, browser: Any) -> None:
    visitor = Visitor(browser, real_door, WIDE)
    visitor.page.goto(visitor.url + "docs")
    visitor.page.locator("text=POST /v1/id_card").first.wait_for()
    visitor.leave()
