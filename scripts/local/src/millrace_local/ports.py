"""Which port the engine listens on."""

import socket

from millrace_local.errors import LocalEngineError

DEFAULT_PORT = 4566
HOST = "127.0.0.1"


def choose_port(wanted: int | None) -> int:
    """Return `wanted` when it is free; for 0 or None any free port.

    Raises: LocalEngineError: another program listens there.
    """
    with socket.socket() as probe:
        # Without this a port in TIME_WAIT, of an engine that just ended, counts as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except OSError as err:
            raise LocalEngineError(
                f"port {wanted} is in use by another program; set PORT=... or stop it"
            ) from err
        port: int = probe.getsockname()[1]
        return port
