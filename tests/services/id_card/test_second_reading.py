"""Doubtful rows, and those only, are read again aside; where a guess lies near the other one, both count."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.runtime.setup import REPOSITORY
from tandem.services.id_card.records import RowKind
from tandem.services.id_card.second_reading import is_doubtful, read_again, weighed
from tandem.services.id_card.text.ctc import Row
from tandem.triton.remote_model import RemoteModelError
from tests.services.id_card.text.spelling import Likely, Speller, row, segment

SURE, GUESS = "湖北省天门市", ("湖北省天", (("干", 0.5), ("千", 0.45)), "市")


def _line(*text: str | Likely, kind: RowKind = RowKind.ADDRESS) -> Row:
    return row(kind, [entry for part in text for entry in ([part] if isinstance(part, tuple) else part)])


class Recognizer:
    """Reads the same text on each lane, and keeps what it was shown."""

    def __init__(self, text: list[str | Likely], speller: Speller) -> None:
        self._text, self._speller = text, speller
        self.seen: list[NDArray[np.uint8]] = []

    def __call__(self, lanes: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        self.seen.append(lanes)
        return self._speller.arrays([self._speller.lane(self._text)] * len(lanes))


@pytest.mark.parametrize(
    ("confidence", "kind", "doubtful"),
    [
        (0.69, RowKind.ADDRESS, True),
        (0.69, RowKind.NAME, True),
        (0.69, RowKind.AUTHORITY, True),
        (0.71, RowKind.ADDRESS, False),
        (0.09, RowKind.ADDRESS, False),  # nothing is there
        (0.69, RowKind.NUMBER, False),  # decided within its alphabet
        (0.69, RowKind.SEX_NATION, False),
    ],
)
def test_which_rows_are_doubtful(confidence: float, kind: RowKind, doubtful: bool) -> None:
    assert is_doubtful(_line("湖北", (("省", confidence),), "天门", kind=kind)) == doubtful


def test_what_is_sure_is_not_read_again() -> None:
    recognizer = Recognizer(list(SURE), Speller())
    rows = [_line(SURE), _line("4211", kind=RowKind.NUMBER)]
    assert read_again(rows, np.zeros((2, 48, 640, 3), np.uint8), recognizer, []) == rows
    assert not recognizer.seen


def test_a_doubtful_row_is_shown_by_itself_at_quarters_of_a_step_and_its_runner_up_may_win() -> None:
    speller = Speller()
    text = [*"湖北省天", (("千", 0.8), ("干", 0.1)), "市"]
    recognizer = Recognizer(text, speller)
    speller.lane(text)
    first = _line(*GUESS)
    at = segment(RowKind.ADDRESS, 1, first.segment.x1)
    shift = 80.0  # px: ten time steps
    first = replace(
        first,
        segment=replace(at, x0=at.x0 + shift, x1=at.x1 + shift),
        glyphs=tuple(replace(glyph, centre=glyph.centre + shift) for glyph in first.glyphs),
    )
    lanes = np.random.default_rng(3).integers(0, 255, (2, 48, 640, 3), np.uint8)
    sure = _line(SURE)
    same, mended = read_again([sure, first], lanes, recognizer, speller.dictionary)
    assert same is sure
    assert mended.text == "湖北省天千市"
    glyph = mended.glyphs[4]
    assert glyph.confidence == pytest.approx((0.45 + 3 * 0.8) / 4)
    assert glyph.support("干") == pytest.approx((0.5 + 3 * 0.1) / 4)
    assert glyph.centre == first.glyphs[4].centre
    assert [other.confidence for other in mended.glyphs[:4]] == [g.confidence for g in first.glyphs[:4]]
    (shown,) = recognizer.seen
    strip = lanes[1, :, 80 : round(first.segment.x1)]
    assert shown.shape[0] == 3
    assert shown.shape[2] == 256  # few widths: a GPU's libraries get ready for each
    for lane, aside in zip(shown, (2, 4, 6), strict=True):
        assert np.array_equal(lane[:, aside : aside + strip.shape[1]], strip)
        assert len(np.unique(lane[:, :aside].reshape(-1, 3), axis=0)) == 1


def test_a_row_where_the_second_reading_sees_nothing_stays_as_it_was() -> None:
    speller = Speller()
    recognizer = Recognizer([" ", " "], speller)
    first = _line(*GUESS)
    (read,) = read_again([first], np.zeros((1, 48, 640, 3), np.uint8), recognizer, speller.dictionary)
    assert [(g.character, g.confidence) for g in read.glyphs] == [
        (g.character, g.confidence) for g in first.glyphs
    ]


def test_no_more_than_six_rows_are_read_again() -> None:
    speller = Speller()
    recognizer = Recognizer(list(SURE), speller)
    speller.lane(SURE)
    rows = [_line(*GUESS)] * 8
    read = read_again(rows, np.zeros((1, 48, 640, 3), np.uint8), recognizer, speller.dictionary)
    assert [row.text for row in read] == ["湖北省天门市"] * 6 + ["湖北省天干市"] * 2
    assert len(recognizer.seen[0]) == 18


def test_another_character_beside_the_guess_is_no_opinion_on_it() -> None:
    first = _line(*GUESS)
    far = _line(*GUESS[:1], " ", (("千", 0.9),), "市")  # three time steps on
    assert weighed(first, [(far, 0.0)]).text == first.text
    assert weighed(first, [(far, -24.0)]).text == "湖北省天千市"


def test_where_the_recogniser_does_not_answer_the_first_reading_counts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The model's own code; what it needs of Triton is a module of that name."""
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", ModuleType("triton_python_backend_utils"))
    code = runpy.run_path(str(REPOSITORY / "parse_fields" / "1" / "model.py"))

    def silent(lanes: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        raise RemoteModelError("text_recognizer could not be asked")

    model = code["TritonPythonModel"]()
    model._recognizer, model._dictionary = silent, []
    rows = [_line(*GUESS)]
    assert model._read_again(np.zeros((1, 48, 640, 3), np.uint8), rows) == rows
    assert "text_recognizer" in caplog.text
    assert not any(character in caplog.text for character in rows[0].text)
