#include "turn_talk.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>

#include "programs/sockets.hpp"
#include "programs/turn_stream.hpp"

namespace peersock::testing {
namespace {

using sim::local_name;
using sim::Octets;
using sim::OctetView;
using sim::SocketName;
using sim::StunAttribute;
using sim::StunClass;
using sim::StunMethod;
using sim::StunView;
using sim::StunWriter;

constexpr std::uint8_t kFence = 0xfe;
/// Nothing of the loop in which the server read the first one is left when it answers the second.
constexpr int kFences = 2;

const char* const kPeerNames[] = {"first", "neighbour", "second"};

std::string text_of(OctetView octets) {
  return {octets.begin(), octets.end()};
}

std::string method_name(StunMethod method) {
  switch (method) {
    case StunMethod::kBinding:
      return "binding";
    case StunMethod::kAllocate:
      return "allocate";
    case StunMethod::kRefresh:
      return "refresh";
    case StunMethod::kSend:
      return "send";
    case StunMethod::kData:
      return "data";
    case StunMethod::kCreatePermission:
      return "permit";
    case StunMethod::kChannelBind:
      return "bind";
  }
  return fmt::format("method {:x}", static_cast<int>(method));
}

/// The bits of a number in the first octet.
std::uint32_t in_first_octet(std::uint8_t value) {
  return std::uint32_t{value} << 24;
}

std::string unknown_attributes(const StunView& view) {
  std::vector<int> listed;
  const auto list = view.find(StunAttribute::kUnknownAttributes);
  for (std::size_t at = 0; list && at + 2 <= list->size(); at += 2) {
    listed.push_back((*list)[at] << 8 | (*list)[at + 1]);
  }
  return list ? fmt::format(" unknown={:x}", fmt::join(listed, ",")) : "";
}

}  // namespace

TurnTalk::TurnTalk(TurnNetwork& network, bool tcp)
    : network_(network),
      tcp_(tcp),
      client_(network.open_client(tcp)),
      peers_{network.open_peer(0), network.open_peer(0), network.open_peer(1)} {}

TurnTalk::~TurnTalk() = default;

sim::StunId TurnTalk::next_id() {
  ++sayings_;
  return {0x21,
          0x12,
          0xa4,
          0x42,
          static_cast<std::uint8_t>(sayings_ >> 8),
          static_cast<std::uint8_t>(sayings_)};
}

void TurnTalk::send(const Octets& message) {
  Octets padded = message;
  if (tcp_) padded.resize((message.size() + 3) / 4 * 4);
  (void)::send(client_.get(), padded.data(), padded.size(), MSG_NOSIGNAL);
}

SocketName TurnTalk::peer_name(Peer peer) const {
  if (peer == Peer::kIpv6) return sim::socket_name("2001:db8::99", 7000).value();
  return local_name(peers_.at(static_cast<std::size_t>(peer)).get());
}

std::string TurnTalk::name_of(const SocketName& name) const {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (name == local_name(peers_[i].get())) return kPeerNames[i];
  }
  return "somebody";
}

void TurnTalk::add_identity(StunWriter& writer, Identity identity) const {
  if (identity == Identity::kNone) return;
  const std::string user = identity == Identity::kUnknownUser ? "nobody" : network_.user();
  const std::string password = identity == Identity::kWrongPassword ? "wrong" : network_.password();
  if (identity != Identity::kNoUser) writer.add_text(StunAttribute::kUsername, user);
  if (identity != Identity::kNoRealm) writer.add_text(StunAttribute::kRealm, realm_);
  if (identity != Identity::kNoNonce) {
    writer.add_text(StunAttribute::kNonce,
                    identity == Identity::kOldNonce ? "0123456789abcdef" : nonce_);
  }
  writer.sign(sim::long_term_key(user, realm_, password));
}

void TurnTalk::say(const TurnSaying& saying) {
  if (!saying.repeated) last_id_ = next_id();
  StunWriter writer(saying.kind, saying.method, last_id_);
  if (saying.transport) {
    writer.add_number(StunAttribute::kRequestedTransport, in_first_octet(*saying.transport));
  }
  if (saying.lifetime) writer.add_number(StunAttribute::kLifetime, *saying.lifetime);
  if (saying.family)
    writer.add_number(StunAttribute::kRequestedAddressFamily, in_first_octet(*saying.family));
  if (saying.channel) {
    writer.add_number(StunAttribute::kChannelNumber, std::uint32_t{*saying.channel} << 16);
  }
  for (const Peer peer : saying.peers) {
    writer.add_address(StunAttribute::kXorPeerAddress, peer_name(peer));
  }
  if (saying.data) writer.add_text(StunAttribute::kData, *saying.data);
  if (saying.attribute) writer.add(static_cast<StunAttribute>(*saying.attribute), {});
  if (saying.kind == StunClass::kRequest) add_identity(writer, saying.identity);
  asked_ = saying.kind == StunClass::kRequest;
  send(writer.octets());
}

