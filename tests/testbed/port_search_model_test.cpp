// What searching for the ports of an endpoint-dependent NAT can gain, and what it costs: two NAT
// engines, many seeds. One side opens sockets towards the other's one known endpoint, the other
// probes ports of the first one's address. Nothing is lost and nothing takes time here.
#include <array>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ice/port_plan.hpp"
#include "nat_config.hpp"
#include "nat_engine.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::testbed {
namespace {

using namespace std::chrono_literals;

constexpr Endpoint server{0xc000020a, 3478}, other_server{0xc000020b, 3478};
constexpr std::uint32_t hard_inside = 0x0a000002, hard_outside = 0xc6336410;
constexpr std::uint32_t easy_inside = 0x0a000102, easy_outside = 0xc6336420;
constexpr int seeds = 200;

struct Plan {
  int sockets = 256;
  int probes = 1000;
};

struct ModelCase {
  std::string name;
  Dependence mapping;
  Ports ports;
  Dependence easy_filtering;
  int others = 0;              // mappings that other hosts make between two of ours
  int least_of_a_hundred = 0;  // successes
  int most_probes = 0;         // on average, of the successful ones
};

class World {
 public:
  World(const ModelCase& model, std::uint64_t seed)
      : others_(model.others),
        hard_(nat(model.mapping, Dependence::AddressAndPort, model.ports, hard_outside), seed),
        easy_(nat(Dependence::Independent, model.easy_filtering, Ports::Preserved, easy_outside),
              seed + 1000),
        rng_(seed) {}

  // The number of probes until one comes through and is answered.
  std::optional<int> search(const Plan& plan) {
    std::vector<ice::SeenPort> seen;
    for (std::uint16_t scout = 40000; scout < 40003; ++scout) {
      seen.push_back({scout, hard_sends(scout, server).port});
    }
    const Endpoint easy = easy_sends(50000, server);
    EXPECT_EQ(easy_sends(50000, other_server), easy);
    std::vector<std::uint16_t> sockets;
    for (int i = 0; i < plan.sockets; ++i) {
      sockets.push_back(static_cast<std::uint16_t>(41000 + i));
    }
    ice::PortPlan ports(ice::likely_ports(seen, sockets), rng_);
    for (const std::uint16_t socket : sockets) static_cast<void>(hard_sends(socket, easy));
    for (int probe = 1; probe <= plan.probes; ++probe) {
      const Endpoint target{hard_outside, ports.next().value()};
      EXPECT_EQ(easy_sends(50000, target), easy);
      const auto arrived = hard_.inbound(Protocol::Udp, {easy, target}, 0s);
      if (!arrived) continue;
      // The answer leaves from the port that the probe came to, and is let in.
      const auto answer = hard_.outbound(Protocol::Udp, {arrived->destination, easy}, 0s);
      EXPECT_TRUE(answer && answer->flow.source == target);
      // A NAT remembers so many destinations of one mapping and no more: this one 1024.
      EXPECT_TRUE(easy_.inbound(Protocol::Udp, {target, easy}, 0s)) << probe;
      return probe;
    }
    return std::nullopt;
  }

 private:
  Endpoint hard_sends(std::uint16_t port, const Endpoint& to) {
    for (int i = 0; i < others_; ++i) {
      const Endpoint neighbour{hard_inside + 1, static_cast<std::uint16_t>(20000 + neighbours_++)};
      static_cast<void>(hard_.outbound(Protocol::Udp, {neighbour, other_server}, 0s));
    }
    return hard_.outbound(Protocol::Udp, {{hard_inside, port}, to}, 0s)->flow.source;
  }
  Endpoint easy_sends(std::uint16_t port, const Endpoint& to) {
    return easy_.outbound(Protocol::Udp, {{easy_inside, port}, to}, 0s)->flow.source;
  }

  int others_;
  int neighbours_ = 0;
  NatEngine hard_;
  NatEngine easy_;
  testing::SeededRng rng_;
};

class PortSearchModel : public ::testing::TestWithParam<ModelCase> {};

struct Gain {
  int found = 0;
  double probes = 0;  // on average
};

Gain measure(const ModelCase& model, const Plan& plan) {
  Gain gain;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto probes = World(model, static_cast<std::uint64_t>(seed)).search(plan);
    if (!probes) continue;
    ++gain.found;
    gain.probes += *probes;
  }
  if (gain.found > 0) gain.probes /= gain.found;
  return gain;
}

TEST_P(PortSearchModel, GainsWhatIsWrittenDown) {
  const Gain gain = measure(GetParam(), {});
  std::cout << GetParam().name << ": " << 100.0 * gain.found / seeds << " %, " << gain.probes
            << " probes\n";
  EXPECT_GE(gain.found * 100, GetParam().least_of_a_hundred * seeds);
  EXPECT_LE(gain.probes, GetParam().most_probes);
}

constexpr auto ADM = Dependence::Address, APDM = Dependence::AddressAndPort,
               ADF = Dependence::Address, APDF = Dependence::AddressAndPort;

INSTANTIATE_TEST_SUITE_P(
    All, PortSearchModel,
    ::testing::Values(ModelCase{"apdm_preserved_apdf", APDM, Ports::Preserved, APDF, 0, 100, 2},
                      ModelCase{"adm_preserved_apdf", ADM, Ports::Preserved, APDF, 0, 100, 2},
                      ModelCase{"apdm_sequential_apdf", APDM, Ports::Sequential, APDF, 0, 100, 2},
                      ModelCase{"adm_sequential_apdf", ADM, Ports::Sequential, APDF, 0, 100, 2},
                      ModelCase{"apdm_sequential_busy_apdf", APDM, Ports::Sequential, APDF, 3, 100,
                                10},
                      ModelCase{"apdm_random_apdf", APDM, Ports::Random, APDF, 0, 95, 300},
                      ModelCase{"adm_random_apdf", ADM, Ports::Random, APDF, 0, 95, 300},
                      ModelCase{"apdm_random_adf", APDM, Ports::Random, ADF, 0, 95, 300}),
    [](const auto& given) { return given.param.name; });

TEST(PortSearchCost, OfFewerSocketsOrProbesIsALowerRate) {
  const ModelCase random{"", APDM, Ports::Random, APDF, 0, 0, 0};
  struct Row {
    Plan plan;
    int least, most;  // of a hundred: 1 - (1 - sockets/64512)^probes, and room for chance
  };
  for (const Row& row : {Row{{64, 1000}, 54, 74}, Row{{128, 1000}, 78, 94}, Row{{256, 512}, 78, 94},
                         Row{{256, 1000}, 95, 100}, Row{{512, 1000}, 99, 100}}) {
    const Gain gain = measure(random, row.plan);
    std::cout << row.plan.sockets << " sockets, " << row.plan.probes
              << " probes: " << 100.0 * gain.found / seeds << " %, " << gain.probes
              << " probes on average\n";
    EXPECT_GE(gain.found * 100, row.least * seeds);
    EXPECT_LE(gain.found * 100, row.most * seeds);
  }
}

}  // namespace
}  // namespace peersock::testbed
