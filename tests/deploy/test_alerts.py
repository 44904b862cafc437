"""Prometheus' own tool: the configuration is valid, and each alert fires when it should."""

from __future__ import annotations

import subprocess

from tests.deploy.programs import ROOT, find_program

HINT = "apt install prometheus"


def promtool(*arguments: str) -> str:
    """What promtool says; the test fails if it isn't content."""
    command = [find_program("promtool", HINT), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_is_valid() -> None:
    assert "SUCCESS: 12 rules found" in promtool("check", "config", "deploy/prometheus/prometheus.yml")


def test_each_alert_fires_when_it_should_and_not_before() -> None:
    promtool("test", "rules", "tests/deploy/alerts_test.yml")
