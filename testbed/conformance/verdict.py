"""From what a case found to what is said about it."""

import dataclasses
import enum
from typing import Optional

from testbed.conformance.case import Case, Level
from testbed.conformance.profiles import UNKNOWN


class Verdict(enum.Enum):
    PASS = "pass"
    FAIL = "fail"
    DIFFERS = "differs"
    NOT_CHECKED = "not checked"


@dataclasses.dataclass(frozen=True)
class Result:
    case: Case
    verdict: Verdict
    detail: str = ""  # what the server did, or why this was not checked
    why: str = ""  # the explanation of a difference
    seconds: float = 0.0


def missing_fact(case, facts):
    """Why the case does not fit a server of which these facts are known, or None."""
    for name, wanted in case.needs.items():
        if name not in facts:
            return f"it needs --given {name}={wanted or '…'}"
        if wanted is not None and facts[name] != wanted:
            return f"it needs a server with {name}={wanted}; this one has {facts[name]}"
    return None


def judge(case, failure: Optional[str], only_words: bool, profile, profiles):
    """(verdict, detail, why). `failure`: what the server did instead, or None when the case holds;
    `only_words`: it refused, but in other words than the reference server."""
    known = profiles.difference(profile, case.id)
    if failure is None:
        if known is None:
            return Verdict.PASS, "", ""
        return (Verdict.FAIL, f"it holds, though {profile} is known to differ ({known.shows})",
                known.why)
    if known is not None:
        if known.shows in failure:
            return Verdict.DIFFERS, failure, known.why
        return Verdict.FAIL, f"{failure} (known is another difference: {known.shows})", known.why
    if profile != UNKNOWN:
        return Verdict.FAIL, failure, ""
    if only_words:
        return Verdict.DIFFERS, failure, "the protocol does not fix the words of errors"
    if case.level is Level.REQUIRED:
        return Verdict.FAIL, failure, ""
    like = profiles.elsewhere(case.id, failure)
    return Verdict.DIFFERS, failure, f"so does {', '.join(like)}" if like else (
        f"this rule is {case.level.value}, not required")
