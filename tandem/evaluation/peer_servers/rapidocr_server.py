"""RapidOCR at its defaults in one process: whole photographs in, lines of text out, one after the other."""

from __future__ import annotations

import json
import threading

from tandem.evaluation.peer_servers.arrangement import parse_arguments
from tandem.evaluation.peer_servers.plain_http import server_of
from tandem.evaluation.peers import rapidocr_reader


def main() -> None:
    """Serve until ended by a signal."""
    port, _ = parse_arguments()
    read, turns = rapidocr_reader(), threading.Lock()

    def answer(data: bytes) -> bytes:
        with turns:  # one picture takes all cores
            return json.dumps([line.text for line in read(data)], ensure_ascii=False).encode()

    server_of(answer, port).serve_forever()


if __name__ == "__main__":
    main()
