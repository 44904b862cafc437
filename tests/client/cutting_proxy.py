"""A TCP proxy that can cut its connections, to see what a client makes of it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType

_CHUNK = 1 << 16
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST, as a crash of the peer would


class CuttingProxy:
    """Passes bytes between its own port and a server.

    Args:
        target: `host:port` of the server.
        tls: speaks TLS to its clients, plainly to the server; None speaks plainly to both.
    """

    def __init__(self, target: str, tls: ssl.SSLContext | None = None) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._tls = tls
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._closed = False
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """Reset every connection; gives how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                # The pumps may be waiting in `recv`: shutting down wakes them, closing alone does not.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                _quietly(end.shutdown, socket.SHUT_RDWR)
                end.close()
        return len(pairs)

    def close(self) -> None:
        """Stop listening and reset every connection."""
        self._closed = True
        _quietly(self._listener.shutdown, socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
                if self._tls is not None:
                    client = self._tls.wrap_socket(client, server_side=True)
                server = socket.create_connection(self._target)
            except OSError:
                continue  # closed, or a client that left during its handshake
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.accepted += 1
                self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # cut
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    _quietly(sink.shutdown, socket.SHUT_RDWR)


def _quietly(act: Callable[..., object], *arguments: object) -> None:
    """Do it, even if the other end was quicker."""
    with contextlib.suppress(OSError):
        act(*arguments)
