from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest
from PIL import Image

from scheduler import chart
from scheduler.picture import picture
from tests.scheduler.station import WORDS, office
from tests.scheduler.test_edition import busy


def drawn(**changes: Any) -> bytes:
    spec = picture(busy(**changes), WORDS["vi"], office().taxonomy)
    assert spec is not None
    return chart.draw(spec)


def test_the_picture_is_a_png_of_a_thousand_pixels_and_always_the_same() -> None:
    first = drawn()
    with Image.open(io.BytesIO(first)) as image:
        assert (image.format, image.width) == ("PNG", 1000)
        assert 500 < image.height < 1400
        assert image.info.keys() <= {"dpi"}
    assert drawn() == first


def test_where_no_topic_is_shown_there_is_no_picture() -> None:
    taken = busy(axes={})
    assert picture(taken, WORDS["vi"], office().taxonomy) is None
    assert picture(busy(state="few", total=None), WORDS["vi"], office().taxonomy) is None


def test_the_server_never_loads_matplotlib() -> None:
    code = "import sys, scheduler.due, scheduler.chart; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_picture_that_cannot_be_drawn_raises() -> None:
    with pytest.raises(chart.ChartFailed):
        chart.draw({"title": "no bars"})
