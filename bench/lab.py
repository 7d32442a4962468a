"""Where the benchmark runs: hosts A, B and one for servers, joined as a network says (testbed/network).

Everything lives in namespaces of one process tree: no name is left on the machine, and when the
first process of the tree dies, for whatever reason, the kernel ends the rest and takes it all away.
A process namespace is part of that, because sshd and socat leave their children to themselves.
"""

import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys

from testbed.network import Host, Internet
from testbed.network.internet import ROUTER4
from testbed.network.internet import Network as Cables

ROOT = pathlib.Path(__file__).resolve().parents[1]
A, B, SERVER = "10.77.0.1", "10.77.0.2", "10.77.0.3"
# TCP as most systems have it. A route may name any control; what a namespace may have as its default
# is the machine's choice.
CUBIC = "congctl cubic"

PR_SET_PDEATHSIG = 1


def missing_tools():
    return [tool for tool in ("ip", "unshare", "mount") if shutil.which(tool) is None]


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


class Lab:
    """The hosts of one network: `a` offers, `b` asks, `server` is known to both."""

    def __init__(self, stack, network):
        (self._star if network.star else self._line)(stack, network)
        for host in {self.a, self.b, self.server}:
            # One address family: what is compared takes the same way.
            host.namespace.sysctl(ipv6__conf__all__disable_ipv6=1)
            if network.window:
                _tcp_buffers(host.namespace, network.window)
            wait_until_up(host.namespace)

    def _line(self, stack, network):
        cables = stack.enter_context(Cables())
        a, b = cables.namespace("a"), cables.namespace("b")
        cables.cable(a, "eth0", b, "eth0", network.link, offloads=True)
        for namespace, address in ((a, A), (b, B)):
            namespace.ip([f"address add {address}/24 dev eth0 noprefixroute",
                          f"route add 10.77.0.0/24 dev eth0 src {address} {CUBIC}"])
        self.a, self.b = Host(a, [A]), Host(b, [B])
        self.server = self.a

    def _star(self, stack, network):
        internet = stack.enter_context(Internet())
        self.a, self.b, self.server = (
            internet.host(name, [address], network.link)
            for name, address in (("a", A), ("b", B), ("server", SERVER)))
        for host in (self.a, self.b, self.server):
            host.namespace.ip([f"route change default via {ROUTER4} dev eth0 onlink {CUBIC}"])


def _tcp_buffers(namespace, octets):
    for name in ("rmem", "wmem"):
        with namespace.inside():
            pathlib.Path(f"/proc/sys/net/ipv4/tcp_{name}").write_text(f"4096 131072 {octets}")


def wait_until_up(namespace):
    """The kernel tells programs up to a second late that a link runs."""
    for _ in range(500):
        if "state UP" in namespace.run(["ip", "-o", "link", "show", "dev", "eth0"]):
            return
        select.select([], [], [], 0.02)
    raise RuntimeError(f"the link of {namespace.name} does not come up")
