"""The command itself: for whom it works, and that it leaves nothing behind, however it ends."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534
MARK = "NAT_MATRIX_TEST"  # in the environment of everything that a run starts


def binary():
    return pathlib.Path(os.environ.get("PEERSOCK_BINARY", ROOT / "build" / "peersock"))


def boxes():
    return pathlib.Path(os.environ.get("PEERSOCK_TESTBED_BOXES",
                                       ROOT / "build" / "testbed" / "natbox"))


def hear_interrupts():
    """A shell starts what it runs in the background with SIGINT ignored, and children inherit it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Run:
    """scripts/nat-matrix in the middle of its work."""

    def __init__(self, folder, *arguments, tree=ROOT, user=None, **environment):
        self.mark = uuid.uuid4().hex
        self.files = folder / "tmp"
        self.files.mkdir()
        self._before = self._surroundings()
        if user is not None:
            os.chown(self.files, user, user)
        self.process = subprocess.Popen(
            [sys.executable, "-B", tree / "scripts" / "nat-matrix", *arguments], cwd=folder,
            env={**os.environ, "PEERSOCK_BINARY": str(binary()),
                 "PEERSOCK_TESTBED_BOXES": str(boxes()), MARK: self.mark,
                 "TMPDIR": str(self.files), **environment},
            user=user, group=user, extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=hear_interrupts)

    def processes(self):
        """What the run has started and is still there, by name."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                    found.append((entry / "comm").read_text().strip())
            except OSError:
                continue  # it has just ended
        return found

    def wait_until_busy(self):
        last = time.monotonic() + 60
        while not {"natbox", "turnserver", binary().name} <= set(self.processes()):
            if self.process.poll() is not None or time.monotonic() > last:
                self.process.kill()
                pytest.fail(f"it is not at work: {self.finish()[1][-2000:]}")
            time.sleep(0.02)

    def finish(self):
        """Gives the exit code and what was said."""
        said = self.process.communicate(timeout=240)[0].decode()
        return self.process.returncode, said

    @staticmethod
    def _surroundings():
        return (sorted(os.listdir("/sys/class/net")), pathlib.Path("/proc/self/mounts").read_text(),
                sorted(os.listdir("/var/lib/turn")) if os.path.isdir("/var/lib/turn") else [],
                sorted(os.listdir("/mnt")))

    def assert_nothing_is_left(self):
        last = time.monotonic() + 10
        while self.processes() and time.monotonic() < last:
            time.sleep(0.02)
        assert self.processes() == []  # and with them the namespaces, which have no other holder
        assert list(self.files.iterdir()) == []
        assert self._surroundings() == self._before


@pytest.mark.parametrize("number, code", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)])
def test_nothing_is_left_when_it_is_stopped(tmp_path, number, code):
    run = Run(tmp_path, "--profiles", "apdm-apdf,eim-apdf", "--repeat", "20", "--jobs", "3")
    run.wait_until_busy()
    run.process.send_signal(number)
    assert run.finish()[0] == code
    run.assert_nothing_is_left()


def test_ctrl_c_at_a_terminal_reaches_the_whole_group(tmp_path):
    run = Run(tmp_path, "--profiles", "apdm-apdf", "--scenarios", "moves,race", "--repeat", "9")
    run.wait_until_busy()
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.finish()[0] == 130
    run.assert_nothing_is_left()


def test_nothing_is_left_when_cells_fail(tmp_path):
    run = Run(tmp_path, "--profiles", "eim-apdf", "--scenarios", "one-lan",
              PEERSOCK_BINARY="/bin/false")
    code, said = run.finish()
    assert code == 1 and "3 not as expected" in said  # the profile, the cell, the scenario
    run.assert_nothing_is_left()


def test_nothing_is_left_when_all_is_well(tmp_path):
    run = Run(tmp_path, "--profiles", "eim-eif", "--scenarios", "one-lan", "--out", tmp_path / "out")
    assert run.finish()[0] == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["matrix.html", "matrix.json"]
    run.assert_nothing_is_left()


def test_without_udp_a_public_address_is_reached_over_tcp(tmp_path):
    run = Run(tmp_path, "--profiles", "public,udp-blocked", "--out", tmp_path / "out")
    code, said = run.finish()
    assert code == 0, said
    cells = json.loads((tmp_path / "out" / "matrix.json").read_text())["cells"]
    ways = {(c["connecting"], c["listening"]): (c["outcome"], c["transport"]) for c in cells}
    assert ways == {("public", "public"): ("direct", "udp"),
                    ("public", "udp-blocked"): ("direct", "tcp"),
                    ("udp-blocked", "public"): ("direct", "tcp"),
                    ("udp-blocked", "udp-blocked"): ("relayed", "udp")}


@pytest.fixture
def readable_folder():
    """Where an ordinary user can read, unlike pytest's own folders."""
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def may_make_namespaces(user):
    return subprocess.run(["unshare", "-Urnm", "true"], user=user, group=user,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_an_ordinary_user_can_run_it(readable_folder):
    """In user namespaces; where the machine forbids them, a sentence says so."""
    user = NOBODY if os.geteuid() == 0 else None
    tree = readable_folder / "tree"
    (tree / "scripts").mkdir(parents=True)
    shutil.copytree(ROOT / "testbed", tree / "testbed",
                    ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "scripts" / "nat-matrix", tree / "scripts")
    for program in (binary(), boxes() / "natbox", boxes() / "linkbox"):
        shutil.copy(program, readable_folder)
    run = Run(readable_folder, "--profiles", "linux,apdm-apdf,dual-stack", "--scenarios",
              "one-lan,isolated,all-interfaces,line-everything", tree=tree, user=user,
              PEERSOCK_BINARY=str(readable_folder / "peersock"),
              PEERSOCK_TESTBED_BOXES=str(readable_folder), HOME=str(readable_folder))
    code, said = run.finish()
    if may_make_namespaces(user):
        assert code == 0, said
        assert "9 cells and 4 scenarios" in said
    else:
        assert code == 3 and "This machine forbids network namespaces" in said
    run.assert_nothing_is_left()
