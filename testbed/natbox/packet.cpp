#include "packet.hpp"

#include <cstddef>

namespace peersock::testbed {

namespace {

using Octets = std::span<std::uint8_t>;

constexpr std::size_t smallest_header = 20;
constexpr std::size_t ports_length = 8;  // enough of any of the three protocols
constexpr std::uint8_t echo_reply = 0, unreachable = 3, echo = 8, time_exceeded = 11;

std::uint16_t get16(std::span<const std::uint8_t> octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8U | octets[at + 1]);
}

std::uint32_t get32(std::span<const std::uint8_t> octets, std::size_t at) {
  return static_cast<std::uint32_t>(get16(octets, at)) << 16U | get16(octets, at + 2);
}

void put16(Octets octets, std::size_t at, std::uint16_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8U);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

void put32(Octets octets, std::size_t at, std::uint32_t value) {
  put16(octets, at, static_cast<std::uint16_t>(value >> 16U));
  put16(octets, at + 2, static_cast<std::uint16_t>(value));
}

// RFC 1624: a checksum after a word under it has changed.
std::uint16_t adjusted(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
  std::uint32_t sum = static_cast<std::uint16_t>(~checksum);
  sum += static_cast<std::uint16_t>(~before);
  sum += after;
  while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

// A packet, or the beginning of one that an ICMP error quotes.
class Packet {
 public:
  // Nothing unless the header and `ports_length` octets more are there.
  static std::optional<Packet> read(Octets octets) {
    if (octets.size() < smallest_header || octets[0] >> 4U != 4) return std::nullopt;
    const auto header = static_cast<std::size_t>(octets[0] & 15U) * 4;
    if (header < smallest_header || octets.size() < header + ports_length) return std::nullopt;
    if ((get16(octets, 6) & 0x3fffU) != 0) return std::nullopt;  // a fragment
    const auto protocol = octets[9];
    if (protocol != 1 && protocol != 6 && protocol != 17) return std::nullopt;
    return Packet(octets, header, static_cast<Protocol>(protocol));
  }

  [[nodiscard]] Protocol protocol() const { return protocol_; }
  [[nodiscard]] std::uint8_t icmp_type() const { return octets_[header_]; }
  [[nodiscard]] Octets payload() const { return octets_.subspan(header_); }
  [[nodiscard]] bool is_query() const {
    return protocol_ != Protocol::Icmp || icmp_type() == echo || icmp_type() == echo_reply;
  }
  [[nodiscard]] bool is_error() const {
    return protocol_ == Protocol::Icmp &&
           (icmp_type() == unreachable || icmp_type() == time_exceeded);
  }

  // An echo has one identifier: on the way out it is the source's port, on the way in the
  // destination's.
  [[nodiscard]] NatEngine::Flow flow(bool out) const {
    NatEngine::Flow found{{get32(octets_, 12), 0}, {get32(octets_, 16), 0}};
    if (protocol_ == Protocol::Icmp) {
      (out ? found.source : found.destination).port = get16(octets_, header_ + 4);
    } else {
      found.source.port = get16(octets_, header_);
      found.destination.port = get16(octets_, header_ + 2);
    }
    return found;
  }

  void set_source(const Endpoint& endpoint, bool identifier = true) {
    set_address(12, endpoint.address);
    set_port(protocol_ == Protocol::Icmp ? 4 : 0, endpoint.port, identifier);
  }
  void set_destination(const Endpoint& endpoint, bool identifier = true) {
    set_address(16, endpoint.address);
    set_port(protocol_ == Protocol::Icmp ? 4 : 2, endpoint.port, identifier);
  }

  // False when it has come to the end of its life.
  [[nodiscard]] bool take_hop() {
    if (octets_[8] <= 1) return false;
    const auto before = get16(octets_, 8);
    --octets_[8];
    put16(octets_, 10, adjusted(get16(octets_, 10), before, get16(octets_, 8)));
    return true;
  }

  // After anything inside an ICMP error has changed.
  void sum_up_icmp() const {
    const Octets message = payload();
    put16(message, 2, 0);
    put16(message, 2, internet_checksum(message));
  }

 private:
  Packet(Octets octets, std::size_t header, Protocol protocol)
      : octets_(octets), header_(header), protocol_(protocol) {}

  void set_address(std::size_t at, std::uint32_t address) {
    for (const std::size_t half : {at, at + 2}) {
      const auto before = get16(octets_, half);
      const auto after = static_cast<std::uint16_t>(half == at ? address >> 16U : address);
      put16(octets_, 10, adjusted(get16(octets_, 10), before, after));
      if (protocol_ != Protocol::Icmp) adjust_payload(before, after);  // the pseudo-header has it
    }
    put32(octets_, at, address);
  }

  void set_port(std::size_t at, std::uint16_t port, bool identifier) {
    if (protocol_ == Protocol::Icmp && !identifier) return;
    adjust_payload(get16(octets_, header_ + at), port);
    put16(octets_, header_ + at, port);
  }

  void adjust_payload(std::uint16_t before, std::uint16_t after) {
    const std::size_t at = header_ + (protocol_ == Protocol::Udp   ? 6
                                      : protocol_ == Protocol::Tcp ? 16
                                                                   : 2);
    if (at + 2 > octets_.size()) return;  // a quoted packet is cut before TCP's checksum
    const auto checksum = get16(octets_, at);
    if (protocol_ == Protocol::Udp && checksum == 0) return;  // none was sent
    const auto changed = adjusted(checksum, before, after);
    put16(octets_, at, protocol_ == Protocol::Udp && changed == 0 ? 0xffff : changed);
  }

  Octets octets_;
  std::size_t header_;
  Protocol protocol_;
};

// An ICMP error quotes the packet that it is about (RFC 5508 section 4).
std::optional<Exit> translate_error(Packet& packet, NatEngine& engine, Time now, bool out) {
  auto quoted = Packet::read(packet.payload().subspan(ports_length));
  if (!quoted || !quoted->is_query()) return std::nullopt;
  if (out) {
    const auto flow = quoted->flow(false);
    const auto external =
        engine.outside_of(quoted->protocol(), {flow.destination, flow.source}, now);
    if (!external) return std::nullopt;
    quoted->set_destination(*external);
    packet.set_source({external->address, 0}, false);
  } else {
    const auto inside = engine.inside_of(quoted->protocol(), quoted->flow(true).source, now);
    if (!inside) return std::nullopt;
    quoted->set_source(*inside);
    packet.set_destination({inside->address, 0}, false);
  }
  packet.sum_up_icmp();
  return out ? Exit::Outside : Exit::Inside;
}

}  // namespace

std::uint16_t internet_checksum(std::span<const std::uint8_t> octets) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at + 1 < octets.size(); at += 2) sum += get16(octets, at);
  if (octets.size() % 2 != 0) sum += static_cast<std::uint32_t>(octets.back()) << 8U;
  while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

