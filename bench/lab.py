"""Two network namespaces, A and B, joined by a LAN (veth) or by a far link with a fixed delay.

Everything lives in namespaces of one process tree: no name is left on the machine, and when the
first process of the tree dies, for whatever reason, the kernel ends the rest and takes it all away.
"""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
HOST_A, HOST_B = "10.77.0.1", "10.77.0.2"
FAR_ROUND_TRIP_MS = 50

PR_SET_PDEATHSIG = 1
SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM = 0x17


def missing_tools():
    return [tool for tool in ("ip", "unshare", "nsenter") if shutil.which(tool) is None]


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run_inside(command, environment):
    """Runs a command as the first process of new namespaces; returns its exit code."""
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.geteuid() != 0:
        unshare[1:1] = ["--user", "--map-root-user"]
    process = subprocess.Popen([*unshare, "--", *command], env=environment,
                               preexec_fn=die_with_parent)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal has told the inner process as well; it may say so and go.
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(timeout=5)
        return 130
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def ip(*arguments, namespace=None):
    enter = namespace.enter if namespace else []
    subprocess.run([*enter, "ip", *arguments], check=True)


class Namespace:
    """A further network namespace, kept by a process that waits."""

    def __init__(self, stack):
        keeper = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"],
                                  stdout=subprocess.PIPE)
        stack.callback(stop, keeper)
        keeper.stdout.readline()
        self.pid = keeper.pid
        self.enter = ["nsenter", f"--net=/proc/{keeper.pid}/ns/net"]


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


NO_IPV6 = "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > $f; done"


class Lab:
    """This process is in A. `use` chooses the link; there is one at a time."""

    def __init__(self, stack):
        self.stack = stack
        self.b = Namespace(stack)
        ip("link", "set", "dev", "lo", "up")
        ip("link", "set", "dev", "lo", "up", namespace=self.b)
        # One address family: what is compared takes the same way.
        for enter in ([], self.b.enter):
            subprocess.run([*enter, "sh", "-c", NO_IPV6], check=False)
        ip("link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", str(self.b.pid))
        self._address("lan")
        self._far = False
        self.link = None
        self.use("lan")

    def _address(self, link):
        ip("address", "add", f"{HOST_A}/24", "dev", link)
        ip("address", "add", f"{HOST_B}/24", "dev", link, namespace=self.b)

    def _make_far(self):
        middle = Namespace(self.stack)
        for side, namespace in (("a", None), ("b", self.b)):
            ip("link", "add", "far", "type", "veth", "peer", "name", side, "netns",
               str(middle.pid), namespace=namespace)
            enter = namespace.enter if namespace else []
            subprocess.run([*enter, sys.executable, "-m", "bench.lab", "far"], check=True, cwd=ROOT)
            ip("link", "set", "dev", side, "up", namespace=middle)
        self._address("far")
        relay = subprocess.Popen([*middle.enter, sys.executable, "-m", "bench.far_link", "a", "b",
                                  str(FAR_ROUND_TRIP_MS / 2)], cwd=ROOT, stdout=subprocess.PIPE)
        self.stack.callback(stop, relay)
        relay.stdout.readline()
        self._far = True

    def use(self, link):
        if link == self.link:
            return
        if link == "far" and not self._far:
            self._make_far()
        for namespace in (None, self.b):
            if self.link:
                ip("link", "set", "dev", self.link, "down", namespace=namespace)
        for namespace in (None, self.b):
            ip("link", "set", "dev", link, "up", namespace=namespace)
        for namespace in (None, self.b):
            wait_until_up(link, namespace)
        self.link = link


def wait_until_up(link, namespace):
    """The kernel tells programs up to a second late that a link runs."""
    enter = namespace.enter if namespace else []
    for _ in range(500):
        done = subprocess.run([*enter, "ip", "-o", "link", "show", "dev", link], check=True,
                              capture_output=True, text=True)
        if "state UP" in done.stdout:
            return
        select.select([], [], [], 0.02)
    raise RuntimeError(f"the link {link} does not come up")


def no_checksum_offload(link):
    """What crosses a packet socket must carry real checksums and be no longer than the MTU."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_STXCSUM, 0))
        request = struct.pack("16sP", link.encode(), ctypes.addressof(value))
        fcntl.ioctl(any_socket, SIOCETHTOOL, request + bytes(16))


if __name__ == "__main__":
    no_checksum_offload(sys.argv[1])
