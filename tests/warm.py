"""``workings`` without its seconds of start-up, for tests that run many commands.

One process loads what every command loads, and forks a child for each command. The child has the caller's directory,
environment, arguments and files, runs the program's own ``main`` and hands back its exit code. Nothing but the start-up
differs from the real program; that one is run by tests/cli and tests/test_laws.py.

Trap: a process must not be forked once it has threads, so the parent loads libraries but calls none of them.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

# Sends the arguments, the environment and the three standard files; -S and -E keep it to hundredths of a second.
CALLER = """\
#!{python} -SE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [request], [0, 1, 2])
server.shutdown(socket.SHUT_WR)
sys.exit(int(server.recv(16) or 1))
"""


@contextmanager
def warm_program() -> Iterator[Path]:
    """A folder, to be put first on PATH, with a ``workings`` that starts at once."""
    with tempfile.TemporaryDirectory(prefix="warm-") as name:
        folder = Path(name)
        address = str(folder / "socket")
        program = folder / "workings"
        program.write_text(CALLER.format(python=sys.executable, address=address), encoding="utf-8")
        program.chmod(0o755)
        process = subprocess.Popen([sys.executable, __file__, address], stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield folder
        finally:
            process.kill()
            process.communicate()


def serve(address: str) -> NoReturn:
    """Load everything, then fork a child for each command that comes."""
    for name in ("workings.api", "workings.cli.main", "workings.data", "workings.report"):
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children leave nothing behind
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen()
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            server.close()
            answer(connection)
        connection.close()


def answer(connection: socket.socket) -> NoReturn:
    """In the child: become the caller's command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, files, _, _ = socket.recv_fds(connection, 65536, 3)
    while more := connection.recv(65536):
        request += more
    arguments, folder, environment = json.loads(request)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # The parent's own remember what kind of file they were made for.
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["workings", *arguments]
    code = 1
    try:
        from workings.cli.main import main

        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001  what the interpreter does at a program's end
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
