"""Drawn faces: promised shapes, boxes that hold the ink, rows that say the fields, same seed same face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tandem.services.id_card.records import RowKind
from tandem.training.draw import fonts
from tandem.training.draw.faces import Face, draw_emblem_face, draw_portrait_face
from tandem.training.draw.people import draw_emblem_text, draw_portrait_text
from tandem.training.draw.styles import Style, draw_style
from tandem.training.errors import FontsMissingError, StyleError

PORTRAIT_KEYS = ["姓名", "性别", "民族", "出生", "住址", "公民身份号码"]
EMBLEM_KEYS = ["签发机关", "有效期限"]


def plain(style: Style) -> Style:
    """The style without what hides ink: copies and pale fonts."""
    return replace(style, grey=False, bilingual=None)


def draw(seed: int, *, width_px: int = 600, side: str = "portrait", pool: fonts.Pool = "train") -> Face:
    rng = np.random.default_rng(seed)
    style = plain(draw_style(rng, pool))
    if side == "portrait":
        return draw_portrait_face(draw_portrait_text(rng, pool), rng, style=style, width_px=width_px)
    return draw_emblem_face(draw_emblem_text(rng, pool), rng, style=style, width_px=width_px)


@pytest.mark.parametrize("side", ["portrait", "emblem"])
@pytest.mark.parametrize("width_px", [100, 500, 1011])
def test_shape_follows_the_width(side: str, width_px: int) -> None:
    face = draw(1, side=side, width_px=width_px)
    height = round(638 * width_px / 1011)
    assert face.image.shape == (height, width_px, 3)
    assert face.image.dtype == np.uint8
    assert face.alpha.shape == (height, width_px)
    assert face.side == side


@pytest.mark.parametrize("side", ["portrait", "emblem"])
def test_same_seed_same_picture(side: str) -> None:
    first, again, other = draw(3, side=side), draw(3, side=side), draw(4, side=side)
    assert np.array_equal(first.image, again.image)
    assert first.fields == again.fields
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("side", "keys"), [("portrait", PORTRAIT_KEYS), ("emblem", EMBLEM_KEYS)])
def test_every_field_has_a_box_on_the_card_with_ink_in_it(side: str, keys: list[str], seed: int) -> None:
    face = draw(seed, side=side)
    assert list(face.fields) == keys
    assert sorted(face.boxes) == sorted(keys)
    height, width = face.alpha.shape
    for key, box in face.boxes.items():
        assert box.shape == (4, 2)
        (left, top), (right, bottom) = box[0], box[2]
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        inside = face.image[int(top) : int(bottom) + 1, int(left) : int(right) + 1].min(axis=2)
        assert inside.min() < 110, key


@pytest.mark.parametrize("seed", range(8))
def test_values_do_not_overlap(seed: int) -> None:
    boxes = list(draw(seed).boxes.values())
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            across = min(one[2, 0], other[2, 0]) - max(one[0, 0], other[0, 0])
            down = min(one[2, 1], other[2, 1]) - max(one[0, 1], other[0, 1])
            assert across <= 1 or down <= 1


@pytest.mark.parametrize("seed", range(20))
def test_rows_say_what_the_fields_say(seed: int) -> None:
    face = draw(seed)
    by_kind = {kind: [row.text for row in face.rows if row.kind == kind] for kind in RowKind}
    fields = face.fields
    assert by_kind[RowKind.NAME] == ["姓名" + fields["姓名"]]
    assert by_kind[RowKind.SEX_NATION] == [f"性别{fields['性别']}民族{fields['民族']}"]
    assert by_kind[RowKind.BIRTH] == ["出生" + fields["出生"]]
    assert "".join(by_kind[RowKind.ADDRESS]) == "住址" + fields["住址"]
    assert 1 <= len(by_kind[RowKind.ADDRESS]) <= 4
    assert by_kind[RowKind.NUMBER][0].endswith(fields["公民身份号码"])
    emblem = draw(seed, side="emblem")
    assert "".join(row.text for row in emblem.rows) == "".join(
        key + emblem.fields[key] for key in EMBLEM_KEYS
    )


def test_a_long_authority_goes_on_below_and_ends_before_the_edge() -> None:
    rng = np.random.default_rng(0)
    text = replace(draw_emblem_text(rng, "train"), authority="博尔塔拉蒙古自治州公安局阿拉山口分局")
    face = draw_emblem_face(text, rng, style=plain(draw_style(rng)), width_px=800)
    assert [row.kind for row in face.rows] == [RowKind.AUTHORITY, RowKind.AUTHORITY, RowKind.VALIDITY]
    assert face.boxes["签发机关"][1, 0] < 0.97 * 800
    assert face.rows[1].box[2, 1] <= face.rows[2].box[0, 1]


def test_the_longest_address_fits_between_its_neighbours() -> None:
    rng = np.random.default_rng(0)
    text = replace(draw_portrait_text(rng, "train"), address="县" * 42)
    for _ in range(10):
        face = draw_portrait_face(text, rng, style=plain(draw_style(rng)), width_px=400)
        assert face.boxes["住址"][2, 1] <= face.boxes["公民身份号码"][0, 1] + 3


def test_an_address_that_fits_no_card_is_refused() -> None:
    rng = np.random.default_rng(0)
    text = replace(draw_portrait_text(rng, "train"), address="县" * 80)
    with pytest.raises(StyleError, match="80 characters"):
        draw_portrait_face(text, rng, width_px=400)


def test_corners_are_round_or_square() -> None:
    rng = np.random.default_rng(0)
    text, style = draw_portrait_text(rng, "train"), draw_style(rng)
    card = draw_portrait_face(text, rng, style=replace(style, square_corners=False), width_px=500)
    paper = draw_portrait_face(text, rng, style=replace(style, square_corners=True), width_px=500)
    assert card.alpha[0, 0] == card.alpha[-1, -1] == 0
    assert card.alpha[card.alpha.shape[0] // 2, 0] == 255
    assert paper.alpha.min() == 255


def test_a_grey_copy_has_no_colour() -> None:
    rng = np.random.default_rng(0)
    text, style = draw_emblem_text(rng, "train"), draw_style(rng)
    image = draw_emblem_face(text, rng, style=replace(style, grey=True), width_px=300).image
    assert (np.ptp(image, axis=2) == 0).all()


def test_labels_are_blue_more_often_than_not() -> None:
    rng = np.random.default_rng(0)
    colours = np.array([draw_style(rng).label_colour for _ in range(300)])
    assert ((colours[:, 2] - colours[:, 0]) > 60).mean() > 0.7


def test_the_test_pool_has_a_value_font_of_its_own() -> None:
    rng = np.random.default_rng(0)
    train = {draw_style(rng, "train").value_face for _ in range(300)}
    test = {draw_style(rng, "test").value_face for _ in range(300)}
    assert len(train) >= 3
    assert test - train


@pytest.mark.parametrize("script", ["tibetan", "mongolian", "yi", "uyghur"])
def test_a_second_script_adds_ink_and_changes_no_value(script: str) -> None:
    rng = np.random.default_rng(0)
    text, style = draw_portrait_text(rng, "train"), plain(draw_style(rng))
    one = draw_portrait_face(text, np.random.default_rng(1), style=style, width_px=500)
    both = draw_portrait_face(
        text, np.random.default_rng(1), style=replace(style, bilingual=script), width_px=500  # type: ignore[arg-type]
    )  # fmt: skip
    assert both.fields == one.fields
    assert all(np.array_equal(both.boxes[key], one.boxes[key]) for key in one.boxes)
    assert (both.image != one.image).any()


def test_a_tiny_face_is_refused() -> None:
    with pytest.raises(StyleError, match="64 px"):
        draw(0, width_px=20)


def test_missing_fonts_name_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FONT_FOLDERS", ())
    fonts._files.cache_clear()
    fonts._resolve.cache_clear()
    try:
        with pytest.raises(FontsMissingError, match="apt-get install fonts-noto-cjk"):
            draw_style(np.random.default_rng(0))
    finally:
        fonts._files.cache_clear()
        fonts._resolve.cache_clear()


def test_characters_a_font_lacks_come_from_another() -> None:
    rng = np.random.default_rng(0)
    latin = fonts.pick(rng, fonts.LATIN_FONTS, "train")
    assert fonts.covers(latin, "ID 1")
    assert not fonts.covers(latin, "身份")
    assert fonts.covers(fonts.fallback(), "身份〇彧祎·")
