"""Which pairs of NATs and firewalls peersock gets through, with real programs (docs/nat-traversal.md)."""
