from __future__ import annotations

import pytest

from tandem.runtime.errors import InstallationError
from tandem.runtime.python_library import python_library_folder
from tandem.runtime.wheel import check_numpy, find_installation


def test_every_part_of_the_server_is_there() -> None:
    installation = find_installation()
    assert installation.server.is_file()
    assert installation.stub.is_file()
    assert list(installation.libraries.glob("libtritonserver*"))


def test_numpy_2_is_refused_because_outputs_would_be_empty() -> None:
    check_numpy("1.26.4")
    with pytest.raises(InstallationError, match="numpy<2"):
        check_numpy("2.0.0")


def test_this_python_has_its_library() -> None:
    folder = python_library_folder()
    assert folder is None or list(folder.glob("libpython3.*"))
