"""`find_cards` and `document_kind` on the real server: several documents, bad pictures, pairs."""

from __future__ import annotations

import io
import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest
from PIL import Image
from tritonclient import grpc
from tritonclient.utils import InferenceServerException

from tandem.media.document_kinds import KINDS
from tandem.training.draw.confuser_kinds import draw_document
from tandem.training.scene.conditions import EASY
from tandem.training.scene.photographs import StoredFlat, photograph
from tests.server.asking import image_input

pytestmark = pytest.mark.triton

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
SAMPLE = (ROOT / "docs/images/sample.jpg").read_bytes()
SCHEMAS = {
    service: json.loads(
        (ROOT / "tandem/services" / service / "result.schema.json").read_text(encoding="utf-8")
    )
    for service in ("id_card", "find_cards", "document_kind")
}


@pytest.fixture(scope="module")
def client(triton_server):
    with grpc.InferenceServerClient(triton_server.grpc_url) as client:
        yield client


def ask(client: grpc.InferenceServerClient, service: str, *pictures: bytes) -> list[dict[str, Any]]:
    result = client.infer(service, [image_input(list(pictures))])
    answers = [json.loads(answer) for answer in result.as_numpy("RESULT").reshape(-1)]
    for answer in answers:
        jsonschema.validate(answer, SCHEMAS[service])
    return answers


def ask_later(client: grpc.InferenceServerClient, service: str, picture: bytes) -> Future[dict[str, Any]]:
    future: Future[dict[str, Any]] = Future()

    def done(result: Any, error: Any) -> None:
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(json.loads(result.as_numpy("RESULT").reshape(-1)[0]))

    client.async_infer(service, [image_input([picture])], done)
    return future


UNTRAINED = (
    "detector and classifier had an hour of training on a core: docs/decisions/0012-other-documents.md"
)
not_yet = pytest.mark.xfail(strict=True, reason=UNTRAINED)


def photo(*kinds: str, seed: int = 4, size: tuple[int, int] = (900, 1200)) -> tuple[bytes, list[Any]]:
    """A photograph (JPEG) of documents of these kinds side by side, and where they lie."""
    rng = np.random.default_rng(seed)
    flats = []
    for kind in kinds:
        image, alpha = draw_document(rng, kind, width_px=700, pool="test")
        flats.append(StoredFlat(image=image, alpha=alpha, side=None))
    width = size[1] * (0.8 if len(kinds) < 2 else 0.44)
    quads = []
    for index, flat in enumerate(flats):
        height = width * flat.image.shape[0] / flat.image.shape[1]
        x, y = size[1] * (0.1 if len(kinds) < 2 else 0.04 + 0.48 * index), (size[0] - height) / 2
        quads.append(
            np.array([[x, y], [x + width, y + 8], [x + width, y + height], [x, y + height]], np.float32)
        )
    picture, placed = photograph(rng, flats, size=size, conditions=EASY, pool="test", quads=quads)
    return cv2.imencode(".jpg", picture)[1].tobytes(), placed


def blank() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (640, 480), (90, 110, 90)).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize("first", ["hmt_residence_permit.emblem", "bank_card"])
def test_two_documents_in_a_picture_are_two_objects(client, first):
    kinds = (first, "resident_id.emblem")
    data, quads = photo(*kinds)
    (answer,) = ask(client, "find_cards", data)
    objects = {entry["kind"]: np.array(entry["quad"], np.float32) for entry in answer["objects"]}
    assert set(objects) == set(kinds)
    for kind, quad in zip(kinds, quads, strict=True):
        assert np.abs(objects[kind] - quad).max() < 0.06 * 1200, kind


@pytest.mark.parametrize(
    "kind",
    ["passport_page", "hmt_residence_permit.emblem", pytest.param("driving_licence", marks=not_yet)],
)
def test_a_document_is_named(client, kind):
    (answer,) = ask(client, "document_kind", photo(kind)[0])
    assert answer["kinds"][0]["kind"] == kind
    assert answer["kinds"][0]["score"] > 0.5
    assert {entry["kind"] for entry in answer["kinds"]} == set(KINDS)


def test_a_picture_of_nothing(client):
    assert ask(client, "find_cards", blank()) == [{"objects": []}]
    assert ask(client, "document_kind", blank())[0]["kinds"][0]["kind"] == "none"
    assert ask(client, "id_card", blank()) == [{"cards": [], "others": []}]


@pytest.mark.parametrize("service", ["find_cards", "document_kind"])
def test_one_request_may_hold_two_pictures(client, service):
    data, _ = photo("bank_card", "social_security")
    pair = ask(client, service, data, blank())
    assert pair == [*ask(client, service, data), *ask(client, service, blank())]


