"""Our repository with more instances."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tandem.evaluation.errors import PeerError
from tandem.evaluation.peer_servers.instances import models_of, with_instances
from tandem.evaluation.peer_servers.steps import read_config
from tandem.runtime.setup import REPOSITORY

MODELS = {
    "id_card",
    "decode_image",
    "card_detector",
    "rectify_cards",
    "corner_refiner",
    "document_classifier",
    "document_detector",
    "text_recognizer",
    "parse_fields",
}

SERVED = {"text_recognizer": 2}


def test_every_model_of_the_ensemble_gets_two_instances_and_nothing_else_changes(tmp_path: Path) -> None:
    repository = with_instances(REPOSITORY, "id_card", tmp_path / "models", 2)
    assert {path.name for path in repository.iterdir()} == MODELS == set(models_of(REPOSITORY, "id_card"))
    for name in MODELS - {"id_card"}:
        config, served = read_config(repository, name), read_config(REPOSITORY, name)
        assert [group.pop("count") for group in config["instance_group"]] == [2]
        assert [group.pop("count") for group in served["instance_group"]] == [SERVED.get(name, 1)]
        assert json.dumps(config) == json.dumps(served)
        assert (repository / name / "1").resolve() == (REPOSITORY / name / "1").resolve()


def test_a_model_without_instances_on_cpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lone").mkdir()
    (tmp_path / "lone" / "config.pbtxt").write_text('backend: "python"\n', "utf-8")
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "config.pbtxt").write_text('step [ { model_name: "lone" } ]\n', "utf-8")
    with pytest.raises(PeerError, match="lone's config says nothing about instances"):
        with_instances(tmp_path, "all", tmp_path / "out", 2)
