// What STUN servers show of a NAT's mapping, with one socket that asks all of them and a few that
// ask the first one only. No I/O: the owner sends what is due.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "ice/port_plan.hpp"
#include "wire/port_offer.hpp"
#include "wire/stun.hpp"

namespace peersock::ice {

/// The first socket, and those that only show how the NAT chooses ports.
inline constexpr std::size_t kMainSocket = 0;
inline constexpr std::size_t kScouts = 3;
/// More servers are left out.
inline constexpr std::size_t kMaxObservedServers = 4;
/// A question is sent when the observation begins and again after these times.
inline constexpr std::array<Duration, 2> kObservationRetries = {250ms, 750ms};
inline constexpr Duration kObservationLimit = 1500ms;

class MappingObservation {
 public:
  struct Question {
    std::size_t socket = kMainSocket;
    wire::StunAddress server;
  };

  /// `local_addresses` are this machine's, numeric. IPv4 servers only.
  MappingObservation(std::vector<wire::StunAddress> servers,
                     std::vector<std::string> local_addresses);

  void start(std::vector<std::uint16_t> local_ports, Instant now);
  /// Each once whenever it is to be sent.
  [[nodiscard]] std::vector<Question> take_due(Instant now);
  void answered(std::size_t socket, const wire::StunAddress& from, const wire::StunAddress& mapped,
                const std::optional<wire::StunAddress>& other, Instant now);
  /// All have answered, or there is no more time.
  [[nodiscard]] bool done(Instant now) const;
  [[nodiscard]] std::optional<Instant> deadline() const;

  [[nodiscard]] wire::PortMapping mapping() const;
  /// Of the main socket; nothing when no server answered.
  [[nodiscard]] std::optional<wire::StunAddress> external() const;
  /// The scouts that were answered, in the order in which they asked.
  [[nodiscard]] std::vector<SeenPort> scouts() const;

 private:
  struct Asked {
    Question question;
    std::size_t tries = 0;
    Instant next;
    std::optional<wire::StunAddress> mapped;
  };
  void add(std::size_t socket, const wire::StunAddress& server, Instant now);
  [[nodiscard]] bool complete() const;

  std::vector<wire::StunAddress> servers_;
  std::vector<std::string> local_addresses_;
  std::vector<std::uint16_t> local_ports_;
  std::vector<Asked> asked_;
  Instant ends_;
};

}  // namespace peersock::ice
