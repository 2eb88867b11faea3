"""Makes the pictures of the documentation from a project at work: `python -m tests.browser.pictures`.

Needs Debian's chromium, the extra `browser`, and pillow. Takes two minutes.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.showcase import Showcase, showcase

IMAGES = Path(__file__).resolve().parent.parent.parent / "docs" / "images"
COLORS = 256
DESKTOP, PHONE = {"width": 1200, "height": 860}, {"width": 390, "height": 844}


def shots(shop: Showcase) -> Iterator[tuple[str, str, dict[str, int], str]]:
    """Yields of each picture its name, the path of its page, the size and the color scheme."""
    newest = {(each["model"], each["version"]): each["run"] for each in shop.run("history", "--limit", "0")["runs"]}
    study = shop.run("status")["studies"][0]
    yield "dashboard-queue", "/", DESKTOP, "light"
    yield "dashboard-queue-phone", "/", PHONE, "light"
    yield "dashboard-run", f"/runs/{newest['vision/segmentation.py', 'unet']}", DESKTOP, "dark"
    yield "dashboard-search", f"/compare?study={study['study']}&model={study['model']}", DESKTOP, "light"
    runs = [newest["vision/resnet.py", each] for each in ("shallow", "deep", "wide")]
    yield "dashboard-compare", "/compare?" + "&".join(f"run={each}" for each in runs), DESKTOP, "light"
    yield "dashboard-machine", "/machine", DESKTOP, "dark"


def make(shop: Showcase, page: Any, directory: Path) -> None:
    """Makes all of them."""
    link = shop.dashboard()
    page.goto(link)
    page.locator("#live_running .pill", has_text="STALLED").wait_for()
    for name, path, size, scheme in shots(shop):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto(link.partition("/#")[0] + path)
        page.wait_for_load_state("load")
        page.wait_for_timeout(2500)  # the first events have come by then
        shot = Image.open(io.BytesIO(page.screenshot()))
        shot.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(directory / f"{name}.png", optimize=True)


def main() -> None:
    """Makes them where the documentation has them."""
    with tempfile.TemporaryDirectory() as above, showcase(Path(above) / "photos") as shop, sync_playwright() as player:
        found = player.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        make(shop, found.new_page(locale="en-GB"), IMAGES)
        found.close()


if __name__ == "__main__":
    main()
