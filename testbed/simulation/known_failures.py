"""Runs that fail and are not mended yet: what was seen, no more. Each is run all the same, and one
that passes is reported, so that its line can go."""

_CLOSING_TIMER = ("some 540 octets are left behind by each run without a path; a part of it is "
                  "libsoup's timer of a WebSocket that is being closed")

KNOWN_FAILURES = {
    **{("chaos", seed): _CLOSING_TIMER for seed in (263, 450, 956, 975)},
    **{(f"step/mailbox-gone/{side}-wormhole-awaitversion", 1):
       "each run leaves 608 octets of memory behind; where is not known"
       for side in ("listener", "connector")},
}


def is_known(result: dict) -> bool:
    return (result["scenario"], result["seed"]) in KNOWN_FAILURES


def remarks(results: list[dict]) -> list[str]:
    """A line for each known failure that was run."""
    lines = []
    for one in sorted(filter(is_known, results), key=lambda one: (one["scenario"], one["seed"])):
        name = f"{one['scenario']} with seed {one['seed']}"
        if one["passed"]:
            lines.append(f"{name} is a known failure but has passed: take it out of the table "
                         "(testbed/simulation/known_failures.py)")
        else:
            lines.append(f"known failure: {name}: {KNOWN_FAILURES[one['scenario'], one['seed']]}")
    return lines
