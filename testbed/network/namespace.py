"""One network namespace, held by a descriptor: it ends with the process that made it."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from testbed.network import ethtool, isolation

IP, NFT = "/usr/sbin/ip", "/usr/sbin/nft"


class Broken(Exception):
    """A tool refused to make a part of the network; the text has what it said."""


class Namespace:
    """Where a host, a router or a box lives. Not to be used by several threads at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        isolation.unshare(isolation.CLONE_NEWNET)
        try:
            self.descriptor = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            isolation.setns(self._home)
        self.ip(["link set lo up"])

    @property
    def path(self) -> str:
        """For tools that take a file for a namespace."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        isolation.setns(self.descriptor)
        try:
            yield
        finally:
            isolation.setns(self._home)

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_DGRAM) -> socket.socket:
        """A socket stays in the namespace where it was made, whoever uses it."""
        with self.inside():
            return socket.socket(family, kind)

    def start(self, command: Sequence[object], **options: Any) -> "subprocess.Popen[bytes]":
        """Runs a program here that does not outlive this process."""
        parent, descriptor = os.getpid(), self.descriptor

        def prepare() -> None:
            isolation.setns(descriptor)
            isolation.die_with_parent(parent)
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([str(part) for part in command],  # noqa: PLW1509
                                preexec_fn=prepare, start_new_session=True, **options)

    def run(self, command: Sequence[object], text: str = "") -> str:
        with self.inside():
            done = subprocess.run([str(part) for part in command], input=text.encode(),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        said = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            raise Broken(f"{' '.join(map(str, command))} in {self.name}: {said.strip()}\n{text}")
        return said

    def ip(self, lines: Sequence[str]) -> None:
        """One `ip` command a line, all by one process."""
        self.run([IP, "-batch", "-"], "\n".join(lines) + "\n")

    def nft(self, rules: str) -> None:
        self.run([NFT, "-f", "-"], rules)

    def sysctl(self, **values: int) -> None:
        """Under net, with `__` for the slash: ipv4__ip_forward=1."""
        with self.inside():
            for name, value in values.items():
                path = "/proc/sys/net/" + name.replace("__", "/")
                with open(path, "w", encoding="ascii") as file:
                    file.write(str(value))

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self._home)


def hardware_address(number: int) -> str:
    """Of a device, by a number that is its own within one network: boxes need not ask for it."""
    return "02:00:" + ":".join(f"{octet:02x}" for octet in number.to_bytes(4, "big"))


def join(first: Namespace, first_device: str, first_hardware: str,
         second: Namespace, second_device: str, second_hardware: str,
         offloads: bool = False) -> None:
    """A cable between two namespaces. What goes over it is whole: no offload is left to a card,
    unless the cable is to be as quick as the kernel can make it.
    """
    first.ip([f"link add name {first_device} address {first_hardware} type veth peer name "
              f"{second_device} address {second_hardware} netns {second.path}",
              f"link set dev {first_device} up"])
    second.ip([f"link set dev {second_device} up"])
    if offloads:
        return
    for namespace, device in ((first, first_device), (second, second_device)):
        with namespace.inside():
            ethtool.switch_offloads_off(device)
