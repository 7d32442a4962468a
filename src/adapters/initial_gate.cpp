#include "adapters/initial_gate.hpp"

#include <algorithm>

namespace peersock::adapters {
namespace {

constexpr std::uint8_t kLongHeader = 0x80;
constexpr std::uint8_t kTypeMask = 0x30;  // Initial is 0
constexpr std::uint32_t kVersion1 = 1;
/// RFC 9000 section 14.1: a client pads datagrams that carry Initial packets to this.
constexpr std::size_t kMinInitial = 1200;

}  // namespace

std::optional<InitialGate::LongHeader> InitialGate::parse(ByteView datagram) {
  // first octet | version (4) | size | destination | size | source
  if (datagram.size() < 7 || (datagram[0] & kLongHeader) == 0) return std::nullopt;
  LongHeader header;
  header.initial = (datagram[0] & kTypeMask) == 0;
  for (std::size_t i = 1; i <= 4; ++i) header.version = header.version << 8 | datagram[i];
  ByteView rest = datagram.subspan(5);
  for (ConnectionId* id : {&header.destination, &header.source}) {
    if (rest.empty() || rest[0] > id->octets.size() || rest.size() < 1U + rest[0]) return header;
    id->size = rest[0];
    std::copy_n(rest.begin() + 1, id->size, id->octets.begin());
    rest = rest.subspan(1 + id->size);
  }
  return header;
}

bool InitialGate::admits(ByteView datagram) {
  const auto header = parse(datagram);
  if (!header) return true;
  // Version negotiation is left out: both sides learned over the mailbox that they speak v1.
  if (header->version != kVersion1) return false;
  if (!header->initial || role_ == quic::Role::kClient) return true;
  if (complete_) return false;
  if (original_) {
    return header->destination == *original_ ||
           std::find(ours_.begin(), ours_.end(), header->destination) != ours_.end();
  }
  if (datagram.size() < kMinInitial) return false;
  original_ = header->destination;
  return true;
}

void InitialGate::on_sent(ByteView datagram) {
  if (role_ == quic::Role::kClient || !ours_.empty()) return;
  if (const auto header = parse(datagram)) ours_.push_back(header->source);
}

void InitialGate::on_issued(ByteView id) {
  ConnectionId issued;
  if (complete_ || id.size() > issued.octets.size()) return;
  issued.size = id.size();
  std::copy(id.begin(), id.end(), issued.octets.begin());
  ours_.push_back(issued);
}

void InitialGate::on_handled(bool have_connection) {
  if (have_connection) return;
  original_.reset();
  ours_.clear();
}

}  // namespace peersock::adapters
