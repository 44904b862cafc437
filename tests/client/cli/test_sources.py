from pathlib import Path

import pytest
from tandem_triton.cli.sources import drawing_paths, find_pictures


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.jpg", "a.PNG", "notes.txt", "deep/c.webp", "deep/deeper/d.tiff", "[odd].jpg"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return Path("in")


def test_a_folder_means_its_pictures_and_those_below(folder: Path) -> None:
    names = ["[odd].jpg", "a.PNG", "b.jpg", "deep/c.webp", "deep/deeper/d.tiff"]
    assert find_pictures(["in"]) == [folder / name for name in names]


def test_a_file_named_on_its_own_is_taken_whatever_its_name(folder: Path) -> None:
    assert find_pictures(["in/notes.txt"]) == [folder / "notes.txt"]


def test_patterns(folder: Path) -> None:
    assert find_pictures(["in/*.jpg"]) == [folder / "[odd].jpg", folder / "b.jpg"]
    assert find_pictures(["in/**/*.tiff"]) == [folder / "deep/deeper/d.tiff"]
    assert find_pictures(["in/[odd].jpg"]) == [folder / "[odd].jpg"], "a file's name comes before a pattern"


def test_what_matches_nothing_stays_so_that_reading_it_can_fail(folder: Path) -> None:
    assert find_pictures(["none.jpg", "in/*.gif"]) == [Path("none.jpg"), folder / "*.gif"]


def test_each_picture_once_in_the_order_given(folder: Path) -> None:
    assert find_pictures(["in/b.jpg", "in/*.jpg", "in/b.jpg"]) == [folder / "b.jpg", folder / "[odd].jpg"]


def test_one_drawing_is_the_file_named(folder: Path) -> None:
    assert drawing_paths([folder / "b.jpg"], Path("out.png")) == {folder / "b.jpg": Path("out.png")}
    assert drawing_paths([folder / "b.jpg"], folder) == {folder / "b.jpg": folder / "b.jpg"}


def test_several_drawings_never_overwrite_each_other(folder: Path) -> None:
    pictures = [folder / name for name in ("x.jpg", "x.png", "deep/x.jpg")]
    targets = drawing_paths(pictures, Path("out"))
    assert list(targets.values()) == [Path("out/x.jpg"), Path("out/x.png.jpg"), Path("out/deep/x.jpg")]
