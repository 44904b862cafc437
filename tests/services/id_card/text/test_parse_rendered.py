"""The parser behind the real recogniser: rows drawn in a CJK font, read by the exported network."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from export.recognizer import export_recognizer
from export.recognizer_weights import published_weights
from tandem.services.id_card.records import RowKind, Segment, pack_cards, pack_segments
from tandem.services.id_card.text.parse import parse_cards, read_dictionary
from tests.services.id_card.text.spelling import card

FONTS = [
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
]
TODAY = date(2026, 1, 1)
HEIGHT, EM = 48, 34
PAPER, INK, LABEL_INK = (228, 235, 243), (35, 35, 35), (9, 151, 210)

Pieces = list[tuple[int, str]]  # px from the left, text; the first is the label
Drawn = list[tuple[RowKind, Pieces]]


@pytest.fixture(scope="module")
def font() -> ImageFont.FreeTypeFont:
    found = next((path for path in FONTS if path.is_file()), None)
    if found is None:
        pytest.skip("no CJK font: apt-get install fonts-noto-cjk")
    return ImageFont.truetype(str(found), EM)


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> tuple[onnxruntime.InferenceSession, list[str]]:
    folder = tmp_path_factory.mktemp("recogniser")
    export_recognizer(published_weights(), folder / "model.onnx", folder / "characters.txt")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    return session, read_dictionary(folder / "characters.txt")


def _strip(pieces: Pieces, font: ImageFont.FreeTypeFont) -> NDArray[np.uint8]:
    """(48, W, 3) uint8 BGR."""
    width = int(max(x + font.getlength(text) for x, text in pieces)) + 16
    picture = Image.new("RGB", (width, HEIGHT), PAPER)
    pen = ImageDraw.Draw(picture)
    for i, (x, text) in enumerate(pieces):
        pen.text((x, HEIGHT / 2), text, font=font, fill=INK if i else LABEL_INK, anchor="lm")
    return np.asarray(picture)[..., ::-1]


def _read(
    drawn: Drawn,
    font: ImageFont.FreeTypeFont,
    recogniser: tuple[onnxruntime.InferenceSession, list[str]],
    emblem: float = 0.0,
) -> dict[str, Any]:
    session, dictionary = recogniser
    strips = [_strip(pieces, font) for _, pieces in drawn]
    width = max(-(-strip.shape[1] // 8) * 8 for strip in strips)
    lanes = np.full((1, len(strips), HEIGHT, width, 3), PAPER[::-1], np.uint8)
    segments = []
    for i, ((kind, _), strip) in enumerate(zip(drawn, strips, strict=True)):
        lanes[0, i, :, : strip.shape[1]] = strip
        right, top = float(strip.shape[1]), 60.0 * i
        quad = np.array([[0, top], [right, top], [right, top + 48], [0, top + 48]], np.float32)
        segments.append(Segment(card=0, kind=kind, lane=i, x0=0, x1=right, quad=quad))
    characters, probabilities = session.run(["CHARACTERS", "PROBABILITIES"], {"LANES": lanes})
    (parsed,) = parse_cards(
        characters[0],
        probabilities[0],
        pack_cards([card(emblem)]),
        pack_segments(segments),
        dictionary=dictionary,
        today=TODAY,
    )
    return parsed


def _portrait(
    name: str, sex: str, nation: str, birth: tuple[str, str, str], address: list[str], number: str
) -> Drawn:
    year, month, day = birth
    dated = [(108, year), (190, "年"), (240, month), (290, "月"), (340, day), (390, "日")]
    return [
        (RowKind.NAME, [(8, "姓名"), (108, name)]),
        (RowKind.SEX_NATION, [(8, "性别"), (108, sex), (210, "民族"), (310, nation)]),
        (RowKind.BIRTH, [(8, "出生"), *dated]),
        *((RowKind.ADDRESS, [(8, "" if i else "住址"), (108, line)]) for i, line in enumerate(address)),
        (RowKind.NUMBER, [(8, "公民身份号码"), (290, number)]),
    ]


@pytest.mark.parametrize(
    ("name", "sex", "nation", "birth", "address", "number"),
    [
        ("张三", "男", "汉", ("1990", "1", "2"), ["北京市东城区景山前街4", "号"], "110105199001020015"),
        (
            "爱新觉罗·玄烨",
            "男",
            "满",
            ("1954", "05", "04"),
            ["内蒙古自治区呼和浩特市", "新城区二〇一室A-3"],
            "150102195405040013",
        ),
        (
            "买买提·吐尔逊",
            "女",
            "维吾尔",
            ("2001", "12", "31"),
            ["新疆喀什市亵渎堃村5组"],
            "65310120011231002X",
        ),
        ("龑喆", "女", "柯尔克孜", ("1988", "11", "10"), ["浙江省衢州市柯城区儒溦路"], "330802198811100024"),
    ],
)
def test_a_drawn_portrait_side_is_read(
    name: str,
    sex: str,
    nation: str,
    birth: tuple[str, str, str],
    address: list[str],
    number: str,
    font: ImageFont.FreeTypeFont,
    recogniser: tuple[onnxruntime.InferenceSession, list[str]],
) -> None:
    drawn = _portrait(name, sex, nation, birth, address, number)
    parsed = _read(drawn, font, recogniser)
    year, month, day = birth
    assert parsed["fields"] == {
        "姓名": name,
        "性别": sex,
        "民族": nation,
        "出生": f"{year}年{month}月{day}日",
        "住址": "".join(address),
        "公民身份号码": number,
    }
    assert parsed["checks"]["birth_matches_number"]
    assert parsed["checks"]["sex_matches_number"]


@pytest.mark.parametrize("validity", ["2006.08.26-2026.08.26", "2016.02.29-长期"])
def test_a_drawn_emblem_side_is_read(
    validity: str,
    font: ImageFont.FreeTypeFont,
    recogniser: tuple[onnxruntime.InferenceSession, list[str]],
) -> None:
    drawn: Drawn = [
        (RowKind.AUTHORITY, [(8, "签发机关"), (190, "衢州市公安局柯城分局")]),
        (RowKind.VALIDITY, [(8, "有效期限"), (190, validity)]),
    ]
    fields = _read(drawn, font, recogniser, emblem=1.0)["fields"]
    assert fields == {"签发机关": "衢州市公安局柯城分局", "有效期限": validity}


def test_boxes_lie_on_the_ink(
    font: ImageFont.FreeTypeFont, recogniser: tuple[onnxruntime.InferenceSession, list[str]]
) -> None:
    drawn: Drawn = [(RowKind.NAME, [(8, "姓名"), (108, "欧阳修")])]
    box = np.array(_read(drawn, font, recogniser)["boxes"]["姓名"])
    left, right = 108, 108 + font.getlength("欧阳修")
    assert box[0, 0] == pytest.approx(left, abs=EM / 2)
    assert box[1, 0] == pytest.approx(right, abs=EM / 2)


def test_paper_without_text_reads_as_nothing(
    font: ImageFont.FreeTypeFont, recogniser: tuple[onnxruntime.InferenceSession, list[str]]
) -> None:
    drawn: Drawn = [(kind, [(8, ""), (400, "")]) for kind in RowKind if kind < RowKind.AUTHORITY]
    assert set(_read(drawn, font, recogniser)["fields"].values()) == {""}
