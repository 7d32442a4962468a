#include "ice/nat_probe.hpp"

#include <algorithm>
#include <utility>

#include "ice/policy.hpp"

namespace peersock::ice::nat {
Probe::Probe(ProbeConfig config) : config_(std::move(config)) {
  if (config_.others.size() > kMaxOtherServers) config_.others.resize(kMaxOtherServers);
}

std::vector<ProbeOutput> Probe::handle(Input input, Instant now) {
  Outputs out;
  std::visit([&](auto& held) { on(held, now, out); }, input);
  go_on(now, out);
  return out;
}

std::optional<Instant> Probe::deadline() const {
  std::optional<Instant> first;
  for (const Request& request : requests_) {
    if (request.status == Status::kWaiting) first = earliest(first, request.next);
  }
  return first;
}

std::string_view Probe::state_name() const {
  switch (state_) {
    case State::kIdle:
      return "Idle";
    case State::kAsking:
      return "Asking";
    case State::kClassifying:
      return "Classifying";
    case State::kDone:
      break;
  }
  return "Done";
}

// --- inputs

void Probe::on(Started& /*input*/, Instant now, Outputs& out) {
  if (state_ != State::kIdle) return;
  state_ = State::kAsking;
  begin(Test::kMapped, Socket::kFirst, config_.server, now, out);
  begin(Test::kSecondMapped, Socket::kSecond, config_.server, now, out);
  for (const auto& other : config_.others) {
    begin(Test::kOtherServer, Socket::kFirst, other, now, out);
  }
}

void Probe::on(BindingAnswered& input, Instant now, Outputs& /*out*/) {
  Request* request = waiting(input.request);
  if (request == nullptr || request->test == Test::kHairpin) return;
  // Whoever answers in another's place has read or guessed the transaction: no answer.
  const bool changes = request->test == Test::kFilterBoth || request->test == Test::kFilterPort;
  if (!changes && input.from != request->destination) return;
  if (is_ipv6(input.mapped.address) != is_ipv6(config_.server.address)) {
    request->status = Status::kRefused;
    return;
  }
  request->status =
      is_from_where_asked(*request, input.from) ? Status::kAnswered : Status::kRefused;
  request->mapped = std::move(input.mapped);
  request->took = now - request->began;
  if (request->test != Test::kMapped && request->test != Test::kSecondMapped) return;
  // Both have to differ from the first, or the tests say nothing.
  if (!input.other || is_ipv6(input.other->address) != is_ipv6(config_.server.address)) return;
  if (input.other->address == config_.server.address) return;
  if (input.other->port == config_.server.port) return;
  if (!other_) other_ = std::move(input.other);
}

void Probe::on(BindingRefused& input, Instant /*now*/, Outputs& /*out*/) {
  if (Request* request = waiting(input.request)) request->status = Status::kRefused;
}

void Probe::on(SendFailed& input, Instant /*now*/, Outputs& /*out*/) {
  if (Request* request = waiting(input.request)) request->status = Status::kNoRoute;
}

void Probe::on(HairpinArrived& input, Instant /*now*/, Outputs& /*out*/) {
  Request* request = waiting(input.request);
  if (request != nullptr && request->test == Test::kHairpin) request->status = Status::kAnswered;
}

void Probe::on(StopRequested& /*input*/, Instant /*now*/, Outputs& /*out*/) {
  for (Request& request : requests_) {
    if (request.status == Status::kWaiting) request.status = Status::kDropped;
  }
}

void Probe::on(DeadlineReached& /*input*/, Instant now, Outputs& out) {
  for (RequestId id = 0; id < requests_.size(); ++id) {
    Request& request = requests_[id];
    if (request.status != Status::kWaiting || now < request.next) continue;
    if (request.tries == kTries.size()) {
      request.status = Status::kSilent;
    } else {
      send(id, now, out);
    }
  }
}

// --- requests

void Probe::begin(Test test, Socket socket, wire::StunAddress destination, Instant now,
                  Outputs& out) {
  Request request;
  request.test = test;
  request.socket = socket;
  request.destination = std::move(destination);
  request.began = now;
  requests_.push_back(std::move(request));
  send(requests_.size() - 1, now, out);
}

void Probe::send(RequestId id, Instant now, Outputs& out) {
  Request& request = requests_[id];
  request.next = now + kTries.at(request.tries);
  ++request.tries;
  if (request.test == Test::kHairpin) {
    out.emplace_back(SendHairpin{id, request.socket, request.destination});
    return;
  }
  const bool change_address = request.test == Test::kFilterBoth;
  const bool change_port = change_address || request.test == Test::kFilterPort;
  out.emplace_back(
      SendBinding{id, request.socket, request.destination, change_address, change_port});
}

Probe::Request* Probe::waiting(RequestId id) {
  if (id >= requests_.size() || requests_[id].status != Status::kWaiting) return nullptr;
  return &requests_[id];
}

const Probe::Request* Probe::find(Test test, Status status) const {
  const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const Request& request) {
    return request.test == test && request.status == status;
  });
  return found == requests_.end() ? nullptr : &*found;
}

