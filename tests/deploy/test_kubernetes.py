"""The Kubernetes manifests as kustomize makes them: valid by Kubernetes' schemas, closed and patient."""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tandem_triton.queue import QueueNames

from scripts._kubernetes_alerts import resource
from tandem.door import command_door
from tandem.gateway import command_gateway
from tandem.runtime.command import server_parser
from tests.deploy.manifests import FOLDER, Manifests, all_components, build, build_with
from tests.deploy.programs import ROOT, find_program

# The oldest release that its project still supported when this was written, and the newest schema we have.
VERSIONS = ("1.31", kubernetes_validate.latest_version().rpartition(".")[0])
# Custom resources have no schema in Kubernetes itself.
NAMESPACE_NAME = "kubernetes.io/metadata.name"
CUSTOM = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}


@pytest.fixture(scope="module", params=["cpu", "gpu", "cpu with all"])
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    overlay = FOLDER / "overlays" / request.param.split()[0]
    if "with" not in request.param:
        return build(overlay)
    return build_with(all_components(), tmp_path_factory.mktemp("kubernetes"))


def pod(manifests: Manifests) -> dict[str, Any]:
    specification: dict[str, Any] = manifests["Deployment/tandem"]["spec"]["template"]["spec"]
    return specification


def triton(manifests: Manifests) -> dict[str, Any]:
    (container,) = [one for one in pod(manifests)["containers"] if one["name"] == "triton"]
    return container


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_key(manifests: Manifests, version: str) -> None:
    for manifest in manifests.values():
        if manifest["apiVersion"] not in CUSTOM:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("path", sorted((FOLDER / "base").glob("*.yaml")), ids=lambda path: path.name)
