#include "programs/turn_server.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <sys/socket.h>

#include "adapters/clock.hpp"
#include "programs/sockets.hpp"

namespace peersock::sim {
namespace {

constexpr std::string_view kRealm = "peersock.sim";
// coturn's.
constexpr std::chrono::seconds kNonceLifetime{600};
constexpr std::chrono::seconds kLongestLifetime{3600};
constexpr std::chrono::seconds kUsualLifetime{600};
/// RFC 8656 section 12.
constexpr std::uint16_t kFirstChannel = 0x4000;
constexpr std::uint16_t kLastChannel = 0x4fff;
constexpr std::uint8_t kUdp = 17;
/// From here on attributes may be ignored (RFC 8489 section 14).
constexpr std::uint16_t kOptional = 0x8000;
constexpr std::uint8_t kIpv4 = 1;
constexpr std::uint8_t kIpv6 = 2;

constexpr StunAttribute kUnderstood[] = {
    StunAttribute::kMappedAddress,
    StunAttribute::kUsername,
    StunAttribute::kMessageIntegrity,
    StunAttribute::kErrorCode,
    StunAttribute::kChannelNumber,
    StunAttribute::kLifetime,
    StunAttribute::kXorPeerAddress,
    StunAttribute::kData,
    StunAttribute::kRealm,
    StunAttribute::kNonce,
    StunAttribute::kXorRelayedAddress,
    StunAttribute::kRequestedAddressFamily,
    StunAttribute::kRequestedTransport,
    StunAttribute::kXorMappedAddress,
};

std::string_view reason_of(int code) {
  switch (code) {
    case 401:
      return "Unauthorized";
    case 420:
      return "Unknown Attribute";
    case 437:
      return "Allocation Mismatch";
    case 438:
      return "Stale Nonce";
    case 440:
      return "Address Family not Supported";
    case 442:
      return "Unsupported Transport Protocol";
    case 443:
      return "Peer Address Family Mismatch";
    default:
      return "Bad Request";
  }
}

std::uint16_t get16(OctetView octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

/// A new one every ten minutes, for everybody.
std::string current_nonce() {
  return "nonce-" + std::to_string(adapters::monotonic_now().time_since_epoch() / kNonceLifetime);
}

bool is_text(const std::optional<OctetView>& value, std::string_view text) {
  return value && std::ranges::equal(*value, text);
}

/// Those that must be understood and are not.
Octets unknown_attributes(const StunView& message) {
  Octets unknown;
  for (const auto& [type, value] : message.attributes) {
    const auto number = static_cast<std::uint16_t>(type);
    if (number >= kOptional || std::ranges::count(kUnderstood, type) > 0) continue;
    unknown.push_back(static_cast<std::uint8_t>(number >> 8));
    unknown.push_back(static_cast<std::uint8_t>(number));
  }
  return unknown;
}

std::chrono::seconds granted(const StunView& request) {
  const std::chrono::seconds wanted(
      request.find_number(StunAttribute::kLifetime).value_or(kUsualLifetime.count()));
  return std::clamp(wanted, kUsualLifetime, kLongestLifetime);
}

std::optional<std::uint8_t> first_octet(const StunView& request, StunAttribute attribute) {
  const auto value = request.find(attribute);
  if (!value || value->empty()) return std::nullopt;
  return value->front();
}

/// Whether a family was asked for that is not `family`.
bool wants_other_family(const StunView& request, Family family) {
  const auto wanted = first_octet(request, StunAttribute::kRequestedAddressFamily);
  return wanted && *wanted != (family == Family::kIpv4 ? kIpv4 : kIpv6);
}

}  // namespace

TurnServer::TurnServer(GMainContext* context, const std::string& address, std::uint16_t port,
                       std::string relay_address, Account account)
    : context_(context),
      relay_address_(std::move(relay_address)),
      family_(socket_name(relay_address_, port).value().family),
      user_(std::move(account.user)),
      key_(long_term_key(user_, kRealm, account.password)),
      fd_(bound_socket(SOCK_DGRAM, address, port)),
      listening_(bound_socket(SOCK_STREAM, address, port)),
      watch_(context, fd_.get(), [this](bool, bool) { receive_all(); }),
      arrivals_(context, listening_.get(), [this](bool, bool) { accept_all(); }) {
  watch_.watch(true, false);
  arrivals_.watch(true, false);
}

TurnServer::~TurnServer() = default;

void TurnServer::reset_at_end() {
  for (auto& [key, stream] : streams_) stream->reset_at_end();
}

// ---- clients ------------------------------------------------------------------------------------

void TurnServer::accept_all() {
  for (;;) {
    adapters::UniqueFd fd(
        accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    auto key = std::make_shared<TurnStream*>(nullptr);
    auto stream = std::make_unique<TurnStream>(
        context_, std::move(fd),
        TurnStream::Callbacks{[this, key](OctetView message) {
                                receive(message, {(*key)->peer(), *key});
                              },
                              [this, key] { forget(*key); }});
    *key = stream.get();
    streams_[*key] = std::move(stream);
  }
}

/// An allocation does not outlive the connection that it was made over.
void TurnServer::forget(TurnStream* stream) {
  std::erase_if(allocations_, [stream](const auto& entry) {
    return std::get<TurnStream*>(entry.first) == stream;
  });
  streams_.erase(stream);
}

void TurnServer::send(OctetView message, const Client& client) {
  if (client.stream != nullptr) return client.stream->send(message);
  send_datagram(fd_.get(), message, client.name);
}

TurnAllocation* TurnServer::find(const Client& client) {
  const auto known = allocations_.find(key_of(client));
  if (known == allocations_.end()) return nullptr;
  if (!known->second->has_expired()) return known->second.get();
  allocations_.erase(known);
  return nullptr;
}

// ---- messages -----------------------------------------------------------------------------------

void TurnServer::receive_all() {
  while (const auto arrived = receive_datagram(fd_.get()))
    receive(arrived->octets, {arrived->from});
}

void TurnServer::receive(OctetView message, const Client& client) {
  if (message.size() >= 4 && message[0] >> 6 == 1) return receive_channel_data(message, client);
  const auto view = read_stun(message);
  if (!view) return;
  if (view->kind == StunClass::kRequest) return receive_request(*view, client);
  if (view->kind == StunClass::kIndication) receive_indication(*view, client);
}

void TurnServer::receive_channel_data(OctetView message, const Client& client) {
  const std::size_t size = get16(message, 2);
  auto* allocation = find(client);
  if (allocation == nullptr || size > message.size() - 4) return;
  allocation->send_on(get16(message, 0), message.subspan(4, size));
}

void TurnServer::receive_indication(const StunView& indication, const Client& client) {
  auto* allocation = find(client);
  const auto peers = indication.addresses(StunAttribute::kXorPeerAddress);
  const auto data = indication.find(StunAttribute::kData);
  if (indication.method != StunMethod::kSend || allocation == nullptr || peers.empty() || !data ||
      !unknown_attributes(indication).empty()) {
    return;
  }
  allocation->send_to(peers.front(), *data);
}

void TurnServer::receive_request(const StunView& request, const Client& client) {
  switch (request.method) {
    case StunMethod::kBinding: {
      StunWriter writer(StunClass::kSuccess, request.method, request.id);
      writer.add_mapped(client.name);
      return send(writer.octets(), client);
    }
    case StunMethod::kAllocate:
    case StunMethod::kRefresh:
    case StunMethod::kCreatePermission:
    case StunMethod::kChannelBind:
      break;
    default:  // nothing is said to it (RFC 8489 section 6.3)
      return;
  }
  if (const int code = fault_of(request); code != 0) return challenge(request, client, code);
  if (!unknown_attributes(request).empty()) return refuse(request, client, 420);
  if (request.method == StunMethod::kAllocate) return allocate(request, client);
  auto* allocation = find(client);
  if (allocation == nullptr) return refuse(request, client, 437);
  if (request.method == StunMethod::kRefresh) return refresh(request, client, *allocation);
  if (request.method == StunMethod::kChannelBind) {
    return bind_channel(request, client, *allocation);
  }
  create_permission(request, client, *allocation);
}

// ---- credentials (RFC 8489 section 9.2.4) -------------------------------------------------------

int TurnServer::fault_of(const StunView& request) const {
  if (!request.find(StunAttribute::kMessageIntegrity)) return 401;
  const auto user = request.find(StunAttribute::kUsername);
  const auto realm = request.find(StunAttribute::kRealm);
  const auto nonce = request.find(StunAttribute::kNonce);
  if (!user || !realm || !nonce) return 400;
  if (!is_text(nonce, current_nonce())) return 438;
  return is_text(user, user_) && request.is_signed_with(key_) ? 0 : 401;
}

/// Whoever has not shown who he is gets no signature, because none would tell him anything.
void TurnServer::challenge(const StunView& request, const Client& client, int code) {
  StunWriter writer(StunClass::kError, request.method, request.id);
  writer.add_error(code, reason_of(code));
  if (code != 400) {
    writer.add_text(StunAttribute::kRealm, kRealm).add_text(StunAttribute::kNonce, current_nonce());
  }
  send(writer.octets(), client);
}

// ---- requests -----------------------------------------------------------------------------------

void TurnServer::allocate(const StunView& request, const Client& client) {
  auto* allocation = find(client);
  // A request that is repeated because its answer was lost is answered again (section 7.2).
  if (allocation != nullptr && !allocation->was_made_by(request.id)) {
    return refuse(request, client, 437);
  }
  const auto transport = first_octet(request, StunAttribute::kRequestedTransport);
  if (!transport) return refuse(request, client, 400);
  if (*transport != kUdp) return refuse(request, client, 442);
  if (wants_other_family(request, family_)) return refuse(request, client, 440);
  if (allocation == nullptr) {
    auto made = std::make_unique<TurnAllocation>(
        context_, relay_address_, request.id,
        [this, client](OctetView message) { send(message, client); });
    allocation = made.get();
    allocations_[key_of(client)] = std::move(made);
  }
  const auto lifetime = granted(request);
  allocation->keep_for(lifetime);
  StunWriter writer(StunClass::kSuccess, request.method, request.id);
  writer.add_address(StunAttribute::kXorRelayedAddress, allocation->relayed())
      .add_number(StunAttribute::kLifetime, static_cast<std::uint32_t>(lifetime.count()))
      .add_mapped(client.name);
  answer(client, std::move(writer));
}

void TurnServer::refresh(const StunView& request, const Client& client,
                         TurnAllocation& allocation) {
  if (wants_other_family(request, family_)) return refuse(request, client, 443);
  const bool ends = request.find_number(StunAttribute::kLifetime) == 0U;
  const auto lifetime = ends ? std::chrono::seconds(0) : granted(request);
  if (ends) {
    allocations_.erase(key_of(client));
  } else {
    allocation.keep_for(lifetime);
  }
  StunWriter writer(StunClass::kSuccess, request.method, request.id);
  writer.add_number(StunAttribute::kLifetime, static_cast<std::uint32_t>(lifetime.count()));
  answer(client, std::move(writer));
}

int TurnServer::fault_of(const std::vector<SocketName>& peers) const {
  if (peers.empty()) return 400;
  const auto fits = [this](const SocketName& peer) { return peer.family == family_; };
  return std::ranges::all_of(peers, fits) ? 0 : 443;
}

void TurnServer::create_permission(const StunView& request, const Client& client,
                                   TurnAllocation& allocation) {
  const auto peers = request.addresses(StunAttribute::kXorPeerAddress);
  if (const int code = fault_of(peers); code != 0) return refuse(request, client, code);
  for (const auto& peer : peers) allocation.permit(peer);
  answer(client, {StunClass::kSuccess, request.method, request.id});
}

void TurnServer::bind_channel(const StunView& request, const Client& client,
                              TurnAllocation& allocation) {
  const auto number = request.find_number(StunAttribute::kChannelNumber).value_or(0) >> 16;
  if (number < kFirstChannel || number > kLastChannel) return refuse(request, client, 400);
  const auto peers = request.addresses(StunAttribute::kXorPeerAddress);
  if (const int code = fault_of(peers); code != 0) return refuse(request, client, code);
  if (!allocation.bind(static_cast<std::uint16_t>(number), peers.front())) {
    return refuse(request, client, 400);
  }
  answer(client, {StunClass::kSuccess, request.method, request.id});
}

// ---- answers ------------------------------------------------------------------------------------

void TurnServer::answer(const Client& client, StunWriter writer) {
  writer.sign(key_);
  send(writer.octets(), client);
}

void TurnServer::refuse(const StunView& request, const Client& client, int code) {
  StunWriter writer(StunClass::kError, request.method, request.id);
  writer.add_error(code, reason_of(code));
  if (code == 420) writer.add(StunAttribute::kUnknownAttributes, unknown_attributes(request));
  answer(client, std::move(writer));
}

}  // namespace peersock::sim
