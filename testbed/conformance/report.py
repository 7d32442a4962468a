"""Results as a table, as JSON, as JUnit XML."""

import json
import re
import textwrap
import xml.etree.ElementTree as ElementTree

from testbed.conformance.verdict import Verdict

WIDTH = 100
SCHEMA = 1


def counts(results):
    return {verdict.value: sum(r.verdict is verdict for r in results) for verdict in Verdict}


def total(results):
    found = counts(results)
    text = f"{found['pass']} passed, {found['fail']} failed"
    if found["differs"]:
        text += f", {found['differs']} differ"
    if found["not checked"]:
        text += f", {found['not checked']} not checked"
    return text


def heading(target):
    known = f"{target.profile}" if target.profile != "unknown" else "a server of unknown make"
    facts = ", ".join(f"{k}={v}" for k, v in sorted(target.facts.items()))
    return f"{target.url}: {known}" + (f" ({facts})" if facts else "")


def row(result):
    case = result.case
    lines = [f"{result.verdict.value:<11} {case.level.value:<13} {case.id:<28} {case.source}"]
    if result.verdict is Verdict.PASS:
        return lines
    indent = " " * 12
    parts = [case.title]
    if result.detail:
        parts.append(("found: " if result.verdict is not Verdict.NOT_CHECKED else "because ")
                     + printable(result.detail))
    if result.why:
        parts.append(f"why: {result.why}")
    for part in parts:
        lines += textwrap.wrap(part, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
    return lines


def printable(text):
    """What a server sent may not steer the terminal."""
    return re.sub(r"[^\x20-\x7e\u00a0-\U0010ffff]+", " ", text).strip()


def table(target, results):
    lines = [heading(target), ""]
    for result in results:
        lines += row(result)
    return "\n".join([*lines, "", total(results)])


def as_json(target, results):
    return json.dumps({
        "version": SCHEMA,
        "server": {"url": str(target.url), "profile": target.profile, "header": target.header,
                   "facts": target.facts},
        "totals": counts(results),
        "cases": [{
            "id": r.case.id, "title": r.case.title, "level": r.case.level.value,
            "source": {"document": r.case.source.document, "section": r.case.source.section},
            "verdict": r.verdict.value, "detail": r.detail, "why": r.why,
            "seconds": round(r.seconds, 3)} for r in results],
    }, indent=1)


def xml_text(text):
    """XML 1.0 has no way to write most control characters."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def as_junit(target, results):
    found = counts(results)
    suite = ElementTree.Element("testsuite", {
        "name": f"conformance of {target.url}", "tests": str(len(results)),
        "failures": str(found["fail"]), "skipped": str(found["not checked"]),
        "time": f"{sum(r.seconds for r in results):.3f}"})
    for result in results:
        element = ElementTree.SubElement(suite, "testcase", {
            "classname": f"conformance.{target.profile}", "name": result.case.id,
            "time": f"{result.seconds:.3f}"})
        detail = xml_text(f"{result.case.title}; {result.case.source}; {result.detail} {result.why}")
        if result.verdict is Verdict.FAIL:
            ElementTree.SubElement(element, "failure", {"message": xml_text(result.detail)}
                                   ).text = detail
        elif result.verdict is Verdict.NOT_CHECKED:
            ElementTree.SubElement(element, "skipped", {"message": xml_text(result.detail)})
        elif result.verdict is Verdict.DIFFERS:
            ElementTree.SubElement(element, "system-out").text = f"differs: {detail}"
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def case_list(cases):
    """The cases as a Markdown table."""
    lines = ["| case | level | rule | source |", "|---|---|---|---|"]
    for case in cases:
        title = case.title.replace("|", "\\|")
        lines.append(f"| `{case.id}` | {case.level.value} | {title} | {case.source} |")
    return "\n".join(lines)


def difference_list(known):
    """The known differences as a Markdown table."""
    lines = ["| cases | " + " | ".join(known.names) + " | why |",
             "|---" * (len(known.names) + 2) + "|"]
    for entry in known.entries:
        cases = " ".join(f"`{name}`" for name in entry["cases"])
        cells = [entry["servers"].get(name, "as the rule") for name in known.names]
        lines.append(f"| {cases} | " + " | ".join(cells) + f" | {entry['why']} |")
    return "\n".join(lines)
