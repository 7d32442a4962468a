#include "ice/mapping_observation.hpp"

#include <algorithm>
#include <utility>

#include "core/machine.hpp"
#include "ice/policy.hpp"

namespace peersock::ice {

MappingObservation::MappingObservation(std::vector<wire::StunAddress> servers,
                                       std::vector<std::string> local_addresses)
    : servers_(std::move(servers)), local_addresses_(std::move(local_addresses)) {
  std::erase_if(servers_, [](const auto& server) { return is_ipv6(server.address); });
  if (servers_.size() > kMaxObservedServers) servers_.resize(kMaxObservedServers);
}

void MappingObservation::start(std::vector<std::uint16_t> local_ports, Instant now) {
  local_ports_ = std::move(local_ports);
  ends_ = now + kObservationLimit;
  if (servers_.empty()) return;
  for (const auto& server : servers_) add(kMainSocket, server, now);
  for (std::size_t scout = 1; scout < local_ports_.size() && scout <= kScouts; ++scout) {
    add(scout, servers_.front(), now);
  }
}

void MappingObservation::add(std::size_t socket, const wire::StunAddress& server, Instant now) {
  const bool known = std::any_of(asked_.begin(), asked_.end(), [&](const Asked& asked) {
    return asked.question.socket == socket && asked.question.server == server;
  });
  if (known || asked_.size() >= kMaxObservedServers + kScouts) return;
  asked_.push_back({{socket, server}, 0, now, {}});
}

std::vector<MappingObservation::Question> MappingObservation::take_due(Instant now) {
  std::vector<Question> due;
  for (Asked& asked : asked_) {
    if (asked.mapped || asked.tries > kObservationRetries.size() || asked.next > now) continue;
    due.push_back(asked.question);
    const bool last = asked.tries == kObservationRetries.size();
    asked.next = last ? ends_ : now + kObservationRetries.at(asked.tries);
    ++asked.tries;
  }
  return due;
}

void MappingObservation::answered(std::size_t socket, const wire::StunAddress& from,
                                  const wire::StunAddress& mapped,
                                  const std::optional<wire::StunAddress>& other, Instant now) {
  for (Asked& asked : asked_) {
    if (asked.question.socket != socket || asked.question.server != from || asked.mapped) continue;
    asked.mapped = mapped;
    // The other address of a server with two (RFC 5780) is a second opinion.
    const bool helps = other && other->address != from.address && !is_ipv6(other->address);
    if (socket == kMainSocket && helps) add(kMainSocket, *other, now);
    return;
  }
}

bool MappingObservation::complete() const {
  return std::all_of(asked_.begin(), asked_.end(),
                     [](const Asked& asked) { return asked.mapped.has_value(); });
}

bool MappingObservation::done(Instant now) const {
  return complete() || now >= ends_;
}

std::optional<Instant> MappingObservation::deadline() const {
  std::optional<Instant> due = ends_;
  for (const Asked& asked : asked_) {
    if (!asked.mapped && asked.tries <= kObservationRetries.size()) due = earliest(due, asked.next);
  }
  return due;
}

wire::PortMapping MappingObservation::mapping() const {
  std::vector<const Asked*> told;
  for (const Asked& asked : asked_) {
    if (asked.mapped && asked.question.socket == kMainSocket) told.push_back(&asked);
  }
  if (told.empty()) return wire::PortMapping::kUnknown;
  const wire::StunAddress& first = *told.front()->mapped;
  if (std::any_of(told.begin(), told.end(),
                  [&](const Asked* each) { return each->mapped != first; })) {
    return wire::PortMapping::kEndpointDependent;
  }
  const bool is_own = std::find(local_addresses_.begin(), local_addresses_.end(), first.address) !=
                          local_addresses_.end() &&
                      first.port == local_ports_.front();
  const std::string& server = told.front()->question.server.address;
  const bool two_servers = std::any_of(told.begin(), told.end(), [&](const Asked* each) {
    return each->question.server.address != server;
  });
  return is_own || two_servers ? wire::PortMapping::kEndpointIndependent
                               : wire::PortMapping::kUnknown;
}

std::optional<wire::StunAddress> MappingObservation::external() const {
  for (const Asked& asked : asked_) {
    if (asked.question.socket == kMainSocket && asked.mapped) return asked.mapped;
  }
  return std::nullopt;
}

std::vector<SeenPort> MappingObservation::scouts() const {
  std::vector<SeenPort> seen;
  for (const Asked& asked : asked_) {
    const std::size_t socket = asked.question.socket;
    if (socket == kMainSocket || !asked.mapped) continue;
    seen.push_back({local_ports_.at(socket), asked.mapped->port});
  }
  return seen;
}

}  // namespace peersock::ice