bool Probe::has_begun(Test test) const {
  return std::any_of(requests_.begin(), requests_.end(),
                     [&](const Request& request) { return request.test == test; });
}

/// A server that does not know CHANGE-REQUEST may answer all the same, from where it was asked.
bool Probe::is_from_where_asked(const Request& request, const wire::StunAddress& from) const {
  switch (request.test) {
    case Test::kFilterBoth:
      return from.address != config_.server.address && from.port != config_.server.port;
    case Test::kFilterPort:
      return from.address == config_.server.address && from.port != config_.server.port;
    default:
      return true;
  }
}

void Probe::go_on(Instant now, Outputs& out) {
  if (state_ == State::kIdle || state_ == State::kDone) return;
  if (answered(Test::kMapped) != nullptr) state_ = State::kClassifying;
  begin_what_can(now, out);
  // What need not be waited for any more.
  const Request* first = answered(Test::kMapped);
  if (answered(Test::kMappedAddress) != nullptr || (first != nullptr && !is_translated(*first))) {
    drop(Test::kOtherServer);
  }
  if (answered(Test::kFilterBoth) != nullptr) drop(Test::kFilterPort);
  if (answered(Test::kHairpin) != nullptr) drop(Test::kHairpin);
  if (deadline()) return;
  state_ = State::kDone;
  out.emplace_back(Finished{report()});
}

void Probe::begin_what_can(Instant now, Outputs& out) {
  const Request* first = answered(Test::kMapped);
  const Request* second = answered(Test::kSecondMapped);
  // Copied, because a new request may move the old ones.
  const auto outer_first = first == nullptr ? std::nullopt : std::optional(first->mapped);
  const auto outer_second = second == nullptr ? std::nullopt : std::optional(second->mapped);
  const bool translated = first != nullptr && is_translated(*first);
  if (other_ && outer_first && !has_begun(Test::kMappedAddress)) {
    begin(Test::kMappedAddress, Socket::kFirst, {other_->address, config_.server.port}, now, out);
    begin(Test::kMappedBoth, Socket::kFirst, *other_, now, out);
  }
  if (other_ && outer_second && !has_begun(Test::kFilterBoth)) {
    begin(Test::kFilterBoth, Socket::kSecond, config_.server, now, out);
    begin(Test::kFilterPort, Socket::kSecond, config_.server, now, out);
  }
  // Both ways: what one sends opens the filter for the other.
  if (translated && outer_second && !has_begun(Test::kHairpin)) {
    begin(Test::kHairpin, Socket::kFirst, *outer_second, now, out);
    begin(Test::kHairpin, Socket::kSecond, *outer_first, now, out);
  }
}

void Probe::drop(Test test) {
  for (Request& request : requests_) {
    if (request.test == test && request.status == Status::kWaiting) {
      request.status = Status::kDropped;
    }
  }
}

// --- the report

