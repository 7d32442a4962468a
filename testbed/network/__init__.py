"""Networks in a box: hosts, NATs, firewalls and links made of network namespaces.

A scenario reads like the drawing of a network:

    with Internet() as internet:
        server = internet.host("server", ["192.0.2.10", "192.0.2.11"])
        home = Site(internet, "home", 1, [Nat(mapping=ENDPOINT_INDEPENDENT)])
        laptop = home.host("laptop")

Nothing has a name outside the process that made it, so everything is gone when it ends.
"""

from testbed.network.behaviour import (  # noqa: F401
    ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, DEPENDENCIES, ENDPOINT_INDEPENDENT, PRESERVED,
    RANDOM, SEQUENTIAL, Firewall, KernelNat, Link, Nat, strictest)
from testbed.network.internet import Host, Internet, Lan, Site  # noqa: F401
from testbed.network.isolation import Forbidden, enter_isolation  # noqa: F401
