"""The conformance suite for rendezvous servers; docs/conformance.md says how to use it."""
