"""Writes the alerts of Prometheus' own file as the Prometheus operator's resource.

    python scripts/_kubernetes_alerts.py

Run it after every change of `deploy/prometheus/alerts.yml`; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
RESOURCE = ROOT / "deploy" / "kubernetes" / "components" / "monitoring" / "alerts.yaml"


def resource() -> dict[str, Any]:
    """The `PrometheusRule` with the same groups."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "tandem", "namespace": "tandem"},
        "spec": yaml.safe_load(ALERTS.read_text("utf-8")),
    }


if __name__ == "__main__":
    head = "# Made of deploy/prometheus/alerts.yml by scripts/_kubernetes_alerts.py: change that file.\n"
    RESOURCE.write_text(head + yaml.safe_dump(resource(), sort_keys=False, width=120), "utf-8")
