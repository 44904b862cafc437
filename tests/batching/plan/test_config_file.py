from __future__ import annotations

from pathlib import Path

import pytest

from tandem.batching.errors import InvalidInputError
from tandem.batching.plan.config_file import read_config, write_configs
from tandem.batching.proof.reference import ReferenceModel, write_reference_model
from tandem.batching.rules import greedy, strict, timeout

ENSEMBLE = """
platform: "ensemble"
max_batch_size: 2
ensemble_scheduling { step [
  { model_name: "first" input_map { key: "ITEM" value: "IN" } output_map { key: "SAME" value: "MID" } },
  { model_name: "second" input_map { key: "ITEM" value: "MID" } output_map { key: "SAME" value: "OUT" } }
] }
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in ("first", "second"):
        write_reference_model(
            tmp_path, ReferenceModel(name=name, alpha_ms=1, beta_ms=1, max_batch=2, delay_us=7)
        )
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "config.pbtxt").write_text(ENSEMBLE)
    return tmp_path


def written(path: Path) -> object:
    return read_config(path.parents[2], path.parents[1].name)


def test_a_timeout_is_written_and_nothing_else_is_changed(repository: Path) -> None:
    (path,) = write_configs(repository, "first", "tuned", timeout(8, 0.003, preferred=4))
    assert path == repository / "first" / "configs" / "tuned.pbtxt"
    before = read_config(repository, "first")
    (repository / "first" / "config.pbtxt").write_text(path.read_text())
    after = read_config(repository, "first")
    assert after.max_batch_size == 8
    assert list(after.dynamic_batching.preferred_batch_size) == [4]
    assert after.dynamic_batching.max_queue_delay_microseconds == 3000
    assert after.parameters == before.parameters
    assert after.instance_group == before.instance_group


def test_what_somebody_else_wrote_stays_unless_asked(repository: Path) -> None:
    shipped = repository / "second" / "configs" / "gpu.pbtxt"
    shipped.parent.mkdir()
    shipped.write_text("# somebody's\n")
    with pytest.raises(InvalidInputError, match=r"gpu\.pbtxt is there and not from tandem plan.*--overwrite"):
        write_configs(repository, "whole", "gpu", greedy(4))
    assert shipped.read_text() == "# somebody's\n"
    assert not (repository / "first" / "configs").exists()
    write_configs(repository, "whole", "gpu", greedy(4), overwrite=True)
    write_configs(repository, "whole", "gpu", greedy(2))  # its own it may write again
    assert "max_batch_size: 2" in shipped.read_text()


def test_greedy_prefers_the_largest_batch_because_preferring_one_forbids_batches(repository: Path) -> None:
    (path,) = write_configs(repository, "first", "tuned", greedy(4))
    assert "preferred_batch_size: 4" in path.read_text()
    assert "max_queue_delay" not in path.read_text()


def test_an_ensemble_takes_its_steps_along(repository: Path) -> None:
    paths = write_configs(repository, "whole", "tuned", greedy(4))
    assert [path.parents[1].name for path in paths] == ["whole", "first", "second"]
    assert all("max_batch_size: 4" in path.read_text() for path in paths)
    assert "dynamic_batching" not in paths[0].read_text()


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-x", "a b"])
def test_a_name_that_is_no_file_name_is_refused(repository: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="name"):
        write_configs(repository, "first", name, greedy(2))


def test_what_triton_cannot_do_is_not_written(repository: Path) -> None:
    with pytest.raises(InvalidInputError, match="strict"):
        write_configs(repository, "first", "tuned", strict(2))


def test_a_missing_or_broken_config_says_which(repository: Path) -> None:
    with pytest.raises(InvalidInputError, match="check --model"):
        write_configs(repository, "third", "tuned", greedy(2))
    (repository / "first" / "config.pbtxt").write_text("max_batch_size: many")
    with pytest.raises(InvalidInputError, match="no model config"):
        write_configs(repository, "first", "tuned", greedy(2))
