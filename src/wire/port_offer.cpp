#include "wire/port_offer.hpp"

#include <algorithm>

#include <arpa/inet.h>

namespace peersock::wire {
namespace {

constexpr std::size_t kAddressAt = 1 + sizeof(CheckKey);
constexpr std::size_t kPortAt = kAddressAt + 4;

void append_port(Bytes& out, std::uint16_t port) {
  out.push_back(static_cast<std::uint8_t>(port >> 8U));
  out.push_back(static_cast<std::uint8_t>(port & 0xffU));
}

std::uint16_t port_at(ByteView body, std::size_t at) {
  return static_cast<std::uint16_t>(body[at] << 8U | body[at + 1]);
}

PortMapping mapping_of(std::uint8_t octet) {
  const bool known = octet <= static_cast<std::uint8_t>(PortMapping::kEndpointDependent);
  return known ? static_cast<PortMapping>(octet) : PortMapping::kUnknown;
}

}  // namespace

Bytes encode(const PortOffer& offer) {
  Bytes out;
  out.reserve(kMaxOfferSize);
  out.push_back(static_cast<std::uint8_t>(offer.mapping));
  out.insert(out.end(), offer.key.begin(), offer.key.end());
  std::array<std::uint8_t, 4> address{};
  if (inet_pton(AF_INET, offer.external.address.c_str(), address.data()) != 1) address = {};
  out.insert(out.end(), address.begin(), address.end());
  append_port(out, offer.external.port);
  for (std::size_t i = 0; i < std::min(offer.likely.size(), kMaxOfferedPorts); ++i) {
    append_port(out, offer.likely[i]);
  }
  return out;
}

std::optional<PortOffer> parse_port_offer(ByteView body) {
  if (body.size() < kMinOfferSize || body.size() > kMaxOfferSize) return std::nullopt;
  if ((body.size() - kMinOfferSize) % 2 != 0) return std::nullopt;
  PortOffer offer;
  offer.mapping = mapping_of(body[0]);
  std::copy_n(body.begin() + 1, offer.key.size(), offer.key.begin());
  std::array<char, INET_ADDRSTRLEN> text{};
  if (inet_ntop(AF_INET, &body[kAddressAt], text.data(), text.size()) == nullptr) {
    return std::nullopt;
  }
  offer.external = {text.data(), port_at(body, kPortAt)};
  if (offer.external.port == 0) return std::nullopt;
  for (std::size_t at = kMinOfferSize; at < body.size(); at += 2) {
    offer.likely.push_back(port_at(body, at));
  }
  return offer;
}

}  // namespace peersock::wire
