"""A photograph that went through another program: watermarks, screenshots, chat apps."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from tandem.evaluation.card.draw import draw_card
from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.places import on_table
from tandem.evaluation.places.exposure import encode_jpeg
from tandem.evaluation.places.setting import Drawn, Image, a_side, truth
from tandem.training.draw import fonts
from tandem.training.draw.fonts import Wanted
from tandem.training.scene.photographs import CardTruth

_FACE = (Wanted(file="wqy-microhei.ttc", family="WenQuanYi Micro Hei", train=0, test=1),)
_PURPOSES = ("办理入职手续", "办理租房合同", "办理银行开户", "实名认证", "车辆年检", "签证申请", "酒店入住")
_INKS_BGR = ((60, 60, 200), (190, 110, 50), (130, 130, 130), (255, 255, 255))


Cards = tuple[CardTruth, ...]


def decoded(data: bytes) -> Image:
    """The pixels of an encoded picture."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def scaled(
    cards: tuple[CardTruth, ...], scale: float, move: tuple[float, float] = (0, 0)
) -> tuple[CardTruth, ...]:
    """The cards of a picture that was scaled and then moved, pixels."""
    shift = np.array(move, np.float32)
    return tuple(replace(card, quad=card.quad * np.float32(scale) + shift) for card in cards)


