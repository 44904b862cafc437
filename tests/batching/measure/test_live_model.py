"""What the planner takes from a model's config, without a server."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from tandem.batching.measure.live_model import from_config
from tandem.runtime.repository import read_config
from tandem.runtime.setup import REPOSITORY


def test_our_first_step_holds_lone_pictures_and_no_other_does() -> None:
    assert from_config(read_config(REPOSITORY / "decode_image" / "config.pbtxt")).hold_s == 0.060
    assert from_config(read_config(REPOSITORY / "parse_fields" / "config.pbtxt")).hold_s == 0.0


@pytest.mark.parametrize("said", ["", "long", "-5", "nan", "1e9999"])
def test_a_strangers_parameter_of_that_name_means_nothing(said: str) -> None:
    config = read_config(REPOSITORY / "decode_image" / "config.pbtxt")
    text_format.Merge(f'parameters {{ key: "hold_milliseconds" value {{ string_value: "{said}" }} }}', config)
    assert from_config(config).hold_s == 0.0
