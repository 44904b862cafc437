from __future__ import annotations

from pathlib import Path

import pytest

from tandem.runtime.options import ServerOptions

REPOSITORY = Path("models")


def arguments(**options: object) -> list[str]:
    chosen = ServerOptions(model_repository=REPOSITORY, **options)  # type: ignore[arg-type]
    return list(
        chosen.arguments(
            repositories=chosen.repositories,
            models=["a", "b"],
            backends=Path("backends"),
            server_id="tandem-1",
            shm_prefix="prefix-",
            gpu=False,
        )
    )


def test_listens_on_this_machine_only_unless_told() -> None:
    assert "--grpc-address=127.0.0.1" in arguments()
    assert "--http-address=127.0.0.1" in arguments()
    assert "--metrics-address=127.0.0.1" in arguments()
    assert "--http-address=0.0.0.0" in arguments(address="0.0.0.0")  # noqa: S104 - that is the point


def test_each_choice_reaches_the_command_line() -> None:
    chosen = arguments(grpc_port=1, http_port=2, metrics_port=3, config_name="gpu", log_verbose=3)
    assert {"--grpc-port=1", "--http-port=2", "--metrics-port=3", "--model-config-name=gpu"} <= set(chosen)
    assert {"--log-info=true", "--log-verbose=2"} <= set(chosen)


def test_models_can_not_be_loaded_from_outside() -> None:
    assert "--model-control-mode=none" in arguments()
    assert not [argument for argument in arguments() if argument.startswith("--load-model")]


def test_chosen_services_are_loaded_with_what_they_need_and_nothing_else() -> None:
    chosen = arguments(services=("a",), further_repositories=(Path("more"),))
    assert {"--model-control-mode=explicit", "--load-model=a", "--load-model=b"} <= set(chosen)
    assert {"--model-repository=models", "--model-repository=more"} <= set(chosen)


@pytest.mark.parametrize(
    "wrong",
    [
        {"grpc_port": -1},
        {"http_port": 65536},
        {"grpc_port": 9000, "metrics_port": 9000},
        {"config_name": ""},
        {"config_name": "two words"},
        {"start_timeout_s": 0.0},
        {"log_verbose": -1},
    ],
)
def test_refuses_what_the_server_would_misread(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ServerOptions(model_repository=REPOSITORY, **wrong)  # type: ignore[arg-type]


def test_free_ports_may_be_asked_for_three_times() -> None:
    assert ServerOptions(model_repository=REPOSITORY, grpc_port=0, http_port=0, metrics_port=0).grpc_port == 0
