"""The sizes that the model repository's configs repeat are the code's."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format

pytest.importorskip("tritonclient.grpc")
from tritonclient.grpc import model_config_pb2

from tandem.media.letterbox import THUMBNAIL_SIDE
from tandem.services.id_card.geometry.lanes import LANE_HEIGHT, LaneConfig
from tandem.services.id_card.records import CARD_COLUMNS, MAX_CARDS, SEGMENT_COLUMNS

REPOSITORY = Path(__file__).parents[3] / "model_repository"
LANES = LaneConfig()
# The ensemble's steps: other services have tensors of the same names.
STEPS = ("card_detector", "decode_image", "id_card", "parse_fields", "rectify_cards", "text_recognizer")
SIZES = {
    "THUMBNAIL": [THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3],
    "QUADS": [MAX_CARDS, 4, 2],
    "SCORES": [MAX_CARDS],
    "EMBLEM": [MAX_CARDS],
    "LANES": [-1, LANE_HEIGHT, -1, 3],
    "CARDS": [-1, CARD_COLUMNS],
    "SEGMENTS": [-1, SEGMENT_COLUMNS],
}


def _config(path: Path) -> model_config_pb2.ModelConfig:
    return text_format.Parse(path.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())


@pytest.mark.parametrize(
    "path",
    sorted(path for step in STEPS for path in (REPOSITORY / step).rglob("*.pbtxt")),
    ids=lambda path: str(path.relative_to(REPOSITORY)),
)
def test_every_config_gives_a_tensor_the_size_that_the_code_gives_it(path: Path) -> None:
    config = _config(path)
    for tensor in [*config.input, *config.output]:
        if tensor.name in SIZES:
            assert list(tensor.dims) == SIZES[tensor.name], tensor.name
    for warmup in config.model_warmup:
        for name, value in warmup.inputs.items():
            if name in ("CARDS", "SEGMENTS"):
                assert value.dims[-1] == SIZES[name][-1], name
