"""A browser to look at pages with: Chromium, told what to do over a pipe by its DevTools protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


class Browser:
    """One window. Enter it to begin, leave it to end."""

    def __init__(self) -> None:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        if program is None:
            sys.exit("There is no Chromium. Name one: CHROMIUM=PROGRAM")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        asked, self._to = os.pipe()
        self._from, told = os.pipe()

        def pipes() -> None:  # Chromium reads from descriptor 3 and writes to 4
            first, second = os.dup(asked), os.dup(told)
            os.dup2(first, 3)
            os.dup2(second, 4)

        command = [program, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self._folder.name}", "about:blank"]
        self._process = subprocess.Popen(
            command, preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(asked)
        os.close(told)
        self._number, self._read, self._session = 0, b"", ""

    def __enter__(self) -> Browser:
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self.ask("Page.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            more = os.read(self._from, 1 << 20)
            if not more:
                raise EOFError("Chromium has ended.")
            self._read += more
        first, self._read = self._read.split(b"\0", 1)
        return json.loads(first)

    def ask(self, method: str, **how: Any) -> dict[str, Any]:
        """A command of the protocol, and what it answers."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": how}
        if self._session:
            message["sessionId"] = self._session
        written = json.dumps(message).encode() + b"\0"
        while written:
            written = written[os.write(self._to, written) :]
        while (told := self._message()).get("id") != self._number:
            pass
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']['message']}")
        return told["result"]

    def open(self, path: Path) -> None:
        """Show a file, and wait until it is there."""
        self.ask("Page.navigate", url=path.resolve().as_uri())
        while (told := self._message()).get("method") != "Page.loadEventFired":
            assert told is not None

    def run(self, script: str) -> Any:
        """What an expression of JavaScript comes to."""
        told = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"].get("description", "?"))
        return told["result"].get("value")

    def look(self, *, dark: bool = False, width: int = 1000, height: int = 900) -> None:
        """How the window is."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def point(self, x: float, y: float) -> None:
        """Move the mouse there."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
