"""Switches off what a veth would leave to the other end: checksums and cutting into segments.

A box that reads raw packets needs them as they would be on a wire.
"""

import array
import fcntl
import socket
import struct

_SIOCETHTOOL = 0x8946
# ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO (linux/ethtool.h)
_SWITCHES = (0x17, 0x1F, 0x24, 0x2C)


def switch_offloads_off(device: str) -> None:
    """In the namespace of the caller."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for command in _SWITCHES:
            value = array.array("B", struct.pack("=II", command, 0))
            address, _ = value.buffer_info()
            request = struct.pack("16sP16x", device.encode(), address)
            fcntl.ioctl(handle, _SIOCETHTOOL, request)
