import contextlib
import pathlib
import socket
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


@pytest.fixture
def serve():
    """serve(handler): the port of a TCP server that calls handler(socket) for each connection."""
    with contextlib.ExitStack() as stack:

        def start(handler):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            # Closing alone does not wake a thread that is in accept.
            stack.callback(lambda: listener.shutdown(socket.SHUT_RDWR))

            def accept():
                while True:
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                    threading.Thread(target=handle, args=(connection,), daemon=True).start()

            def handle(connection):
                with connection, contextlib.suppress(OSError):
                    handler(connection)

            threading.Thread(target=accept, daemon=True).start()
            return listener.getsockname()[1]

        yield start
