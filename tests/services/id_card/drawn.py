"""Pictures that the pipeline's tests draw themselves: cards as paper with blocks for characters, on a table.

No fonts are needed, every place is known exactly, and what is wrong with a picture is put there on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM, CORNER_RADIUS_MM, homography, outline
from tandem.services.id_card.records import RowKind

#: Pixels a millimetre of a drawn card: about 1284 px wide.
SCALE = 15
PAPER = (243, 234, 228)
INK = (40, 35, 35)
LABEL = (210, 151, 9)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A row of characters drawn as blocks; mm on the card."""

    kind: RowKind
    x: float
    y: float
    em: float
    count: int
    label: bool = False


def row_blocks(dx: float = 0.0, dy: float = 0.0, address_lines: int = 2) -> list[Block]:
    """The portrait side's rows by the standard's layout, moved by (dx, dy) mm."""
    blocks = [
        Block(kind=RowKind.NAME, x=6.9, y=9.9, em=2.55, count=2, label=True),
        Block(kind=RowKind.NAME, x=15.6, y=9.3, em=3.3, count=3),
        Block(kind=RowKind.SEX_NATION, x=6.9, y=16.2, em=2.55, count=2, label=True),
        Block(kind=RowKind.SEX_NATION, x=15.6, y=16.0, em=2.7, count=1),
        Block(kind=RowKind.SEX_NATION, x=26.1, y=16.2, em=2.55, count=2, label=True),
        Block(kind=RowKind.SEX_NATION, x=33.8, y=16.0, em=2.7, count=1),
        Block(kind=RowKind.BIRTH, x=6.9, y=22.4, em=2.55, count=2, label=True),
        Block(kind=RowKind.BIRTH, x=15.6, y=22.3, em=2.7, count=10),
        Block(kind=RowKind.ADDRESS, x=6.9, y=28.7, em=2.55, count=2, label=True),
    ]
    blocks += [
        Block(
            kind=RowKind.ADDRESS, x=15.6, y=28.6 + 4.6 * i, em=2.7, count=11 if i < address_lines - 1 else 1
        )
        for i in range(address_lines)
    ]
    blocks += [
        Block(kind=RowKind.NUMBER, x=6.9, y=45.3, em=2.55, count=6, label=True),
        Block(kind=RowKind.NUMBER, x=30.1, y=44.9, em=3.2, count=14),
    ]
    return [Block(kind=b.kind, x=b.x + dx, y=b.y + dy, em=b.em, count=b.count, label=b.label) for b in blocks]


def emblem_blocks(authority_lines: int = 1) -> list[Block]:
    """The emblem side's two rows; the authority may have a second line."""
    blocks = [
        Block(kind=RowKind.AUTHORITY, x=20.9, y=38.9, em=2.65, count=4),
        Block(kind=RowKind.AUTHORITY, x=35.6, y=38.9, em=2.7, count=11),
        Block(kind=RowKind.VALIDITY, x=20.9, y=45.4, em=2.65, count=4),
        Block(kind=RowKind.VALIDITY, x=35.6, y=45.4, em=2.7, count=9),
    ]
    if authority_lines == 2:
        blocks.append(Block(kind=RowKind.AUTHORITY, x=35.6, y=42.2, em=2.7, count=3))
    return blocks


def draw_card(blocks: list[Block], paper: tuple[int, int, int] = PAPER) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 BGR at `SCALE`: each character a box with a cross, as dense as hanzi are."""
    card = np.empty((round(CARD_HEIGHT_MM * SCALE), round(CARD_WIDTH_MM * SCALE), 3), np.uint8)
    card[:] = paper
    for block in blocks:
        colour = LABEL if block.label else INK
        for i in range(block.count):
            x0, y0, x1, y1 = (
                round(mm * SCALE)
                for mm in (
                    block.x + block.em * (i + 0.12),
                    block.y + 0.1 * block.em,
                    block.x + block.em * (i + 0.88),
                    block.y + 0.9 * block.em,
                )
            )
            cv2.rectangle(card, (x0, y0), (x1, y1), colour, 4)
            cv2.line(card, (x0, (y0 + y1) // 2), (x1, (y0 + y1) // 2), colour, 4)
            cv2.line(card, ((x0 + x1) // 2, y0), ((x0 + x1) // 2, y1), colour, 4)
    return card


def lay_on_table(
    card: NDArray[np.uint8],
    quad: NDArray[np.float32],
    size: tuple[int, int],
    rng: np.random.Generator,
    table: tuple[int, int, int] = (90, 110, 130),
) -> NDArray[np.uint8]:
    """(h, w, 3) uint8: a card with round corners seen as `quad` (4, 2) px on a table, blurred and noisy."""
    height, width = size
    alpha = np.zeros(card.shape[:2], np.uint8)
    radius = round(CORNER_RADIUS_MM * SCALE)
    card_height, card_width = card.shape[:2]
    cv2.rectangle(alpha, (radius, 0), (card_width - radius, card_height), 255, -1)
    cv2.rectangle(alpha, (0, radius), (card_width, card_height - radius), 255, -1)
    for x in (radius, card_width - radius - 1):
        for y in (radius, card_height - radius - 1):
            cv2.circle(alpha, (x, y), radius, 255, -1)
    matrix = homography(outline(card_width, card_height) - 0.5, quad - 0.5)
    factor = float(np.linalg.norm(quad[1] - quad[0])) / card_width
    sharp = cv2.GaussianBlur(card, (0, 0), max(0.5 / factor, 0.3)) if factor < 1 else card
    warped = cv2.warpPerspective(sharp, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(alpha, matrix, (width, height))[..., np.newaxis]
    noise = rng.integers(-5, 6, (height, width, 1), np.int16)
    scene = (warped.astype(np.int16) * (mask > 127) + np.array(table, np.int16) * (mask <= 127)) + noise
    return np.asarray(cv2.GaussianBlur(np.clip(scene, 0, 255).astype(np.uint8), (0, 0), 0.7), np.uint8)
