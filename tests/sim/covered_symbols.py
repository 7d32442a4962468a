#!/usr/bin/python3
"""What the libraries call of the C library for networks, waiting, clocks and entropy is either
simulated, or named here with the reason why it may stay real. A new one is a failure: it could
make a run depend on the real world, or wait for ever.

    covered_symbols.py PEERSOCK-SIM
"""

import re
import subprocess
import sys

# Whose calls run on a simulated host.
LIBRARIES = re.compile(r"lib(glib|gio|gobject|soup|nice|gnutls|sodium|gcrypt|ssl|crypto|ngtcp2)[-.\d]")

SENSITIVE = re.compile(
    r"^(socket|socketpair|bind|connect|listen|accept\d?|shutdown|close|dup\d?|dup3"
    r"|(read|write|pread|pwrite)v?(64)?"
    r"|(send|recv)(to|from|msg|mmsg|file|file64)?|splice|(get|set)sock(name|opt)|getpeername"
    r"|p?poll|p?select|epoll_\w+|eventfd\w*|timerfd_\w+|signalfd|pipe2?|inotify_\w+|ioctl"
    r"|fcntl(64)?|clock_\w+|gettimeofday|time|timespec_get|nanosleep|u?sleep|ftime"
    r"|getifaddrs|freeifaddrs|if_\w+|getaddrinfo|gethostby\w+|getnameinfo|res_\w+"
    r"|getrandom|getentropy|arc4random\w*|rand|random|[dejlmn]rand48|getauxval"
    r"|pthread_cond_(timed|clock)wait)$")

REAL = {
    "socketpair": "no code on these paths makes one, and it would be a real one",
    "dup2": "only for child processes",
    "dup3": "only for child processes",
    "select": "GLib uses it for child processes, libgcrypt to wait for /dev/random",
    "pselect": "as select",
    "pipe": "a real one, which poll() also serves",
    "pipe2": "a real one, which poll() also serves",
    "nanosleep": "GLib's g_usleep, called by nobody here",
    "usleep": "as nanosleep",
    "sleep": "as nanosleep",
    "splice": "file copies",
    "sendfile": "file copies",
    "sendfile64": "file copies",
    "readv": "nobody reads a socket with it",
    "pread": "files",
    "pread64": "files",
    "pwrite": "files",
    "pwrite64": "files",
    "pwritev": "files",
    "preadv": "files",
    "inotify_init": "file monitors",
    "inotify_init1": "file monitors",
    "inotify_add_watch": "file monitors",
    "inotify_rm_watch": "file monitors",
    "getaddrinfo": "addresses are numeric in simulations, so that it asks nobody",
    "getnameinfo": "as getaddrinfo",
    "gethostbyname": "OpenSSL's BIO_lookup, unused",
    "gethostbyname_r": "as gethostbyname",
    "res_nquery": "service records of names",
    "if_indextoname": "link-local scopes as text",
    "clock_getres": "a constant",
    "getauxval": "a property of the processor",
    "pthread_cond_timedwait": "other threads, which have real time",
    "pthread_cond_clockwait": "other threads, which have real time",
    "rand": "no secrets, and not used on these paths",
    "random": "as rand",
}


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def names(listing: str) -> set[str]:
    return {line.split()[-1].split("@")[0] for line in listing.splitlines() if line.split()}


def main() -> int:
    program = sys.argv[1]
    defined = names(run("nm", "-D", "--defined-only", program))
    called: dict[str, str] = {}
    # Our adapters, and what is linked in: OpenSSL and ngtcp2, where the system has none to share.
    for name in names(run("nm", "-D", "--undefined-only", program)):
        if SENSITIVE.match(name):
            called.setdefault(name, "the program itself")
    for line in run("ldd", program).splitlines():
        fields = line.split()
        if len(fields) < 3 or not LIBRARIES.match(fields[0]):
            continue
        for name in names(run("nm", "-D", "--undefined-only", fields[2])):
            if SENSITIVE.match(name):
                called.setdefault(name, fields[0])
    if len(called) < 30:
        print(f"only {sorted(called)} are called: this cannot be right")
        return 1
    missing = {name for name in called if name not in defined and name not in REAL}
    for name in sorted(missing):
        print(f"{name} (called by {called[name]}) is neither simulated nor known to be harmless: "
              "see sim/libc and tests/sim/covered_symbols.py")
    simulated = sum(name in defined for name in called)
    print(f"{len(called)} functions are called: {simulated} are simulated, "
          f"{len(called) - simulated - len(missing)} may stay real, {len(missing)} are unknown")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