bool Probe::is_translated(const Request& request) const {
  const auto& local = config_.local_addresses;
  const bool is_ours = std::find(local.begin(), local.end(), request.mapped.address) != local.end();
  return !is_ours ||
         request.mapped.port != config_.local_ports.at(static_cast<std::size_t>(request.socket));
}

Trouble Probe::trouble() const {
  if (find(Test::kMapped, Status::kRefused) != nullptr) return Trouble::kRefused;
  return find(Test::kMapped, Status::kNoRoute) != nullptr ? Trouble::kNoRoute : Trouble::kSilent;
}

Report Probe::report() const {
  Report report;
  const Request* first = answered(Test::kMapped);
  if (first == nullptr) first = answered(Test::kSecondMapped);
  if (first == nullptr) first = answered(Test::kOtherServer);
  report.trouble = first == nullptr ? trouble() : Trouble::kNone;
  if (first == nullptr) return report;
  report.mapped = first->mapped;
  report.server = first->destination;
  report.answered_after = first->took;
  report.translated = is_translated(*first);
  report.port_kept =
      first->mapped.port == config_.local_ports.at(static_cast<std::size_t>(first->socket));
  report.address_varies =
      std::any_of(requests_.begin(), requests_.end(), [&report](const Request& request) {
        return request.test != Test::kHairpin && request.status == Status::kAnswered &&
               request.mapped.address != report.mapped->address;
      });
  report.has_other_address = other_.has_value();
  report.mapping = mapping(*first);
  report.filtering = filtering();
  report.hairpin = hairpin(report.mapping);
  return report;
}

/// RFC 5780 section 4.3.
Mapping Probe::mapping(const Request& first) const {
  if (!is_translated(first)) return Mapping::kEndpointIndependent;
  const Request* address = answered(Test::kMappedAddress);
  const Request* both = answered(Test::kMappedBoth);
  if (first.test != Test::kMapped || address == nullptr) return mapping_by_other_servers(first);
  if (address->mapped == first.mapped) return Mapping::kEndpointIndependent;
  if (both == nullptr) return Mapping::kEndpointDependent;
  return both->mapped == address->mapped ? Mapping::kAddressDependent
                                         : Mapping::kAddressAndPortDependent;
}

Mapping Probe::mapping_by_other_servers(const Request& first) const {
  Mapping found = Mapping::kUnknown;
  for (const Request& request : requests_) {
    if (request.test != Test::kOtherServer || request.status != Status::kAnswered) continue;
    if (&request == &first || request.socket != first.socket) continue;
    const bool same_host = request.destination.address == first.destination.address;
    if (request.mapped != first.mapped) {
      // Two ports of one host: only a mapping that looks at ports tells them apart.
      if (same_host) return Mapping::kAddressAndPortDependent;
      found = Mapping::kEndpointDependent;
    } else if (!same_host && found == Mapping::kUnknown) {
      found = Mapping::kEndpointIndependent;
    }
  }
  return found;
}

/// RFC 5780 section 4.4. Silence counts only if the server's other address is known to be alive.
Filtering Probe::filtering() const {
  if (answered(Test::kFilterBoth) != nullptr) return Filtering::kEndpointIndependent;
  const bool alive =
      answered(Test::kMappedBoth) != nullptr || answered(Test::kMappedAddress) != nullptr;
  if (!alive || find(Test::kFilterBoth, Status::kSilent) == nullptr) return Filtering::kUnknown;
  if (answered(Test::kFilterPort) != nullptr) return Filtering::kAddressDependent;
  if (find(Test::kFilterPort, Status::kSilent) == nullptr) return Filtering::kUnknown;
  return Filtering::kAddressAndPortDependent;
}

/// Where the mapping depends on the destination, each of the two datagrams comes from a port that
/// the other socket's filter may not know, so silence says nothing.
Hairpin Probe::hairpin(Mapping mapping) const {
  if (answered(Test::kHairpin) != nullptr) return Hairpin::kWorks;
  const bool silent = find(Test::kHairpin, Status::kSilent) != nullptr;
  return silent && mapping == Mapping::kEndpointIndependent ? Hairpin::kFails : Hairpin::kUnknown;
}

}  // namespace peersock::ice::nat
