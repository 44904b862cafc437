"""The evaluation as a whole, with readers that are told what to say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
from rich.console import Console

from tandem.evaluation.evaluate import OURS, PEER, evaluate, failures_of, main, report
from tandem.evaluation.failure_sheet import differences, write_picture, write_sheet
from tandem.evaluation.photo_sets import Photo, draw_photos
from tandem.evaluation.readings import write_readings


@pytest.fixture(scope="module")
def photo() -> Photo:
    (drawn,) = draw_photos("inconsistent", 1, 4)
    return drawn


def told(photo: Photo, **changes: str) -> dict[str, Any]:
    """The answer of a reader that sees everything but what it is told to say."""
    cards = [
        {
            "side": card.side,
            "quad": card.quad.tolist(),
            "fields": card.fields | changes,
            "confidence": dict.fromkeys(card.fields, 0.9),
            "checks": card.checks,
            "quality": {},
        }
        for card in photo.cards
    ]
    return {"cards": cards}


def test_answers_stay_with_their_photographs(photo: Photo) -> None:
    photos = [replace(photo, name=str(i)) for i in range(20)]
    answered = list(evaluate(photos, lambda own: told(own, 姓名=own.name), clients=8))
    assert [reading.name for _, _, reading in answered] == [str(i) for i in range(20)]
    for own, answer, reading in answered:
        assert answer["cards"][0]["fields"]["姓名"] == own.name
        assert reading.seconds >= 0


def test_a_failure_shows_what_was_printed_and_what_was_read(photo: Photo, tmp_path: Path) -> None:
    name = next(iter(photo.cards[0].fields))
    far = told(photo)["cards"][0] | {"quad": (photo.cards[0].quad + 1e5).tolist()}
    answer = {"cards": [*told(photo, **{name: "<别的>"})["cards"], far]}
    ((_, _, reading),) = evaluate([photo], lambda _: answer, clients=1)
    extra, wrong = failures_of(photo, answer, reading)
    assert differences(wrong) == [(name, photo.cards[0].fields[name], "<别的>", 0.9)]
    assert extra.truth is None
    page = write_sheet([wrong], tmp_path).read_text("utf-8")
    assert "&lt;别的&gt;" in page  # what was read is text, never markup
    assert photo.cards[0].fields[name] in page
    assert page.count("<img") == 3  # the photograph, the card, its rows
    write_picture([wrong], tmp_path / "few.jpg")
    assert cv2.imread(str(tmp_path / "few.jpg")).shape[1] == 1200


def test_a_card_that_was_not_found_is_a_failure_without_a_reading(photo: Photo, tmp_path: Path) -> None:
    ((_, answer, reading),) = evaluate([photo], lambda _: {"cards": []}, clients=1)
    (missed,) = failures_of(photo, answer, reading)
    assert missed.read is None
    assert write_sheet([missed], tmp_path).read_text("utf-8").count("<img") == 1
    write_picture([missed], tmp_path / "few.jpg")


def test_the_tables_have_a_row_a_subset_and_a_reader(
    photo: Photo, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [replace(photo, subset="easy", name="e"), photo]
    ours = [reading for _, _, reading in evaluate(others, told, clients=1)]
    theirs = [reading for _, _, reading in evaluate([photo], lambda own: told(own, 姓名="?"), clients=1)]
    report({OURS: ours, PEER: theirs}, Console(width=200))
    printed = capsys.readouterr().out
    assert "Cards that contradict themselves" in printed
    assert "inconsistent, RapidOCR 3.10" in printed
    assert "easy, RapidOCR 3.10" not in printed  # it has not read that one


def test_records_are_counted_again_without_a_server(
    photo: Photo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for i in range(2):
        own = replace(photo, name=str(i))
        files.append(tmp_path / f"{i}.json")
        write_readings({OURS: [reading for _, _, reading in evaluate([own], told, clients=1)]}, files[-1])
    merged = tmp_path / "all.json"
    main(["--records", *map(str, files), "--json", str(merged), "--calibration", str(tmp_path / "plot.png")])
    assert "inconsistent" in capsys.readouterr().out
    assert len(json.loads(merged.read_text("utf-8"))[OURS]) == 2
    assert (tmp_path / "plot.png").exists()


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["--count", "0"])


def test_the_picture_of_no_failures_is_none(tmp_path: Path) -> None:
    write_picture([], tmp_path / "none.jpg")
    assert not (tmp_path / "none.jpg").exists()
