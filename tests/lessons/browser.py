"""A page in a real browser: open it, click, move a slider, read what is seen.

Chromium is driven through its DevTools protocol over a pipe: no port, no driver to install.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def executable() -> str | None:
    """Return where a browser is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab of a browser without a window."""

    def __init__(self, requests: Any, answers: Any):
        self._requests, self._answers, self._count, self._session = requests, answers, 0, ""
        self._read = b""
        self.errors: list[str] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        self._ask(
            "Network.emulateNetworkConditions",
            offline=True, latency=0, downloadThroughput=0, uploadThroughput=0,
        )  # fmt: skip

    def open(self, page: Path, width: int = 1280, height: int = 800) -> None:
        """Load a page from disk, with no network, in a window of this size."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        self.errors.clear()
        self._ask("Page.navigate", url=page.resolve().as_uri())
        while self("document.readyState") != "complete" or self("location.href") == "about:blank":
            time.sleep(0.01)

    def __call__(self, script: str) -> Any:
        """Return the value of a JavaScript expression on the page."""
        told = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, f"{script}\n{told['exceptionDetails']}"
        return told["result"].get("value")

    def click(self, selector: str) -> None:
        """Click into the middle of an element, as a hand does."""
        element = f"document.querySelector({json.dumps(selector)})"
        self(f"{element}.scrollIntoView({{block: 'center'}})")
        box = self(f"(({element}).getBoundingClientRect()).toJSON()")
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def press(self, key: str) -> None:
        """Press a key such as `ArrowRight` on the element that has the focus."""
        for kind in ("keyDown", "keyUp"):
            self._ask("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode={"ArrowLeft": 37, "ArrowRight": 39}[key])  # fmt: skip

    def sees(self, selector: str) -> bool:
        """Return whether an element takes up room on the page."""
        return self(f"document.querySelector({json.dumps(selector)}).checkVisibility()")

    def picture(self, file: Path) -> None:
        """Write what is seen as a PNG."""
        import base64

        shot = self._ask("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._count += 1
        request = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            request["sessionId"] = self._session
        self._requests.write(json.dumps(request).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._count:
                assert "error" not in message, message["error"]
                return message["result"]
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.errors.append(json.dumps(message["params"]))

    def _next(self) -> Any:
        while b"\0" not in self._read:
            more = self._answers.read1()
            assert more, "the browser has ended"
            self._read += more
        message, _, self._read = self._read.partition(b"\0")
        return json.loads(message)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser with a profile of its own, and end it."""
    program = executable()
    assert program, "no browser on the PATH"
    from_us, to_browser = os.pipe()
    from_browser, to_us = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = (
            "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
            f"--remote-debugging-pipe --user-data-dir={profile} about:blank"
        )
        # The protocol's pipe is on the file descriptors 3 and 4 of the browser.
        command = f'exec 3<&{from_us} 4>&{to_us}; exec "{program}" {options}'
        process = subprocess.Popen(
            ["bash", "-c", command],
            pass_fds=(from_us, to_us),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(from_us)
        os.close(to_us)
        with open(to_browser, "wb", buffering=0) as requests, open(from_browser, "rb") as answers:
            try:
                yield Browser(requests, answers)
            finally:
                process.terminate()
                process.wait(timeout=30)