def watermark(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """A photograph or a flat scan with a line of purpose written over it by a program."""
    if rng.random() < 0.5:
        data, cards = on_table.desk(rng, grounds)
        image = decoded(data)
    else:
        image, cards = scan(rng, grounds)
    text = f"仅供{_PURPOSES[int(rng.integers(len(_PURPOSES)))]}使用" + (
        "，他用无效" if rng.random() < 0.5 else ""
    )
    width = float(np.linalg.norm(cards[0].quad[1] - cards[0].quad[0]))
    mask = _written_over(rng, (image.shape[0], image.shape[1]), text, width)
    ink = np.array(_INKS_BGR[int(rng.integers(len(_INKS_BGR)))], np.float32)
    strength = rng.uniform(0.18, 0.45)
    marked = image + (mask * strength)[:, :, None] * (ink - image)
    return encode_jpeg(marked.clip(0, 255).astype(np.uint8), int(rng.integers(80, 95))), cards


def scan(rng: np.random.Generator, grounds: Grounds) -> tuple[Image, Cards]:
    """A flatbed's picture of a card: upright, on white."""
    card = draw_card(rng, grounds, a_side(rng))
    scale = rng.uniform(0.5, 0.95)
    flat = cv2.resize(card.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(card.alpha, flat.shape[1::-1], interpolation=cv2.INTER_AREA)[:, :, None] / np.float32(
        255
    )
    left, top, right, bottom = (int(part) for part in rng.uniform(20, 260, 4))
    height, width = flat.shape[:2]
    image = np.full((height + top + bottom, width + left + right, 3), rng.uniform(238, 255), np.float32)
    spot = image[top : top + height, left : left + width]
    spot += alpha * (flat - spot)
    image += rng.normal(0, 1.5, image.shape)
    quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + np.array(
        [left, top], np.float32
    )
    return image.clip(0, 255).astype(np.uint8), (truth(card, quad),)


def _written_over(
    rng: np.random.Generator, size: tuple[int, int], text: str, card_px: float
) -> NDArray[np.float32]:
    """Where the watermark's ink is: (h, w) float32, 0–1: rows of text at a slant."""
    height, width = size
    em = card_px * rng.uniform(0.035, 0.065)
    reach = int(np.hypot(height, width)) + 2
    plate = Pillow.new("L", (reach, reach), 0)
    pen, font = ImageDraw.Draw(plate), fonts.opened(fonts.pick(rng, _FACE, "test"), em)
    step = em * rng.uniform(4, 7)
    gap = font.getlength(text) + em * rng.uniform(1.5, 4)
    for row, y in enumerate(np.arange(0, reach, step)):
        for x in np.arange(-gap * (row % 2) / 2, reach, gap):
            pen.text((x, y), text, font=font, fill=255)
    turn = cv2.getRotationMatrix2D((reach / 2, reach / 2), float(rng.uniform(15, 40)), 1.0)
    turned = cv2.warpAffine(np.asarray(plate, np.uint8), turn, (reach, reach))
    top, left = (reach - height) // 2, (reach - width) // 2
    return np.asarray(turned[top : top + height, left : left + width] / np.float32(255), np.float32)


def screenshot(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """A phone's screen with the photograph in a viewer or a chat, as PNG."""
    data, cards = (on_table.desk, on_table.paper)[int(rng.integers(2))](rng, grounds)
    image = decoded(data)
    width, height = ((1080, 2340), (1170, 2532), (1080, 1920))[int(rng.integers(3))]
    dark = bool(rng.random() < 0.5)
    shade = (0, 0, 0) if dark else (237, 237, 237)
    chat = not dark and rng.random() < 0.4
    shown = width * (0.72 if chat else 1.0)
    scale = min(shown / image.shape[1], height * 0.72 / image.shape[0])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left = round(width * 0.15) if chat else (width - small.shape[1]) // 2
    top = round(height * rng.uniform(0.12, 0.2)) if chat else (height - small.shape[0]) // 2
    page = Pillow.new("RGB", (width, height), shade)
    _draw_bars(page, rng, dark, chat)
    screen = np.array(page)[:, :, ::-1].copy()
    screen[top : top + small.shape[0], left : left + small.shape[1]] = small
    _, packed = cv2.imencode(".png", screen)
    return packed.tobytes(), scaled(cards, scale, (left, top))


def _draw_bars(page: Pillow.Image, rng: np.random.Generator, dark: bool, chat: bool) -> None:
    """Status line, title and buttons."""
    pen, face = ImageDraw.Draw(page), fonts.pick(rng, _FACE, "test")
    width, height = page.size
    ink = (235, 235, 235) if dark else (20, 20, 20)
    font = fonts.opened(face, width / 28)
    pen.text((width * 0.06, 30), f"{int(rng.integers(24))}:{int(rng.integers(60)):02d}", font=font, fill=ink)
    pen.rectangle([width * 0.88, 36, width * 0.94, 62], outline=ink, width=3)
    pen.text((width / 2, height * 0.06), "李经理" if chat else "照片", font=font, fill=ink, anchor="mm")
    for index, word in enumerate(("语音", "表情", "更多") if chat else ("分享", "收藏", "编辑", "删除")):
        pen.text((width * (0.15 + 0.23 * index), height * 0.955), word, font=font, fill=ink, anchor="mm")
    if chat:
        pen.rectangle([0, height * 0.925, width, height * 0.927], fill=(200, 200, 200))
        for y, words in ((0.8, "身份证照片发你了"), (0.86, "好的，收到")):
            long = font.getlength(words)
            pen.rounded_rectangle(
                [width * 0.15, height * y - 45, width * 0.15 + long + 50, height * y + 45],
                16,
                fill=(255, 255, 255),
            )
            pen.text((width * 0.15 + 25, height * y), words, font=font, fill=ink, anchor="lm")


def messaging(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """Sent on by a chat app, once or twice: smaller and compressed hard."""
    draws = (on_table.desk, on_table.paper, on_table.form)
    data, cards = draws[int(rng.integers(len(draws)))](rng, grounds)
    for _ in range(int(rng.integers(1, 3))):
        image = decoded(data)
        scale = min(1.0, rng.choice([1080, 1280, 1440]) / max(image.shape[:2]))
        small = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        data, cards = (
            encode_jpeg(np.asarray(small, np.uint8), int(rng.integers(38, 66))),
            scaled(cards, scale),
        )
    return data, cards