@pytest.mark.parametrize("service", ["find_cards", "document_kind"])
def test_a_bad_picture_fails_alone(client, service):
    good = [ask_later(client, service, SAMPLE) for _ in range(4)]
    bad = {
        "empty": ask_later(client, service, b""),
        "truncated": ask_later(client, service, SAMPLE[: len(SAMPLE) // 2]),
    }
    expected = ask(client, service, SAMPLE)[0]
    for future in good:
        assert future.result(timeout=60) == expected
    for word, future in bad.items():
        with pytest.raises(InferenceServerException) as caught:
            future.result(timeout=60)
        assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
        assert word in caught.value.message()


def test_every_network_step_runs_in_batches_of_two(client):
    def executions(model: str) -> dict[int, int]:
        statistics = client.get_inference_statistics(model, as_json=True)["model_stats"][0]
        return {
            int(entry["batch_size"]): int(entry["compute_infer"].get("count", 0))
            for entry in statistics.get("batch_stats", [])
        }

    models = ("document_detector", "document_classifier")
    before = {model: executions(model) for model in models}
    futures = [ask_later(client, "find_cards", SAMPLE) for _ in range(24)]
    for future in futures:
        future.result(timeout=120)
    for model in models:
        counts = {size: count - before[model].get(size, 0) for size, count in executions(model).items()}
        assert max(size for size, count in counts.items() if count) == 2, (model, counts)
        assert counts[2] >= 9, (model, counts)


@pytest.mark.parametrize(
    "kind",
    ["hmt_residence_permit.emblem", "temporary_id.emblem", "other_card"],
)
def test_another_document_is_no_identity_card(client, kind):
    data, (quad,) = photo(kind)
    (answer,) = ask(client, "id_card", data)
    assert answer["cards"] == []
    (other,) = answer["others"]
    assert other["kind"] == kind
    assert np.abs(np.array(other["quad"], np.float32) - quad).max() < 0.06 * 1200


def test_the_sample_is_an_identity_card_and_no_other(client):
    (answer,) = ask(client, "id_card", SAMPLE)
    assert len(answer["cards"]) == 1
    assert answer["others"] == []
    (found,) = ask(client, "find_cards", SAMPLE)
    assert [entry["kind"] for entry in found["objects"]] == ["resident_id.portrait"]


# What others drew or published: the pictures are not part of the project.
CASES = {
    "01_hmt_portrait_hk.jpg": "hmt_residence_permit.portrait",
    "01_hmt_back_hk.jpg": "hmt_residence_permit.emblem",
    "01_foreign_pr_back.jpg": "foreign_permanent_resident.emblem",
    "01_temporary_id_title_side.jpg": "temporary_id.emblem",
    "01_title_health_card.jpg": "other_card",
    "01_first_generation.jpg": "other_card",
}
NEGATIVES = {
    "real_ground/real_ground_1_negative_permit_hk_0.jpg": "hmt_residence_permit.portrait",
    "real_ground/real_ground_1_negative_temporary_0.jpg": "temporary_id.portrait",
    "driving_licence_tencent.jpg": "driving_licence",
    "foreign_pr_id_specimen.png": "foreign_permanent_resident.portrait",
    "hw_bank_cards.png": "bank_card",
}


OTHERS_DREW = {f"cases/{name}": kind for name, kind in CASES.items()}
OTHERS_DREW |= {f"specimens/{name}": kind for name, kind in NEGATIVES.items()}
NOT_YET_NAMED = {"specimens/hw_bank_cards.png"}


@pytest.mark.skipif(not (SHARED / "cases").exists(), reason="the pictures of others are not here")
@pytest.mark.parametrize("path", OTHERS_DREW)
def test_documents_that_others_drew_are_no_identity_cards(client, path):
    assert ask(client, "id_card", (SHARED / path).read_bytes())[0]["cards"] == []


@pytest.mark.skipif(not (SHARED / "cases").exists(), reason="the pictures of others are not here")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param(path, kind, marks=[not_yet] if path in NOT_YET_NAMED else [])
        for path, kind in OTHERS_DREW.items()
    ],
)
def test_documents_that_others_drew_are_named(client, path, kind):
    data = (SHARED / path).read_bytes()
    assert ask(client, "document_kind", data)[0]["kinds"][0]["kind"] == kind


@pytest.mark.skipif(not (SHARED / "specimens").exists(), reason="the pictures of others are not here")
def test_resident_cards_that_others_drew(client):
    index = json.loads((SHARED / "specimens/index.json").read_text(encoding="utf-8"))
    for entry in index:
        if entry["cards"]:
            (answer,) = ask(client, "id_card", (SHARED / "specimens" / entry["file"]).read_bytes())
            assert answer["others"] == [], entry["file"]
            assert len(answer["cards"]) == len(entry["cards"]), entry["file"]