std::uint32_t source_address(std::span<const std::uint8_t> packet) {
  return packet.size() < smallest_header ? 0 : get32(packet, 12);
}

std::uint32_t destination_address(std::span<const std::uint8_t> packet) {
  return packet.size() < smallest_header ? 0 : get32(packet, 16);
}

std::optional<Exit> translate_outbound(Octets octets, NatEngine& engine, Time now) {
  auto packet = Packet::read(octets);
  if (!packet || !packet->take_hop()) return std::nullopt;
  if (packet->is_error()) return translate_error(*packet, engine, now, true);
  if (!packet->is_query()) return std::nullopt;
  const auto verdict = engine.outbound(packet->protocol(), packet->flow(true), now);
  if (!verdict) return std::nullopt;
  packet->set_source(verdict->flow.source);
  if (verdict->hairpinned) packet->set_destination(verdict->flow.destination);
  return verdict->hairpinned ? Exit::Inside : Exit::Outside;
}

std::optional<Exit> translate_inbound(Octets octets, NatEngine& engine, Time now) {
  auto packet = Packet::read(octets);
  if (!packet || !packet->take_hop()) return std::nullopt;
  if (packet->is_error()) return translate_error(*packet, engine, now, false);
  if (!packet->is_query()) return std::nullopt;
  const auto flow = engine.inbound(packet->protocol(), packet->flow(false), now);
  if (!flow) return std::nullopt;
  packet->set_destination(flow->destination);
  return Exit::Inside;
}

}  // namespace peersock::testbed
