"""Runs the reference server with other times than its own, which are no options of it:

    PYTHONPATH=… /usr/bin/python3 reference_main.py EXPIRATION PERIOD [ITS OWN OPTIONS]

EXPIRATION: seconds after which an idle mailbox is old; PERIOD: seconds between two looks.
"""

import runpy
import sys

from wormhole_mailbox_server import server_tap

server_tap.CHANNEL_EXPIRATION_TIME = float(sys.argv[1])
server_tap.EXPIRATION_CHECK_PERIOD = float(sys.argv[2])
sys.argv[1:] = ["--log-format=text", "wormhole-mailbox", *sys.argv[3:]]
runpy.run_module("twisted", run_name="__main__", alter_sys=True)
