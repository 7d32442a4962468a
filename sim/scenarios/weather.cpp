#include <fmt/format.h>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kOctets = std::uint64_t{64} * 1024;

struct Burst {
  const char* name;
  testbed::Bursts loss;
  std::vector<Outcome> expected;
  /// OpenSSL's QUIC sometimes ends a connection in them by itself (docs/simulation.md).
  bool openssl_gives_up = false;
};

// A STUN server is asked a few times and no more. Where nothing else is sent, all of that may fall
// into long bursts, and there is no public address then.
const Burst kBursts[] = {
    {.name = "short", .loss = {.begin = 0.5, .end = 50}, .expected = {Outcome::kDirect}},
    {.name = "long",
     .loss = {.begin = 0.3, .end = 33},
     .expected = {Outcome::kDirect, Outcome::kNoPath}},
    {.name = "thin",
     .loss = {.begin = 2, .end = 8, .loss = 40},
     .expected = {Outcome::kDirect, Outcome::kNoPath},
     .openssl_gives_up = true},
};

/// The same on all four lines.
Scenario with_lines(std::string name, const testbed::LineConfig& line, Nanos bound) {
  const SiteSpec site{.nats = {{}}, .up = line, .down = line};
  return {.name = std::move(name),
          .listener = site,
          .connector = site,
          .octets = kOctets,
          .bound = bound};
}

/// Percent of each line. On two lines, there and back, half of all checks are without an answer,
/// and a few of a hundred sessions do not come about in time; with OpenSSL's engine every fifth.
constexpr int kHeavyLoss = 15;

}  // namespace

std::vector<Scenario> weather_scenarios() {
  std::vector<Scenario> all;
  for (const auto& [engine, suffix] : kBothEngines) {
    const std::size_t first = all.size();
    // Of each line; a datagram crosses two of them.
    for (const int loss : {0, 1, 2, 5, 10, 15, 20}) {
      all.push_back(with_lines(fmt::format("loss-{}{}", loss, suffix),
                               {.delay = milliseconds(10), .loss = static_cast<double>(loss)},
                               seconds(180)));
      const bool openssl = engine == adapters::QuicEngine::kOpenSsl;
      if (loss >= kHeavyLoss) {
        all.back().expected = {Outcome::kDirect, Outcome::kNoPath, Outcome::kLost};
        all.back().bound = seconds(600);
      } else if (loss == 10 && openssl) {
        all.back().expected.push_back(Outcome::kLost);
      }
    }
    for (const int delay : {50, 100, 250, 500}) {
      all.push_back(with_lines(fmt::format("delay-{}{}", delay, suffix),
                               {.delay = milliseconds(delay)}, seconds(180)));
    }
    for (const int reorder : {1, 10, 30}) {
      all.push_back(with_lines(fmt::format("reorder-{}{}", reorder, suffix),
                               {.delay = milliseconds(20),
                                .jitter = milliseconds(5),
                                .reorder = static_cast<double>(reorder)},
                               seconds(120)));
    }
    for (const Burst& burst : kBursts) {
      all.push_back(with_lines(fmt::format("bursts-{}{}", burst.name, suffix),
                               {.delay = milliseconds(10), .bursts = burst.loss}, seconds(180)));
      all.back().expected = burst.expected;
      if (burst.openssl_gives_up && engine == adapters::QuicEngine::kOpenSsl) {
        all.back().expected.push_back(Outcome::kLost);
      }
    }
    all.push_back(with_lines(fmt::format("duplicate{}", suffix),
                             {.delay = milliseconds(10), .duplicate = 20}, seconds(120)));
    all.push_back(with_lines(fmt::format("narrow{}", suffix),
                             {.delay = milliseconds(30), .rate = 256}, seconds(120)));
    for (std::size_t i = first; i < all.size(); ++i) all[i].engine = engine;
  }
  return all;
}

}  // namespace peersock::sim
