"""`python -m tandem.gateway …` is `tandem gateway …`."""

from __future__ import annotations

import sys
from typing import cast

from tandem_triton.cli.main import Command, main

from tandem.gateway import command_gateway

if __name__ == "__main__":
    sys.exit(main(["gateway", *sys.argv[1:]], {"gateway": lambda: cast(Command, command_gateway)}))
