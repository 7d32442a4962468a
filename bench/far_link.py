"""Carries frames between two interfaces, each after a fixed delay: a long link without netem.

    python3 -m bench.far_link INTERFACE INTERFACE DELAY_MS        prints a line when it carries
"""

import collections
import select
import socket
import sys
import time

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
FRAME = 65536


def packet_socket(interface):
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    packets.bind((interface, 0))
    packets.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    packets.setblocking(False)
    return packets


def carry(first, second, delay):
    other = {first: second, second: first}
    waiting = collections.deque()  # (due, socket, frame), in order: the delay is the same for all
    while True:
        left = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        readable, _, _ = select.select([first, second], [], [], left)
        for source in readable:
            waiting.append((time.monotonic() + delay, other[source], source.recv(FRAME)))
        while waiting and waiting[0][0] <= time.monotonic():
            _, target, frame = waiting.popleft()
            try:
                target.send(frame)
            except OSError:
                pass  # a full or closed interface loses frames


def main():
    first, second = (packet_socket(name) for name in sys.argv[1:3])
    print("carrying", flush=True)
    carry(first, second, float(sys.argv[3]) / 1000)


if __name__ == "__main__":
    main()
