#include "nat_engine.hpp"

#include <algorithm>
#include <utility>

namespace peersock::testbed {

namespace {
constexpr std::uint32_t ports_in_all = 65536;
constexpr std::size_t most_allowed = 1024;  // remote endpoints of one mapping
}  // namespace

NatEngine::NatEngine(NatConfig config, std::uint64_t seed)
    : config_(std::move(config)), random_(seed) {
  reboot();
}

void NatEngine::reboot() {
  mappings_.clear();
  by_external_.clear();
  next_ = static_cast<std::uint32_t>(random_() % (ports_in_all - config_.lowest_port));
}

bool NatEngine::is_external(std::uint32_t address) const {
  return std::find(config_.addresses.begin(), config_.addresses.end(), address) !=
         config_.addresses.end();
}

Endpoint NatEngine::reduce(Dependence dependence, const Endpoint& remote) {
  switch (dependence) {
    case Dependence::Independent:
      return {};
    case Dependence::Address:
      return {remote.address, 0};
    case Dependence::AddressAndPort:
      break;
  }
  return remote;
}

NatEngine::Key NatEngine::key_of(Protocol protocol, const Flow& flow) const {
  return {protocol, flow.source, reduce(config_.mapping, flow.destination)};
}

std::optional<NatEngine::Verdict> NatEngine::outbound(Protocol protocol, const Flow& flow,
                                                      Time now) {
  const bool back = is_external(flow.destination.address);
  if (back && !config_.hairpin) return std::nullopt;
  Mapping* mapping = find_or_make(protocol, flow, now);
  if (mapping == nullptr) return std::nullopt;
  mapping->expires = now + config_.timeout;
  const Endpoint remote = reduce(config_.filtering, flow.destination);
  if (mapping->allowed.size() < most_allowed || mapping->allowed.contains(remote)) {
    mapping->allowed[remote] = now + config_.timeout;
  }
  const Endpoint source = mapping->external;
  if (!back) return Verdict{{source, flow.destination}, false};
  const auto turned = inbound(protocol, {source, flow.destination}, now);
  if (!turned) return std::nullopt;
  return Verdict{*turned, true};
}

std::optional<NatEngine::Flow> NatEngine::inbound(Protocol protocol, const Flow& flow, Time now) {
  const auto known = by_external_.find({protocol, flow.destination});
  if (known == by_external_.end()) return std::nullopt;
  const Mapping& mapping = mappings_.at(known->second);
  if (mapping.expires <= now) return std::nullopt;
  const auto allowed = mapping.allowed.find(reduce(config_.filtering, flow.source));
  const bool open = config_.filtering == Dependence::Independent;
  if (!open && (allowed == mapping.allowed.end() || allowed->second <= now)) return std::nullopt;
  return Flow{flow.source, mapping.inside};
}

std::optional<Endpoint> NatEngine::inside_of(Protocol protocol, const Endpoint& external,
                                             Time now) const {
  const auto known = by_external_.find({protocol, external});
  if (known == by_external_.end()) return std::nullopt;
  const Mapping& mapping = mappings_.at(known->second);
  if (mapping.expires <= now) return std::nullopt;
  return mapping.inside;
}

std::optional<Endpoint> NatEngine::outside_of(Protocol protocol, const Flow& flow, Time now) const {
  const auto known = mappings_.find(key_of(protocol, flow));
  if (known == mappings_.end() || known->second.expires <= now) return std::nullopt;
  return known->second.external;
}

NatEngine::Mapping* NatEngine::find_or_make(Protocol protocol, const Flow& flow, Time now) {
  const Key key = key_of(protocol, flow);
  if (const auto known = mappings_.find(key); known != mappings_.end()) {
    if (known->second.expires > now) return &known->second;
    forget(key);
  }
  if (mappings_.size() >= config_.most_mappings) forget_expired(now);
  if (mappings_.size() >= config_.most_mappings) return nullptr;
  const auto external = free_endpoint(protocol, flow.source, now);
  if (!external) return nullptr;
  by_external_[{protocol, *external}] = key;
  return &mappings_.emplace(key, Mapping{flow.source, *external, now, {}}).first->second;
}

std::uint16_t NatEngine::wanted_offset(const Endpoint& inside, std::uint32_t span) {
  std::uint32_t offset = 0;
  switch (config_.ports) {
    case Ports::Preserved:
      offset = inside.port >= config_.lowest_port ? inside.port - config_.lowest_port : inside.port;
      break;
    case Ports::Random:
      offset = static_cast<std::uint32_t>(random_() % span);
      break;
    case Ports::Sequential:
      offset = next_++;
      break;
  }
  return static_cast<std::uint16_t>(offset % span);
}

std::optional<Endpoint> NatEngine::free_endpoint(Protocol protocol, const Endpoint& inside,
                                                 Time now) {
  const auto count = config_.addresses.size();
  if (count == 0) return std::nullopt;
  const std::uint32_t address =
      config_.addresses[config_.paired ? inside.address % count : random_() % count];
  const std::uint32_t span = ports_in_all - config_.lowest_port;
  const std::uint32_t first = wanted_offset(inside, span);
  for (std::uint32_t step = 0; step < span; ++step) {
    const Endpoint candidate{
        address, static_cast<std::uint16_t>(config_.lowest_port + (first + step) % span)};
    const auto taken = by_external_.find({protocol, candidate});
    if (taken == by_external_.end()) return candidate;
    if (mappings_.at(taken->second).expires > now) continue;
    forget(Key(taken->second));
    return candidate;
  }
  return std::nullopt;
}

void NatEngine::forget(const Key& key) {
  const auto known = mappings_.find(key);
  if (known == mappings_.end()) return;
  by_external_.erase({std::get<0>(key), known->second.external});
  mappings_.erase(known);
}

void NatEngine::forget_expired(Time now) {
  std::vector<Key> expired;
  for (const auto& [key, mapping] : mappings_) {
    if (mapping.expires <= now) expired.push_back(key);
  }
  for (const Key& key : expired) forget(key);
}

}  // namespace peersock::testbed
