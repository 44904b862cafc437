"""Networks with the weights that training left, as they are exported."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from export.errors import ExportError


def load_trained(network: nn.Module, weights: Path, training: str) -> None:
    """Put a file's weights into a network.

    Args:
        network: which they belong to.
        weights: the file.
        training: the module that makes such a file, for the message where it is missing.

    Raises:
        ExportError: the file is missing or belongs to another network.
    """
    try:
        network.load_state_dict(torch.load(weights, weights_only=True))
    except FileNotFoundError as error:
        raise ExportError(f"no weights at {weights}: train them with python -m {training}") from error
    except RuntimeError as error:
        raise ExportError(f"{weights} holds another network's weights: {error}") from error