def test_each_file_of_the_base_is_valid_by_itself(path: Path) -> None:
    """Also where there is no kustomize."""
    for manifest in yaml.safe_load_all(path.read_text("utf-8")):
        if manifest["kind"] == "Kustomization":
            files = [path.with_name(name) for name in manifest["resources"]]
            assert all(file.is_file() for file in files)
        elif manifest["kind"] != "Deployment":  # its selector is kustomize's to add
            kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_the_schemas_refuse_a_wrong_manifest(manifests: Manifests) -> None:
    wrong = manifests["Deployment/tandem"] | {"specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_pods_may_do_next_to_nothing(manifests: Manifests) -> None:
    specification = pod(manifests)
    assert specification["securityContext"]["runAsNonRoot"] is True
    assert specification["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert specification["automountServiceAccountToken"] is False
    for container in specification["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    labels = manifests["Deployment/tandem"]["spec"]["template"]["metadata"]["labels"].items()
    for kind, where in (("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")):
        chosen = manifests[f"{kind}/tandem"]["spec"][where]["matchLabels"]
        assert chosen, kind
        assert chosen.items() <= labels, kind


def test_nothing_goes_out_but_to_the_broker(manifests: Manifests) -> None:
    policy = manifests["NetworkPolicy/tandem"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    assert ports == ({5672, 53} if "ScaledObject/tandem" in manifests else set())


def test_every_resource_is_limited_and_memory_holds_the_shared_memory(manifests: Manifests) -> None:
    specification = pod(manifests)
    for container in specification["containers"]:
        limits, requests = container["resources"]["limits"], container["resources"]["requests"]
        assert limits.keys() == requests.keys()
        assert limits["memory"] == requests["memory"]
    empty = [volume for volume in specification["volumes"] if "emptyDir" in volume]
    assert all("sizeLimit" in volume["emptyDir"] for volume in empty)
    in_memory = {volume["name"] for volume in empty if volume["emptyDir"].get("medium") == "Memory"}
    mounts = {mount["mountPath"]: mount["name"] for mount in triton(manifests)["volumeMounts"]}
    assert {mounts["/dev/shm"], mounts["/tmp"]} <= in_memory  # noqa: S108 - the container's


def test_what_is_in_flight_may_finish(manifests: Manifests) -> None:
    specification = pod(manifests)
    (pause_s,) = map(int, triton(manifests)["lifecycle"]["preStop"]["exec"]["command"][1:])
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    (drain_s,) = map(int, re.findall(r"TANDEM_STOP_TIMEOUT=(\d+)", dockerfile))
    assert specification["terminationGracePeriodSeconds"] > pause_s + drain_s


def test_a_warm_start_has_minutes(manifests: Manifests) -> None:
    container = triton(manifests)
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 300
    ports = {port["name"] for port in container["ports"]}
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[name]["httpGet"]["port"] in ports


def test_the_autoscaler_reads_the_metric_that_the_adapter_makes(manifests: Manifests) -> None:
    if "ScaledObject/tandem" in manifests:
        scaled = manifests["ScaledObject/tandem"]["spec"]
        assert "HorizontalPodAutoscaler/tandem" not in manifests, "two autoscalers would pull the same rope"
        assert scaled["scaleTargetRef"]["name"] == "tandem"
        assert scaled["triggers"][0]["metadata"]["queueName"] == QueueNames().items("id_card")
        return
    scaler = manifests["HorizontalPodAutoscaler/tandem"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == manifests["Deployment/tandem"]["metadata"]["name"]
    assert "replicas" not in manifests["Deployment/tandem"]["spec"], "that is the autoscaler's to choose"
    rules = yaml.safe_load((FOLDER / "adapter.yaml").read_text("utf-8"))["rules"]["custom"]
    names = [metric["pods"]["metric"]["name"] for metric in scaler["metrics"]]
    assert names == [rule["name"]["as"] for rule in rules]


def test_the_adapters_query_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    (rule,) = yaml.safe_load((FOLDER / "adapter.yaml").read_text("utf-8"))["rules"]["custom"]
    query = rule["metricsQuery"].replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", 'pod="a"')
    rules = {"groups": [{"name": "adapter", "rules": [{"record": "queue", "expr": query}]}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
    command = [
        find_program("promtool", "apt install prometheus"),
        "check",
        "rules",
        str(tmp_path / "rules.yml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_environment_is_what_the_containers_command_reads() -> None:
    parser = server_parser("serve", "")
    options = {f"TANDEM_{action.dest.upper()}" for action in parser._actions}
    beside = {"TANDEM_BROKER"}
    for command, prefix in ((command_gateway, "TANDEM_GATEWAY_"), (command_door, "TANDEM_DOOR_")):
        own = argparse.ArgumentParser()
        command.add_arguments(own)
        beside |= {prefix + name.upper() for name in vars(own.parse_args([]))}
    for path in FOLDER.rglob("*.yaml"):
        for variable in re.findall(r"TANDEM_\w+", path.read_text("utf-8")):
            assert variable in options | beside, path.name


def test_the_queue_is_refused_behind_what_must_know_of_it(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"components/queue.*access failed"):
        build_with(["token", "queue"], tmp_path)


@pytest.mark.parametrize("component", ["token", "tls"])
def test_without_a_queue_there_is_no_gateway(component: str, tmp_path: Path) -> None:
    containers = pod(build_with([component], tmp_path))["containers"]
    assert {one["name"] for one in containers} == {"triton", "door"}


def test_callers_reach_the_door_and_nothing_of_triton(manifests: Manifests) -> None:
    ports = {port["name"]: one["name"] for one in pod(manifests)["containers"] for port in one["ports"]}
    for name in ("tandem", "tandem-pods"):
        reached = [port["targetPort"] for port in manifests[f"Service/{name}"]["spec"]["ports"]]
        assert reached
        assert {ports[port] for port in reached} == {"door"}
    (callers,) = [
        rule
        for rule in manifests["NetworkPolicy/tandem"]["spec"]["ingress"]
        if "tandem/may-send-pictures" in rule["from"][0]["namespaceSelector"]["matchLabels"]
    ]
    assert {ports[port["port"]] for port in callers["ports"]} == {"door"}


def test_the_monitoring_takes_the_ports_that_there_are_and_the_network_lets_it(tmp_path: Path) -> None:
    made = build_with(all_components(), tmp_path)
    ports = {port["name"] for one in pod(made)["containers"] for port in one["ports"]}
    monitor = made["PodMonitor/tandem"]["spec"]
    scraped = {one["port"]: one["relabelings"][0]["replacement"] for one in monitor["podMetricsEndpoints"]}
    assert scraped.keys() <= ports
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    assert set(scraped.values()) <= {job["job_name"] for job in prometheus["scrape_configs"]}
    labels = made["Deployment/tandem"]["spec"]["template"]["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    open_ports = {
        port["port"]
        for rule in made["NetworkPolicy/tandem"]["spec"]["ingress"]
        for port in rule["ports"]
        if rule["from"][0]["namespaceSelector"]["matchLabels"] == {NAMESPACE_NAME: "monitoring"}
    }
    assert open_ports == scraped.keys()


def test_the_alerts_of_the_operator_are_those_of_prometheus() -> None:
    written = yaml.safe_load((FOLDER / "components/monitoring/alerts.yaml").read_text("utf-8"))
    assert written == resource(), "run scripts/_kubernetes_alerts.py"