void TurnTalk::say_on_channel(std::uint16_t channel, const std::string& text, std::size_t size) {
  Octets message = {static_cast<std::uint8_t>(channel >> 8), static_cast<std::uint8_t>(channel),
                    static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  message.insert(message.end(), text.begin(), text.end());
  send(message);
}

void TurnTalk::peer_says(Peer peer, const std::string& text) {
  if (!relayed_) return;
  const Octets octets(text.begin(), text.end());
  sim::send_datagram(peers_.at(static_cast<std::size_t>(peer)).get(), octets, *relayed_);
}

std::optional<Octets> TurnTalk::receive() {
  for (;;) {
    if (tcp_) {
      if (const auto size = sim::turn_message_size(received_)) {
        const auto end = received_.begin() + static_cast<std::ptrdiff_t>(*size);
        Octets message(received_.begin(), end);
        received_.erase(received_.begin(), end);
        return message;
      }
    }
    network_.await({client_.get()});
    Octets octets(4096);
    const ssize_t got = recv(client_.get(), octets.data(), octets.size(), MSG_DONTWAIT);
    if (got <= 0) return std::nullopt;
    octets.resize(static_cast<std::size_t>(got));
    if (!tcp_) return octets;
    received_.insert(received_.end(), octets.begin(), octets.end());
  }
}

void TurnTalk::hear_until(const sim::StunId& answered, std::vector<std::string>& all) {
  while (const auto message = receive()) {
    const auto view = sim::read_stun(*message);
    const bool last = view && view->id == answered;
    if (!last || view->id == last_id_) all.push_back(describe(*message));
    if (last) return;
  }
}

/// A question whose answer comes behind everything that the server has said before; of a kind that
/// coturn asks the thread of this client.
void TurnTalk::hear_until_fence(std::vector<std::string>& all) {
  sim::StunId id = next_id();
  id.back() = kFence;
  send(StunWriter(StunClass::kRequest, StunMethod::kRefresh, id).octets());
  hear_until(id, all);
}

void TurnTalk::hear_peers(std::vector<std::string>& all) {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    while (const auto got = sim::receive_datagram(peers_[i].get())) {
      all.push_back(fmt::format("{}: {}", kPeerNames[i], text_of(got->octets)));
    }
  }
}

std::string TurnTalk::heard(bool something) {
  std::vector<std::string> all;
  // Where a server asks somebody else about a user, the answer takes its time.
  if (std::exchange(asked_, false)) hear_until(last_id_, all);
  for (int i = 0; i < kFences; ++i) hear_until_fence(all);
  hear_peers(all);
  if (something && all.empty()) {
    std::vector<int> fds = {client_.get()};
    for (const auto& peer : peers_) fds.push_back(peer.get());
    network_.await(fds);
    hear_until_fence(all);
    hear_peers(all);
  }
  return fmt::format("{}", fmt::join(all, "; "));
}

std::string TurnTalk::describe(const Octets& message) {
  if (message.size() >= 4 && message[0] >> 6 == 1) {
    const std::size_t size =
        std::min<std::size_t>(message[2] << 8 | message[3], message.size() - 4);
    return fmt::format("channel {:x}: {}", message[0] << 8 | message[1],
                       text_of(OctetView(message).subspan(4, size)));
  }
  const auto view = sim::read_stun(message);
  if (!view) return "no message";
  if (view->kind != StunClass::kIndication) return describe_answer(*view);
  const auto from = view->addresses(StunAttribute::kXorPeerAddress);
  const auto data = view->find(StunAttribute::kData);
  return fmt::format("{} from {}: {}", method_name(view->method),
                     from.empty() ? "nobody" : name_of(from.front()),
                     data ? text_of(*data) : "without data");
}

std::string TurnTalk::describe_answer(const StunView& view) {
  std::string text = method_name(view.method);
  if (const auto error = view.find(StunAttribute::kErrorCode); error && error->size() >= 4) {
    text += fmt::format(" {}", ((*error)[2] & 7) * 100 + (*error)[3]);
  } else {
    text += view.kind == StunClass::kSuccess ? " ok" : " of no class";
  }
  text += unknown_attributes(view);
  if (const auto realm = view.find(StunAttribute::kRealm)) {
    realm_ = text_of(*realm);
    text += " realm";
  }
  if (const auto nonce = view.find(StunAttribute::kNonce)) {
    nonce_ = text_of(*nonce);
    text += " nonce";
  }
  for (const SocketName& name : view.addresses(StunAttribute::kXorMappedAddress)) {
    text += name == local_name(client_.get()) ? " mapped" : " mapped wrongly";
  }
  for (const SocketName& name : view.addresses(StunAttribute::kXorRelayedAddress)) {
    const bool moved = relayed_ && *relayed_ != name;
    relayed_ = name;
    text += name.address == network_.server().address ? " relay" : " relay elsewhere";
    if (moved) text += " that is new";
  }
  if (const auto lifetime = view.find_number(StunAttribute::kLifetime)) {
    text += fmt::format(" for {} s", *lifetime);
  }
  if (view.find(StunAttribute::kMessageIntegrity)) {
    const auto key = sim::long_term_key(network_.user(), realm_, network_.password());
    text += view.is_signed_with(key) ? " signed" : " signed wrongly";
  }
  return text;
}

}  // namespace peersock::testing
