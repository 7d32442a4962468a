"""Debian's Chromium without a window, told what to do over a pipe (the DevTools protocol)."""

import base64
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time

LIMIT = 60.0  # seconds for one answer


class Browser:
    """One page of a given size. `complaints` has what its scripts threw, and what they logged."""

    def __init__(self, folder: pathlib.Path, width: int, height: int, phone: bool) -> None:
        self.complaints: list[str] = []
        self._number, self._rest, self._session = 0, b"", None
        self._scheme = ""
        self._size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1,
                      "mobile": phone}
        program = shutil.which("chromium")
        assert program, "chromium is not installed (scripts/setup)"
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()

        def prepare() -> None:
            os.dup2(theirs_in, 3)  # where --remote-debugging-pipe reads and writes
            os.dup2(theirs_out, 4)

        home = folder / "home"
        home.mkdir()
        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", f"--user-data-dir={home / 'data'}", "--remote-debugging-pipe"],
            env={**os.environ, "HOME": str(home)}, preexec_fn=prepare, close_fds=False,
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(folder / "chromium.log").open("wb"))
        os.close(theirs_in)
        os.close(theirs_out)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def _receive(self) -> dict:
        last = time.monotonic() + LIMIT
        while b"\0" not in self._rest:
            ready = select.select([self._in], [], [], max(0.0, last - time.monotonic()))[0]
            octets = os.read(self._in, 1 << 20) if ready else b""
            if not octets:
                raise AssertionError("chromium does not answer; see chromium.log beside the test")
            self._rest += octets
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _call(self, method: str, **parameters: object) -> dict:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            self._note(answer)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _note(self, message: dict) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(parameters["exceptionDetails"]["text"])
        if message.get("method") == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        if message.get("method") == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if not url.startswith(("file:", "data:")):
                self.complaints.append(f"asks for {url}")

    def prefer(self, scheme: str) -> None:
        """`light` or `dark`, for what is opened from now on."""
        self._scheme = scheme

    def open(self, page: pathlib.Path) -> None:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target,
                                   flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{part}.enable")
        self._call("Emulation.setDeviceMetricsOverride", **self._size)
        self._call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": self._scheme}])
        self._call("Page.navigate", url=page.as_uri())
        last = time.monotonic() + LIMIT
        while self.evaluate("document.readyState + document.URL") != "complete" + page.as_uri():
            assert time.monotonic() < last, "the page does not load"
            time.sleep(0.05)

    def evaluate(self, expression: str):
        result = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def beyond_the_window(self, slack: int = 0) -> list[str]:
        """The elements that reach past a side of the window, by more than `slack` pixels; the page
        itself may not at all."""
        width = self.evaluate("window.innerWidth")
        if (whole := self.evaluate("document.documentElement.scrollWidth")) > width:
            return [f"the page is {whole} pixels wide and the window {width}"]
        return self.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => {"
            "const r = e.getBoundingClientRect();"
            f"return r.right > {width} + {slack} || r.left < -{slack}}})"
            ".map(e => e.outerHTML.slice(0, 99))")

    def picture(self, file: pathlib.Path) -> None:
        shot = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))
