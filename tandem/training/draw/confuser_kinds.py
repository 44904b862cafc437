"""Drawn documents by kind: the drawers behind each of `document_kinds.KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tandem.media.document_kinds import KINDS
from tandem.training.draw import confuser_bank as bank
from tandem.training.draw import confuser_books as books
from tandem.training.draw import confuser_cards as cards
from tandem.training.draw import confuser_pages as pages
from tandem.training.draw import confuser_papers as papers
from tandem.training.draw import confuser_passes as passes
from tandem.training.draw import confuser_permits as permits
from tandem.training.draw import confuser_text as words
from tandem.training.draw import confuser_titled as titled
from tandem.training.draw.cards import draw_card
from tandem.training.draw.confuser_forms import varied_style
from tandem.training.draw.faces import Side
from tandem.training.draw.pools import Pool
from tandem.training.errors import StyleError

Drawing = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Drawer = Callable[[np.random.Generator, int, Pool], Drawing]


def _any_pool(drawer: Callable[[np.random.Generator, int], Drawing]) -> Drawer:
    """A drawer whose words and fonts are the same in both pools."""
    return lambda rng, width_px, _pool: drawer(rng, width_px)


def _resident(side: Side) -> Drawer:
    def draw(rng: np.random.Generator, width_px: int, pool: Pool) -> Drawing:
        style = varied_style(rng, pool) if rng.random() < 0.5 else None
        face = draw_card(rng, pool, side=side, width_px=width_px, style=style).face
        return face.image, face.alpha

    return draw


def _licence(*, vehicle: bool) -> Drawer:
    return partial(books.licence_second_page, vehicle=vehicle)


#: For each kind its drawers and their weights. `none` is no document: of it flat things that are none.
DRAWERS: Mapping[str, tuple[tuple[Drawer, float], ...]] = {
    "resident_id.portrait": ((_resident("portrait"), 1),),
    "resident_id.emblem": ((_resident("emblem"), 1),),
    "hmt_residence_permit.portrait": ((permits.hmt_portrait, 1),),
    "hmt_residence_permit.emblem": ((permits.hmt_emblem, 1),),
    "foreign_permanent_resident.portrait": (
        (permits.foreign_portrait, 3),
        (_any_pool(cards.foreigner_card), 1),
    ),
    "foreign_permanent_resident.emblem": ((permits.foreign_emblem, 1),),
    "temporary_id.portrait": ((permits.temporary_portrait, 1),),
    "temporary_id.emblem": ((permits.temporary_emblem, 1),),
    "residence_permit": ((titled.residence_permit, 1),),
    "driving_licence": (
        (_any_pool(cards.driving_licence), 4),
        (_licence(vehicle=False), 1),
        (partial(titled.titled_emblem, titles=("驾驶证", "机动车驾驶证")), 0.7),
        (
            partial(titled.titled_portrait, titles=("机动车驾驶证", "驾驶证", "中华人民共和国机动车驾驶证")),
            0.7,
        ),
    ),
    "vehicle_licence": ((_any_pool(cards.vehicle_licence), 3), (_licence(vehicle=True), 1)),
    "social_security": (
        (_any_pool(partial(cards.social_card, titles=words.SECURITY_TITLES)), 4),
        (partial(titled.titled_emblem, titles=words.SECURITY_TITLES), 0.5),
        (partial(titled.titled_portrait, titles=words.SECURITY_TITLES), 1),
    ),
    "bank_card": ((_any_pool(bank.bank_card), 4), (_any_pool(bank.bank_card_back), 1)),
    "passport_page": ((books.passport_page, 3), (_any_pool(pages.passport), 1)),
    "household_register": (
        (books.register_person, 3),
        (books.register_house, 1.5),
        (_any_pool(papers.register_page), 1),
    ),
    "other_card": (
        (titled.titled_emblem, 6),
        (titled.titled_portrait, 2.5),
        (permits.first_generation, 1.5),
        (_any_pool(cards.travel_permit), 1.5),
        (_any_pool(partial(cards.social_card, titles=words.WELFARE_TITLES)), 1),
        (_any_pool(passes.work_card), 1.2),
        (_any_pool(passes.business_card), 0.6),
        (_any_pool(papers.blank_card), 0.4),
    ),
    "paper": (
        (_any_pool(pages.text_page), 2),
        (_any_pool(pages.receipt), 1),
        (_any_pool(papers.licence), 1),
        (_any_pool(papers.train_ticket), 0.7),
    ),
    "none": (
        (_any_pool(pages.picture), 2),
        (_any_pool(pages.keyboard), 1),
        (_any_pool(pages.screen), 0.7),
        (_any_pool(papers.photo_print), 0.5),
    ),
}
if tuple(DRAWERS) != KINDS:
    raise StyleError("every kind has its drawers, in the order of KINDS")


def draw_document(rng: np.random.Generator, kind: str, *, width_px: int, pool: Pool = "train") -> Drawing:
    """A flat document of a kind.

    Args:
        rng: the only source of chance.
        kind: one of `KINDS`; of `none` a flat thing that is no document.
        width_px: pixels; the height follows from what it is.
        pool: "test" takes names, places and, where the drawer knows pools, fonts that "train" never takes.

    Returns:
        (h, width_px, 3) uint8 BGR, and (h, width_px) uint8 alpha.

    Raises:
        StyleError: unknown `kind`.
        FontsMissingError: no fonts to draw with.
    """
    if kind not in DRAWERS:
        raise StyleError(f"unknown kind of document: {kind!r}; known: {', '.join(KINDS)}")
    drawers = DRAWERS[kind]
    weights = np.array([weight for _, weight in drawers], float)
    drawer, _ = drawers[int(rng.choice(len(drawers), p=weights / weights.sum()))]
    return drawer(rng, width_px, pool)
