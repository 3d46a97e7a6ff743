"""The picture of the README: `python -m tests.unit.top > docs/images/top.svg`."""

import asyncio
import re
import tempfile
from pathlib import Path

from sensor.top.app import TopApp
from tests.unit.top.office import Office
from tests.unit.top.test_app import until


async def picture() -> str:
    """Give the screen of the office, as soon as rates are known."""
    with tempfile.TemporaryDirectory() as directory:
        office = Office(Path(directory) / "s", period_seconds=0.5)
        with office.open():
            app = TopApp(office.path)
            async with app.run_test(size=(100, 18)) as pilot:
                await until(pilot, lambda: "frames/s" in app.export_screenshot().replace("&#160;", " "))
                return _without_fonts(app.export_screenshot(title="spanwatch top"))


def _without_fonts(svg: str) -> str:
    """Let the picture use what the reader has: it must fetch nothing."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "monospace")
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


if __name__ == "__main__":
    print(asyncio.run(picture()))
