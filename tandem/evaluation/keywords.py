"""How good keywords are: `scripts/evaluate keywords`, on passages written for it, beside jieba's extractors.

A keyword counts if it is one of the passage's reference keywords, or holds one, or is held by one (whole
words in English). The stricter count, exactly a reference, stands beside it.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from tandem.evaluation.text_served import read_material, triton_text_service
from tandem.services.text_keywords.candidates import load

COUNT = 5
_SERVICE = "text_keywords"
_HAN = re.compile(r"[\u4e00-\u9fff]")

Extract = Callable[[str], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A text whose keywords a person has written down."""

    language: str
    text: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What an extractor found in a passage, and how long it took, in seconds."""

    passage: Passage
    keywords: tuple[str, ...]
    seconds: float


def read_passages() -> list[Passage]:
    """The passages of `material/keywords.json`."""
    return [
        Passage(language=row["language"], text=row["text"], keywords=tuple(row["keywords"]))
        for row in read_material("keywords")
    ]


def is_hit(keyword: str, references: Sequence[str]) -> bool:
    """Whether a keyword is a reference, or one of the two holds the other."""
    return any(_holds(keyword, reference) or _holds(reference, keyword) for reference in references)


def precision(found: Sequence[Found], *, exact: bool = False) -> float:
    """The mean share of right keywords among the first `COUNT`; missing ones count as wrong."""
    shares = []
    for one in found:
        references = [keyword.lower() for keyword in one.passage.keywords]
        first = [keyword.lower() for keyword in one.keywords[:COUNT]]
        right = sum(keyword in references if exact else is_hit(keyword, references) for keyword in first)
        shares.append(right / COUNT)
    return float(np.mean(shares)) if shares else float("nan")


def extract_all(passages: Sequence[Passage], extract: Extract) -> list[Found]:
    """Every passage's keywords, one passage after the other."""
    found = []
    for passage in passages:
        started = time.perf_counter()
        keywords = tuple(extract(passage.text))
        seconds = time.perf_counter() - started
        found.append(Found(passage=passage, keywords=keywords, seconds=seconds))
    return found


def extractors(url: str) -> dict[str, Extract]:
    """Ours, and the two that jieba brings (which know Chinese and cut English into words)."""
    # Imported here: it reads a dictionary of its own, which only this needs.
    import jieba.analyse  # noqa: PLC0415

    ask = triton_text_service(url, _SERVICE, {"count": COUNT})
    return {
        "Tandem": lambda text: [keyword["text"] for keyword in ask(text)["keywords"]],
        "jieba TF-IDF": lambda text: list(jieba.analyse.extract_tags(text, COUNT)),
        "jieba TextRank": lambda text: list(jieba.analyse.textrank(text, COUNT)),
    }


def table(results: dict[str, list[Found]]) -> Table:
    """A row an extractor and language."""
    languages = sorted({one.passage.language for found in results.values() for one in found}, reverse=True)
    shown = Table(title=f"Precision of the first {COUNT} keywords")
    for column in ("extractor", "language", "passages", "precision", "exactly a reference", "ms a passage"):
        shown.add_column(column, justify="left" if column in ("extractor", "language") else "right")
    for name, found in results.items():
        for language in languages:
            own = [one for one in found if one.passage.language == language]
            milliseconds = 1e3 * float(np.median([one.seconds for one in own]))
            shares = (f"{precision(own):.2f}", f"{precision(own, exact=True):.2f}")
            shown.add_row(name, language, str(len(own)), *shares, f"{milliseconds:.0f}")
    return shown


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table; with `--show` every passage's keywords as well."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate keywords", description=__doc__)
    parser.add_argument("--url", default="127.0.0.1:8001", help="gRPC address of the server")
    parser.add_argument("--show", action="store_true", help="print every keyword, the wrong ones marked")
    options = parser.parse_args(argv)
    passages = read_passages()
    load()
    results = {name: extract_all(passages, extract) for name, extract in extractors(options.url).items()}
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table(results))
    if options.show:
        for one in results["Tandem"]:
            console.print(_marked(one))


def _marked(found: Found) -> str:
    references = [keyword.lower() for keyword in found.passage.keywords]
    words = [word if is_hit(word.lower(), references) else f"({word}?)" for word in found.keywords]
    return f"{found.passage.text[:12]}…  {' | '.join(words)}"


def _holds(long: str, short: str) -> bool:
    """Whether the phrase holds the other: anywhere in Chinese, as whole words in English."""
    if _HAN.search(short):
        return short in long
    words, whole = short.split(), long.split()
    return any(whole[i : i + len(words)] == words for i in range(len(whole) - len(words) + 1))
