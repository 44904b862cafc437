import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tandem_triton import Card
from tandem_triton.cli.drawing import draw_cards
from tandem_triton.cli.fonts import NoChineseFontError, find_chinese_font
from tandem_triton.services.id_card import Quad

SIZE = (400, 300)
OUTLINE: Quad = ((50.0, 100.0), (350.0, 100.0), (350.0, 280.0), (50.0, 280.0))
BOX: Quad = ((100.0, 150.0), (200.0, 150.0), (200.0, 170.0), (100.0, 170.0))


@pytest.fixture(scope="module")
def font() -> Path:
    try:
        return find_chinese_font()
    except NoChineseFontError as error:
        pytest.skip(str(error))


def _card(text: str, box: Quad = BOX) -> Card:
    return Card(side="portrait", score=1.0, quad=OUTLINE, fields={"姓名": text}, boxes={"姓名": box})


def _black(orientation: int = 1) -> bytes:
    encoded = io.BytesIO()
    image = Image.new("RGB", SIZE)
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(encoded, "PNG", exif=exif)
    return encoded.getvalue()


def _draw(text: str, font: Path, box: Quad = BOX) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(draw_cards(_black(), [_card(text, box)], font))


def test_outline_and_box_lie_where_the_answer_says(font: Path) -> None:
    drawn = _draw("", font)
    assert drawn[280, 60].any()
    assert drawn[170, 150].any()
    assert not drawn[230, 200].any()


def test_chinese_glyphs_are_drawn_not_boxes_for_missing_ones(font: Path) -> None:
    first, second = _draw("张", font), _draw("李", font)
    assert (first != second).any(), "two characters look alike: the font has neither"


def test_coordinates_are_those_after_the_exif_rotation(font: Path) -> None:
    turned = draw_cards(_black(orientation=6), [_card("张三")], font)
    assert turned.width == SIZE[1]
    assert turned.height > SIZE[0]


def test_what_was_read_stands_below_and_hides_nothing(font: Path) -> None:
    drawn = _draw("四", font)
    assert drawn.shape[0] > SIZE[1]
    assert (drawn[SIZE[1] :] == 255).mean() > 0.5, "paper with some ink"
    assert (drawn[: SIZE[1]] == _draw("五", font)[: SIZE[1]]).all()
    assert (drawn[SIZE[1] :] != _draw("五", font)[SIZE[1] :]).any()


@pytest.mark.parametrize("length", [20, 28, 60])
def test_no_text_is_cut_off(font: Path, length: int) -> None:
    """Longer ones are made smaller, and at last the sheet wider."""
    below = _draw("四" * length, font)[SIZE[1] :]
    assert (below[:, -8:] == 255).all(), "cut off at the right"
    assert (below[:, below.shape[1] // 2 :] != 255).any()


def test_no_card_leaves_the_picture_as_it_is(font: Path) -> None:
    assert not np.asarray(draw_cards(_black(), [], font)).any()


def test_without_a_chinese_font_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no fontconfig either
    with pytest.raises(NoChineseFontError, match="fonts-noto-cjk"):
        find_chinese_font(common=[])


def test_a_usual_place_serves_without_fontconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / "font.ttc").touch()
    assert find_chinese_font(common=["none.ttc", str(tmp_path / "font.ttc")]) == tmp_path / "font.ttc"
