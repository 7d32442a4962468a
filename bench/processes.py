"""Processes under test: started, followed, counted and ended."""

import contextlib
import json
import os
import pathlib
import select
import subprocess
import threading
import time

LIMIT = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """What was to be measured did not work; the message says what."""


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()


def spawn(stack, host, command, **options):
    process = host.namespace.start(command, **options)
    stack.callback(stop, process)
    return process


class Events:
    """The JSON lines of a peersock process on its stderr, with the time of each."""

    def __init__(self, stack, host, command, **options):
        self.stamped = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = host.namespace.start(command, stderr=subprocess.PIPE, **options)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        stack.callback(self._stop)

    def _stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self._thread.join(timeout=5)
        stop(self.process)

    def _read(self):
        for line in self.process.stderr:
            at = time.perf_counter()
            with contextlib.suppress(ValueError), self._changed:
                self.stamped.append((at, json.loads(line)))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, name):
        """The first event of this name, or a Failure that tells what came instead."""
        with self._changed:
            self._changed.wait_for(lambda: self._find(name) or self._ended, timeout=LIMIT)
            found = self._find(name)
        if not found:
            said = " ".join(str(e.get("message", e["event"])) for _, e in self.stamped[-3:])
            raise Failure(f"peersock gave no event {name!r}; it said: {said}")
        return found

    def _find(self, name):
        return next((e for _, e in self.stamped if e.get("event") == name), None)


def _sockets(pid):
    """The lines of what TCP has where a process is; none when it has just ended."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            lines = pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
            yield from map(str.split, lines)


def wait_for_port(port, process):
    """Until something listens where the process is; socat and ssh do not say when they do."""
    wanted = f":{port:04X}"
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failure(f"{process.args[0]} ended with code {process.returncode}")
        if any(f[1].endswith(wanted) and f[3] == "0A" for f in _sockets(process.pid)):
            return
        select.select([], [], [], 0.02)
    raise Failure(f"nothing listens on port {port}")


def _stat(pid):
    """Parent and the clock ticks used, with those of children that have been waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), sum(map(int, fields[11:15]))


def family(pids):
    """The processes and all their descendants, with the ticks of each."""
    known = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                known[int(entry)] = _stat(int(entry))
    found = set(pids)
    while more := {pid for pid, (parent, _) in known.items() if parent in found} - found:
        found |= more
    return {pid: known[pid][1] for pid in found if pid in known}


def cpu_seconds(pids):
    return sum(family(pids).values()) / TICKS


def memory_kib(pids, field):
    """Sum of VmRSS or VmHWM over a family. Shared pages count in each process."""
    total = 0
    for pid in family(pids):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1])
    return total
