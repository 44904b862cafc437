"""Which groups of packages `scripts/serve` installs before it starts."""

from __future__ import annotations

import pytest

from export.services import GPU_CONFIGS, packages_of
from tandem.runtime.setup import REPOSITORY


@pytest.mark.parametrize(
    ("words", "variable", "groups"),
    [
        ([], "", []),
        (["--services", "id_card,speech_to_text"], "", ["language"]),
        ([], "text_keywords,text_translation", ["language"]),
        (["--services", "id_card"], "text_keywords", []),
    ],
)
def test_speech_and_text_need_packages_however_they_are_named(
    words: list[str], variable: str, groups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_SERVICES", variable)
    assert packages_of(words, gpu=False) == groups


@pytest.mark.parametrize(
    ("words", "variable", "groups"),
    [
        (["--config-name", "gpu"], "", ["gpu"]),
        (["--config-name=tensorrt", "--services", "text_keywords"], "", ["language", "gpu", "tensorrt"]),
        ([], "gpu", ["gpu"]),
        (["--config-name", "somebody-elses"], "", []),
        ([], "", []),
    ],
)
def test_a_config_for_gpus_needs_its_packages_where_there_is_one(
    words: list[str], variable: str, groups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_CONFIG_NAME", variable)
    assert packages_of(words, gpu=True) == groups
    assert set(packages_of(words, gpu=False)) <= {"language"}


def test_there_is_a_config_of_each_name_for_every_network() -> None:
    networks = {path.parents[1].name for path in REPOSITORY.glob("*/configs/gpu.pbtxt")}
    assert {"card_detector", "text_recognizer", "document_classifier", "document_detector"} <= networks
    for name in GPU_CONFIGS:
        assert any(REPOSITORY.glob(f"*/configs/{name}.pbtxt"))
