from __future__ import annotations

import numpy as np
import pytest

from tandem.batching.errors import CalibrationError
from tandem.batching.measure.live_model import LiveModel, Tensor
from tandem.batching.measure.samples import make_samples


def model(*inputs: Tensor) -> LiveModel:
    return LiveModel(
        name="m",
        max_batch=2,
        batches=True,
        instances=1,
        delay_us=0,
        on_cpu=True,
        inputs=inputs,
        outputs=(),
        steps=(),
    )


TEXT = Tensor(name="TEXT", datatype="BYTES", shape=(1,))
PIXELS = Tensor(name="PIXELS", datatype="UINT8", shape=(3, -1))


def test_numbers_are_made_up_and_text_is_taken() -> None:
    first, second = make_samples(model(TEXT, PIXELS), [b"a", b"b"], {"PIXELS": (3, 7)})
    assert first["TEXT"].tolist() == [b"a"]
    assert second["TEXT"].tolist() == [b"b"]
    assert first["PIXELS"].shape == (3, 7)
    assert first["PIXELS"].dtype == np.uint8


def test_a_shape_that_varies_must_be_given() -> None:
    with pytest.raises(CalibrationError, match="--shape PIXELS="):
        make_samples(model(PIXELS), [], {})


def test_text_must_be_given_and_only_once() -> None:
    with pytest.raises(CalibrationError, match="--data"):
        make_samples(model(TEXT), [], {})
    with pytest.raises(CalibrationError, match="only one"):
        make_samples(model(TEXT, TEXT), [b"a"], {})


def test_types_that_numpy_lacks_are_refused() -> None:
    with pytest.raises(CalibrationError, match="BF16"):
        make_samples(model(Tensor(name="X", datatype="BF16", shape=(1,))), [], {})


def test_fixed_shapes_are_told_from_varying_ones() -> None:
    assert model(TEXT).fixed_shapes
    assert not model(PIXELS).fixed_shapes
