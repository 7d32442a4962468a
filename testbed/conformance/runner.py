"""Runs cases, several at once, each in a place of its own."""

import concurrent.futures
import time
import traceback

from testbed.conformance import websocket as ws
from testbed.conformance.client import Failure, OtherWords, Place
from testbed.conformance.verdict import Result, Verdict, judge, missing_fact


class Target:
    """The server: where it is, what it is, and what is known of how it was started."""

    def __init__(self, url, limit, tls=None):
        self.url = url
        self.limit = limit
        self.tls = tls
        self.facts = {}
        self.profile = None
        self.header = None

    def place(self):
        return Place(self.url, self.limit, self.tls, self.facts)

    def probe(self):
        """Learns what can be seen from outside. Raises ws.Unreachable when there is no rendezvous
        server at all."""
        socket = ws.WebSocket(self.url, self.limit, self.tls)
        self.header = socket.response.headers.get("server")
        socket.stream.close()
        place = self.place()
        try:
            client = place.join("a")
            nameplate = client.allocate()
            self.facts["listing"] = "on" if client.list() else "off"
            client.release(nameplate)
        except Failure as failure:
            raise ws.Unreachable(
                f"{self.url}: a WebSocket, but no rendezvous server that works: {failure}") from None
        finally:
            place.leave()


def run_case(case, target, profiles):
    reason = missing_fact(case, target.facts)
    if reason is not None:
        return Result(case, Verdict.NOT_CHECKED, reason)
    began = time.monotonic()
    failure, only_words = attempt(case, target)
    verdict, detail, why = judge(case, failure, only_words, target.profile, profiles)
    return Result(case, verdict, detail, why, time.monotonic() - began)


def attempt(case, target):
    """(what the server did wrong or None, whether that was only its choice of words)."""
    place = target.place()
    try:
        case.steps(place)
    except OtherWords as failure:
        return str(failure), True
    except Failure as failure:
        return str(failure), False
    except (ws.Ended, ws.Silent, ws.Violation) as failure:
        return str(failure), False
    except Exception:  # whatever a server sends, the other cases go on
        return "the case could not make sense of it: " + traceback.format_exc(limit=-2), False
    finally:
        place.leave()
    return None, False


def run_all(cases, target, profiles, jobs, progress):
    """The results in the order of the cases. `progress(done, result)` is called as they come."""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(run_case, case, target, profiles): case for case in cases}
        try:
            for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
                result = future.result()
                results[result.case.id] = result
                progress(done, result)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[case.id] for case in cases]
