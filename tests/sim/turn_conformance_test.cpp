// The TURN server of the simulation, and coturn, by the same table.
#include <memory>

#include <gmock/gmock.h>
#include <poll.h>

#include "../integration/turn_server.hpp"
#include "programs/turn_server.hpp"
#include "sim_hosts.hpp"
#include "turn_cases.hpp"

namespace peersock::testing {
namespace {

constexpr std::uint16_t kPort = 3478;

/// Ours: simulated sockets, on four machines.
class SimulatedNetwork final : public TurnNetwork {
 public:
  SimulatedNetwork() {
    server_host_.run([this] {
      server_ = std::make_unique<sim::TurnServer>(server_host_.context(), kServer, kPort, kServer,
                                                  sim::TurnServer::Account{user(), password()});
    });
  }
  ~SimulatedNetwork() override {
    server_host_.run([this] { server_.reset(); });
    pass();
  }
  SimulatedNetwork(const SimulatedNetwork&) = delete;
  SimulatedNetwork& operator=(const SimulatedNetwork&) = delete;
  SimulatedNetwork(SimulatedNetwork&&) = delete;
  SimulatedNetwork& operator=(SimulatedNetwork&&) = delete;

  [[nodiscard]] sim::SocketName server() const override {
    return sim::socket_name(kServer, kPort).value();
  }
  [[nodiscard]] std::string user() const override { return "u"; }
  [[nodiscard]] std::string password() const override { return "p"; }
  UniqueFd open_client(bool tcp) override {
    UniqueFd fd;
    client_host_.run([&] {
      fd = tcp ? connecting_socket(kServer, kPort) : sim::connected_datagrams(kClient, server());
    });
    pass();
    return fd;
  }
  UniqueFd open_peer(int machine) override {
    UniqueFd fd;
    peers_[static_cast<std::size_t>(machine)]->run([&] {
      fd = bound_socket(SOCK_DGRAM, kPeers[static_cast<std::size_t>(machine)], next_port_++);
    });
    return fd;
  }
  void await(const std::vector<int>& /*fds*/) override { pass(); }

 private:
  static constexpr const char* kServer = "198.51.100.1";
  static constexpr const char* kClient = "198.51.100.2";
  static constexpr std::array<const char*, 2> kPeers = {"198.51.100.3", "198.51.100.4"};

  static void pass() { sim::run_until(sim::now() + 200ms); }

  sim::World world_{1};
  sim::Host& server_host_ = world_.add_server("server", {kServer});
  sim::Host& client_host_ = world_.add_server("client", {kClient});
  std::array<sim::Host*, 2> peers_ = {&world_.add_server("first", {kPeers[0]}),
                                      &world_.add_server("second", {kPeers[1]})};
  std::uint16_t next_port_ = 7000;
  std::unique_ptr<sim::TurnServer> server_;
};

/// coturn: outside of simulated machines the C library is the real one.
class RealNetwork final : public TurnNetwork {
 public:
  [[nodiscard]] sim::SocketName server() const override {
    return sim::socket_name("127.0.0.1", coturn_.port()).value();
  }
  [[nodiscard]] std::string user() const override { return "u"; }
  [[nodiscard]] std::string password() const override { return "p"; }
  UniqueFd open_client(bool tcp) override {
    if (!tcp) return sim::connected_datagrams("127.0.0.1", server());
    UniqueFd fd = connecting_socket("127.0.0.1", coturn_.port());
    pollfd waiting{fd.get(), POLLOUT, 0};
    (void)poll(&waiting, 1, kPatience);
    return fd;
  }
  UniqueFd open_peer(int machine) override {
    return bound_socket(SOCK_DGRAM, machine == 0 ? "127.0.0.1" : "127.0.0.2", 0);
  }
  void await(const std::vector<int>& fds) override {
    std::vector<pollfd> waiting;
    waiting.reserve(fds.size());
    for (const int fd : fds) waiting.push_back({fd, POLLIN, 0});
    (void)poll(waiting.data(), waiting.size(), kPatience);
  }

 private:
  static constexpr int kPatience = 1000;
  TurnProcess coturn_;
};

using OneCase = std::tuple<TurnCase, bool>;

class TurnConformance : public ::testing::TestWithParam<OneCase> {
 protected:
  /// `coturn`: what the table says of it counts.
  static void follow(TurnNetwork& network, bool coturn) {
    const auto& [one, tcp] = GetParam();
    TurnTalk talk(network, tcp);
    int number = 0;
    for (const TurnStep& step : one.steps) {
      const std::string& expected = coturn && !step.because.empty() ? step.coturn : step.heard;
      step.act(talk);
      EXPECT_EQ(talk.heard(!expected.empty()), expected) << "step " << number;
      ++number;
    }
  }
};

TEST_P(TurnConformance, OfTheSimulatedServer) {
  SimulatedNetwork network;
  follow(network, false);
}

TEST_P(TurnConformance, OfCoturn) {
  static RealNetwork network;
  follow(network, true);
}

std::vector<OneCase> all_cases() {
  std::vector<OneCase> all;
  for (const TurnCase& one : turn_cases()) {
    if (one.udp) all.emplace_back(one, false);
    if (one.tcp) all.emplace_back(one, true);
  }
  return all;
}

std::string name_of(const ::testing::TestParamInfo<OneCase>& info) {
  std::string name = std::get<0>(info.param).name + (std::get<1>(info.param) ? "_tcp" : "_udp");
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Table, TurnConformance, ::testing::ValuesIn(all_cases()), name_of);

}  // namespace
}  // namespace peersock::testing
