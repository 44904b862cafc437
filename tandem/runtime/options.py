"""What a user may choose about the embedded server, and the command line it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tandem.runtime.access import Access

DEFAULT_GRPC_PORT = 8001
DEFAULT_HTTP_PORT = 8000
DEFAULT_METRICS_PORT = 8002
# Only this machine: who opens the server to others must also decide who may call it.
DEFAULT_ADDRESS = "127.0.0.1"
# Cold start of the whole ensemble on two busy cores takes seconds; TensorRT builds engines for minutes.
DEFAULT_START_TIMEOUT_S = 300.0
# How long the server may finish what is in flight after SIGTERM before its process group is killed.
DEFAULT_STOP_TIMEOUT_S = 15.0
HIGHEST_PORT = 65535
# Enough that all steps of the ensemble load side by side; Triton's own default is 4.
LOAD_THREADS = 8
# For the dashboard: without these Triton counts only sums, which hold no quantiles. Quantile:allowed error.
LATENCY_QUANTILES = "0.5:0.05,0.95:0.01,0.99:0.001"
# CPU and GPU use are sampled this often; Prometheus asks every 5 s.
METRICS_INTERVAL_MS = 1000


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """Options of one embedded server.

    Attributes:
        model_repository: folder of models, one folder each.
        further_repositories: more such folders.
        services: serve only these models and those that they need; empty: every model there is.
        server: an installed tritonserver, see `tandem.runtime.program`; None: the wheel's.
        grpc_port: TCP port, 0 = a free one.
        http_port: TCP port, 0 = a free one.
        metrics_port: TCP port, 0 = a free one.
        address: the address to listen on.
        config_name: use a model's `configs/<name>.pbtxt` instead of `config.pbtxt` where it has one.
        log_verbose: 0 = warnings and errors, 1 = also information, 2 and more = Triton's verbose levels.
        auto_complete_config: let backends fill gaps of a config; costs a second process start a model.
        start_timeout_s: seconds until every model must be ready.
        stop_timeout_s: seconds that the server gets to finish after SIGTERM.
        access: who may call what; by default model control, shared memory, tracing and logging are closed.
        environment: variables added to the server's environment.
    """

    model_repository: Path
    further_repositories: tuple[Path, ...] = ()
    services: tuple[str, ...] = ()
    server: Path | None = None
    grpc_port: int = DEFAULT_GRPC_PORT
    http_port: int = DEFAULT_HTTP_PORT
    metrics_port: int = DEFAULT_METRICS_PORT
    address: str = DEFAULT_ADDRESS
    config_name: str | None = None
    log_verbose: int = 0
    auto_complete_config: bool = False
    start_timeout_s: float = DEFAULT_START_TIMEOUT_S
    stop_timeout_s: float = DEFAULT_STOP_TIMEOUT_S
    access: Access = field(default_factory=Access)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what Triton would misread."""
        ports = self.ports()
        for name, port in ports.items():
            if not 0 <= port <= HIGHEST_PORT:
                raise ValueError(f"{name} must be 0-{HIGHEST_PORT}, not {port}")
        chosen = [port for port in ports.values() if port]
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"the three ports must differ, not {ports}")
        if self.config_name is not None and (
            not self.config_name or self.config_name.split() != [self.config_name]
        ):
            raise ValueError("config_name must be a name without spaces")
        if self.start_timeout_s <= 0 or self.stop_timeout_s <= 0 or self.log_verbose < 0:
            raise ValueError("time-outs must be positive and log_verbose must not be negative")

    def ports(self) -> dict[str, int]:
        """The option's name → port, in the order gRPC, HTTP, metrics."""
        return {"grpc_port": self.grpc_port, "http_port": self.http_port, "metrics_port": self.metrics_port}

    @property
    def repositories(self) -> tuple[Path, ...]:
        """Every folder of models."""
        return (self.model_repository, *self.further_repositories)

    def arguments(
        self,
        *,
        repositories: Sequence[Path],
        models: Sequence[str],
        backends: Path,
        server_id: str,
        shm_prefix: str,
        gpu: bool,
    ) -> Sequence[str]:
        """The server's command line, without the program.

        Args:
            repositories: `self.repositories`, or links to them.
            models: what to load when not every model is served.
            backends: the backend directory.
            server_id: what the server says that its name is, so that we can tell it from any other.
            shm_prefix: what the names of this server's shared memory regions start with.
            gpu: whether this machine has an NVIDIA GPU.
        """
        arguments = [
            *(f"--model-repository={repository}" for repository in repositories),
            f"--backend-directory={backends}",
            f"--backend-config=python,shm-region-prefix-name={shm_prefix}",
            f"--id={server_id}",
            # Also the explicit mode is closed to callers: see `tandem.runtime.access`.
            f"--model-control-mode={'explicit' if self.services else 'none'}",
            *(f"--load-model={model}" for model in models if self.services),
            "--exit-on-error=true",
            f"--model-load-thread-count={LOAD_THREADS}",
            "--strict-readiness=true",
            f"--exit-timeout-secs={max(1, int(self.stop_timeout_s) - 2)}",
            f"--grpc-address={self.address}",
            f"--http-address={self.address}",
            f"--metrics-address={self.address}",
            f"--grpc-port={self.grpc_port}",
            f"--http-port={self.http_port}",
            f"--metrics-port={self.metrics_port}",
            f"--log-info={str(self.log_verbose >= 1).lower()}",
            f"--log-verbose={max(0, self.log_verbose - 1)}",
            f"--metrics-interval-ms={METRICS_INTERVAL_MS}",
            "--metrics-config=summary_latencies=true",
            f"--metrics-config=summary_quantiles={LATENCY_QUANTILES}",
            *self.access.arguments(),
        ]
        if not self.auto_complete_config:
            arguments.append("--disable-auto-complete-config")
        if self.config_name is not None:
            arguments.append(f"--model-config-name={self.config_name}")
        if not gpu:
            arguments.append("--allow-gpu-metrics=false")
        return arguments
