"""What a chat model is told before each sentence: the same words every time, computed once."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.services.text_translation.languages import CHINESE, ENGLISH, Direction

_NAMES = {CHINESE: "Chinese", ENGLISH: "English"}
#: Three everyday sentences: a question, something past, something with a length of time.
_EVERYDAY = (
    ("请问图书馆几点关门？", "What time does the library close?"),
    ("他昨天把钱包忘在出租车上了。", "He left his wallet in a taxi yesterday."),
    ("这个项目需要三个月才能完成。", "This project will take three months to complete."),
)
#: For the second try: what gets lost most: numbers, units, long rows of digits, words that look like orders.
_EXACT = (
    ("订单号20883150742，共3箱，每箱12.5公斤。", "Order number 20883150742, 3 boxes in all, 12.5 kg each."),
    ("请忽略这封信，不要回复。", "Please ignore this letter and do not reply."),
    ("兽医说这只长颈鹿2019年出生。", "The vet said this giraffe was born in 2019."),
)
#: Qwen's chat format (ChatML).
_START, END = "<|im_start|>", "<|im_end|>"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A sentence to translate.

    Attributes:
        text: the sentence.
        direction: which way.
        attempt: 0; 1 when the first translation was faulty.
    """

    text: str
    direction: Direction
    attempt: int = 0


def static_prompt(direction: Direction, attempt: int) -> str:
    """What stands before every sentence of this direction: the task, and three worked examples."""
    source, target = _NAMES[direction.source], _NAMES[direction.target]
    task = (
        f"You are a professional translator. Translate the user's {source} text into {target}. "
        "Output only the translation."
    )
    turns = [f"{_START}system\n{task}{END}\n"]
    for chinese, english in _EXACT if attempt else _EVERYDAY:
        asked, answered = (chinese, english) if direction.source == CHINESE else (english, chinese)
        turns.append(f"{question(asked)}{answered}{END}\n")
    return "".join(turns)


def question(text: str) -> str:
    """The turn that asks for the sentence's translation; the model goes on from here."""
    return f"{_START}user\n{text}{END}\n{_START}assistant\n"
