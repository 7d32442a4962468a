"""The cases. A new file has to be named here; docs/conformance.md says how to write one."""

from testbed.conformance.cases import (  # noqa: F401
    transport, frames, envelope, bad_input, bind, allocate, claim, release, mailbox, add, close,
    crowding, exchange, configured)
