"""The page of simulations in a browser: all of it is there, it says what the results say, and it fits."""

import json
import statistics

import pytest

import simulated
from browser import Browser
from testbed.network import DEPENDENCIES
from testbed.simulation import figures, main, page, report
from testbed.simulation.sites import LABELS, label

SIZES = {"phone": (390, 844, True), "desktop": (1280, 900, False)}
LOSSES = (0, 0.5, 1, 2, 4)
BAD = "<b>an octet was lost & nobody cared</b> " + "x" * 300


def pairs_of_nats():
    nats = [{"mapping": mapping, "filtering": filtering}
            for mapping in DEPENDENCIES for filtering in DEPENDENCIES]
    for a in nats:
        for b in nats:
            where = simulated.network(simulated.site(a), simulated.site(b))
            for seed in range(1, 5):
                chance = simulated.chance(a, b, seed)
                outcome = "direct" if a["mapping"] == DEPENDENCIES[0] or chance < 0.5 else "no_path"
                name = f"nat/{label(where['listener'])}/{label(where['connector'])}"
                yield simulated.result(name, seed, outcome, 0.2 + chance if outcome == "direct" else None,
                                       where=where)


def chaos():
    sites = [simulated.site(), simulated.site({"udp": False}), simulated.site({}, {}),
             simulated.site({"mapping": DEPENDENCIES[2]})]
    for seed in range(1, 65):
        where = simulated.network(sites[seed % 4], sites[seed // 4 % 4])
        outcome = ("direct", "relayed", "no_path", "lost")[int(simulated.chance(seed) * 4)]
        connect = None if outcome == "no_path" else 10 ** (2.2 * simulated.chance("t", seed) - 0.7)
        bad = seed == 7
        yield simulated.result("chaos", seed, "broken" if bad else outcome, connect, where=where,
                               passed=not bad, violations=[BAD] if bad else [])


def losses():
    for engine, suffix, best in (("openssl", "-openssl", 4e6), ("ngtcp2", "", 4.5e6)):
        for name, octets, line in (("throughput/loss", 1 << 21, {"rate_kbit": 40000}),
                                   ("loss", 1 << 16, {})):
            for loss in LOSSES:
                where = simulated.network(*[simulated.site({}, loss=loss, **line) for _ in range(2)],
                                          engine=engine, octets=octets)
                for seed in range(1, 4):
                    rate = best / (1 + loss * (40 if engine == "openssl" else 0.3)) * (
                        0.8 + 0.4 * simulated.chance(engine, loss, seed))
                    yield simulated.result(f"{name}-{loss}{suffix}", seed, rate=rate, where=where)


def made_up():
    plain = [simulated.result(f"place-{n}", seed) for n in range(12) for seed in (1, 2)]
    crashed = {**simulated.result("place-0", 3, "crashed", None, passed=False), "network": None,
               "violations": ["status -11: "]}
    return report.document([*pairs_of_nats(), *chaos(), *losses(), *plain, crashed], 12.5, 2)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Where the page is, as the command makes it of a file, and the results in it."""
    folder = tmp_path_factory.mktemp("simulation")
    made = made_up()
    (folder / "result.json").write_text(json.dumps(made))
    assert main.main(["--render", str(folder / "result.json"), "--html",
                      str(folder / "page.html")]) == 0
    return folder / "page.html", made["results"]


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")],
                ids=lambda param: "-".join(param))
def browser(request, written, tmp_path):
    size, scheme = request.param
    with Browser(tmp_path, *SIZES[size]) as made:
        made.prefer(scheme)
        made.open(written[0])
        made.picture(tmp_path / f"{size}-{scheme}.png")
        yield made


def test_the_page_is_whole_and_fits(browser, written):
    results = written[1]
    assert browser.beyond_the_window(slack=1) == []
    # A word that leaves its drawing would be cut off.
    cut = ("[...document.querySelectorAll('svg text')].filter(e => {"
           "const r = e.getBoundingClientRect(), s = e.ownerSVGElement.getBoundingClientRect();"
           "return r.right > s.right + 1 || r.left < s.left - 1 || r.top < s.top - 1 ||"
           "r.bottom > s.bottom + 1}).map(e => e.textContent)")
    assert browser.evaluate(cut) == []
    headings = browser.evaluate("[...document.querySelectorAll('h2')].map(e => e.textContent)")
    assert headings == ["Pairs of NATs without a relay", "Chaos: everything at once, by the seed",
                        "Throughput against loss", "Other scenarios", "Not as expected"]
    shown = browser.evaluate("[...document.querySelectorAll('.scenarios b')].map(e => e.textContent)")
    assert shown == list(figures.others(results))
    assert BAD[:60] in browser.evaluate("document.querySelector('.failures').textContent")
    assert browser.complaints == []


def test_text_is_large_enough_and_can_be_read(browser):
    smallest = ("Math.min(...[...document.querySelectorAll('svg text')].map(e => "
                "parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a || 99))")
    assert browser.evaluate(smallest) >= 8.5
    dark = browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    ink = browser.evaluate("getComputedStyle(document.querySelector('.times text')).fill")
    red = int(ink.partition("(")[2].partition(",")[0])
    assert red > 200 if dark else red < 60
    on_colour = browser.evaluate("getComputedStyle(document.querySelector('.outcomes g text')).fill")
    assert on_colour == "rgb(255, 255, 255)"


def test_the_maps_say_what_the_results_say(browser, written):
    results = [r for r in written[1] if r["scenario"].startswith("nat/")]
    figure = "[...document.querySelectorAll('#nat .{} g text')].map(e => e.textContent)"
    success, times = (browser.evaluate(figure.format(name)) for name in ("outcomes", "times"))
    wanted, medians = [], []
    for row in LABELS:
        for column in LABELS:
            runs = [r for r in results if r["scenario"] == f"nat/{row}/{column}"]
            if runs:
                arrived = [r["connect_seconds"] for r in runs if r["outcome"] == "direct"]
                wanted.append(f"{100 * len(arrived) / len(runs):.0f}")
                medians += [f"{statistics.median(arrived) * 1000:.0f}"] if arrived else []
    assert (success, times) == (wanted, medians)


def test_each_amount_and_line_has_a_figure_with_a_curve_for_each_engine(browser):
    titles = browser.evaluate("[...document.querySelectorAll('#throughput figcaption b')].map("
                              "e => e.textContent)")
    assert titles == ["64 KiB each way, 40 ms round trip",
                      "2 MiB each way, 40 ms round trip, 40 Mbit/s"]
    assert browser.evaluate("[...document.querySelectorAll('#throughput figure')].map("
                            "e => [...e.querySelectorAll('.curve')].map(c => c.classList[1]).join())"
                            ) == ["a,b", "a,b"]
    key = browser.evaluate("[...document.querySelectorAll('#throughput .key span')].map("
                           "e => [e.className, e.textContent])")
    assert key == [["a", "ngtcp2"], ["b", "OpenSSL"]]


def test_the_curve_goes_through_the_medians(browser, written):
    """Where its points are is read back through the axis' own marks."""
    rates = sorted(r["octets_per_second"] for r in written[1]
                   if r["scenario"] == "throughput/loss-0-openssl")
    found = browser.evaluate("""(() => {
      // Of the second figure, and of OpenSSL.
      const svg = document.querySelectorAll('#throughput svg')[1];
      const ticks = [...svg.querySelectorAll('text[text-anchor=end]')].filter(
        e => e.getAttribute('x') === '36.0').map(e => [+e.textContent, e.getAttribute('y') - 3]);
      const y = +svg.querySelectorAll('circle.b')[0].getAttribute('cy');
      const [low, high] = [ticks[0], ticks[ticks.length - 1]];
      const share = (low[1] - y) / (low[1] - high[1]);
      return low[0] * (high[0] / low[0]) ** share;
    })()""")
    assert found == pytest.approx(rates[1] / 2**20, rel=0.02)


def test_what_is_touched_is_told(browser, written):
    browser.evaluate("document.querySelectorAll('#chaos .outcomes [data-about]')[0]"
                     ".dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    said = browser.evaluate("document.getElementById('about').textContent")
    assert said.startswith("public listens, public connects: 4 runs, ")
    marked = browser.evaluate("[...document.querySelectorAll('#chaos .marked')].map("
                              "e => e.closest('[data-about]').dataset.about)")
    assert len(marked) == 1 and BAD in marked[0]
    box = browser.evaluate("JSON.stringify(document.getElementById('about').getBoundingClientRect())")
    assert json.loads(box)["height"] > 20
    assert browser.complaints == []


@pytest.mark.parametrize("text", ["{}", "[]", "{\"results\": []}", "nothing"])
def test_a_file_without_results_is_refused(tmp_path, capsys, text):
    (tmp_path / "result.json").write_text(text)
    assert main.main(["--render", str(tmp_path / "result.json"), "--html",
                      str(tmp_path / "page.html")]) == 2
    assert capsys.readouterr().err.startswith("simulate: ")
    assert not (tmp_path / "page.html").exists()


def test_a_distribution_has_the_colour_of_the_runs_that_it_is_of(tmp_path):
    """Most runs of this pair have found no path, and no time is theirs."""
    hard = simulated.site({"mapping": DEPENDENCIES[2]})
    runs = [simulated.result("chaos", seed, *(("relayed", 1.5) if seed == 1 else ("no_path", None)),
                             where=simulated.network(hard, hard)) for seed in (1, 2, 3)]
    runs += [simulated.result("chaos", 4 + n, where=simulated.network(simulated.site(*a),
                                                                      simulated.site(*b)))
             for n, (a, b) in enumerate((((), ()), (({},), ()), ((), ({},))))]
    text = page.render(report.document(runs, 1.0, 1))
    row = text[text.index(">apdm-apdf – apdm-apdf<"):]
    assert row[:row.index("</g>")].count('class="relayed"') == 2


def test_results_without_families_or_loss_make_a_page(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(
        report.document([simulated.result("plain"), simulated.result("other", connect=None,
                                                                     outcome="no_path")], 1.0, 1)))
    main.main(["--render", str(tmp_path / "result.json"), "--html", str(tmp_path / "page.html")])
    text = (tmp_path / "page.html").read_text()
    assert "<h2>Scenarios</h2>" in text and "Not as expected" not in text and "<svg" not in text
    assert "RFC 4787" not in text and "2 are as expected, none is not." in text


def test_names_are_in_the_order_of_their_numbers(tmp_path):
    results = [simulated.result(name) for name in ("loss-10", "loss-2-openssl", "loss-2", "delay-500")]
    assert list(figures.others(results)) == ["delay-500", "loss-2", "loss-2-openssl", "loss-10"]
