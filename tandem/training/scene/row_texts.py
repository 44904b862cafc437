"""Rows of text before they are drawn: what they say, where each piece stands, how narrow they may get."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.training.draw.people import EmblemText, PortraitText
from tandem.training.draw.styles import Style

# A row may be narrowed to this share of its width: digits lose their shape sooner than Chinese characters.
DIGITS_KEEP, HANZI_KEEP = 0.82, 0.55
_ADDRESS_KEEP = 0.7


@dataclass(frozen=True, kw_only=True)
class Run:
    """A piece of a row: what it says and where it begins, mm from the row's first character.

    Attributes:
        text: characters.
        x: mm.
        em: size, mm.
        label: printed in the labels' ink and font.
        number: printed in the number's font.
        pitch: from character to character, mm; None: the font's own advance.
    """

    text: str
    x: float
    em: float
    label: bool = False
    number: bool = False
    pitch: float | None = None


@dataclass(frozen=True, kw_only=True)
class PrintedText:
    """A row before it is drawn: its pieces, the size its strip's height follows, the share it may keep."""

    runs: tuple[Run, ...]
    em: float
    keep: float = HANZI_KEEP

    @property
    def text(self) -> str:
        """What the recogniser is to read."""
        return "".join(run.text for run in self.runs)


def _label(text: str, x: float = 0.0) -> Run:
    return Run(text=text, x=x, em=2.55, label=True, pitch=4.4)


def name_row(person: PortraitText, _style: Style) -> PrintedText:
    """姓名 and the name."""
    size = 3.3 if len(person.name) <= 9 else 2.5
    return PrintedText(runs=(_label("姓名"), Run(text=person.name, x=8.7, em=size)), em=3.3)


def sex_row(person: PortraitText, style: Style) -> PrintedText:
    """性别 and 民族."""
    runs = (
        _label("性别"),
        Run(text=person.sex, x=8.7, em=style.value_em),
        _label("民族", 19.2),
        Run(text=person.nation, x=26.9, em=style.value_em),
    )
    return PrintedText(runs=runs, em=2.7)


def birth_row(person: PortraitText, style: Style) -> PrintedText:
    """出生 and the date."""
    em = style.value_em
    year, rest = person.birth.split("年")
    month, day = rest.rstrip("日").split("月")
    runs = [_label("出生"), Run(text=year, x=8.6, em=em), Run(text="年", x=18.9, em=2.55, label=True)]
    for text, unit, x, at in ((month, "月", 23.1, 27.8), (day, "日", 32.2, 36.7)):
        runs.append(Run(text=text, x=x + (0.8 if len(text) == 1 else 0.0), em=em))
        runs.append(Run(text=unit, x=at, em=2.55, label=True))
    return PrintedText(runs=tuple(runs), em=2.7, keep=DIGITS_KEEP)


def first_line(person: PortraitText, style: Style) -> PrintedText:
    """住址 and the first line of the address."""
    text = person.address[: style.characters_per_line]
    return PrintedText(
        runs=(_label("住址"), Run(text=text, x=8.7, em=style.value_em)), em=2.7, keep=_ADDRESS_KEEP
    )


def further_line(person: PortraitText, style: Style) -> PrintedText:
    """A line of the address without a label."""
    measure = style.characters_per_line
    text = person.address[measure : 2 * measure] or person.address[:measure]
    return PrintedText(runs=(Run(text=text, x=0, em=style.value_em),), em=2.7, keep=_ADDRESS_KEEP)


def number_row(person: PortraitText, style: Style) -> PrintedText:
    """The number, without its label: it is a strip of its own."""
    digits = Run(text=person.number, x=0, em=style.number_em, number=True, pitch=style.number_pitch)
    return PrintedText(runs=(digits,), em=3.3, keep=DIGITS_KEEP)


def emblem_row(emblem: EmblemText, style: Style, *, authority: bool) -> PrintedText:
    """签发机关 or 有效期限 and its value."""
    label, value = ("签发机关", emblem.authority) if authority else ("有效期限", emblem.validity)
    runs = (Run(text=label, x=0, em=2.65, label=True, pitch=2.85), Run(text=value, x=14.7, em=style.value_em))
    return PrintedText(runs=runs, em=2.7, keep=HANZI_KEEP if authority else DIGITS_KEEP)
