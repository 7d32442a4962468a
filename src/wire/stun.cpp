#include "wire/stun.hpp"

#include <algorithm>

#include <arpa/inet.h>

#include "wire/stun_format.hpp"

namespace peersock::wire {
namespace {

using namespace stun;

constexpr std::uint16_t kBindingError = 0x0111;

// RFC 8489 section 18.3, RFC 5780 section 9.1, RFC 3489 section 11.2.
constexpr std::uint16_t kMappedAddress = 0x0001;
constexpr std::uint16_t kChangeRequest = 0x0003;
constexpr std::uint16_t kChangedAddress = 0x0005;
constexpr std::uint16_t kErrorCode = 0x0009;
constexpr std::uint16_t kOtherAddress = 0x802c;
constexpr std::uint8_t kChangeAddressFlag = 0x04;
constexpr std::uint8_t kChangePortFlag = 0x02;
constexpr std::uint8_t kFamilyIpv6 = 2;

/// RFC 8489 section 14.1 and 14.2. `mask` is what the address is combined with: cookie and
/// transaction, or zeros.
std::optional<StunAddress> read_address(ByteView value, ByteView mask) {
  if (value.size() < 4) return std::nullopt;
  const std::size_t size = value[1] == kFamilyIpv4 ? 4 : 16;
  if (value[1] != kFamilyIpv4 && value[1] != kFamilyIpv6) return std::nullopt;
  if (value.size() != 4 + size) return std::nullopt;
  std::array<std::uint8_t, 16> octets{};
  for (std::size_t i = 0; i < size; ++i) {
    octets.at(i) = static_cast<std::uint8_t>(value[4 + i] ^ mask[i]);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = size == 4 ? AF_INET : AF_INET6;
  if (inet_ntop(family, octets.data(), text.data(), text.size()) == nullptr) return std::nullopt;
  StunAddress address;
  address.address = text.data();
  address.port = static_cast<std::uint16_t>(number_at(value, 2) ^ number_at(mask, 0));
  if (address.port == 0) return std::nullopt;
  return address;
}

std::optional<StunKind> kind_of(std::uint16_t type) {
  switch (type) {
    case kBindingRequest:
      return StunKind::kRequest;
    case kBindingSuccess:
      return StunKind::kSuccess;
    case kBindingError:
      return StunKind::kError;
    default:
      return std::nullopt;
  }
}

/// Gathers what attributes say, whatever their order.
struct Attributes {
  std::array<std::uint8_t, 16> mask{};
  std::optional<StunAddress> mapped;
  std::optional<StunAddress> mapped_plainly;
  std::optional<StunAddress> other;
  std::optional<StunAddress> changed;
  int error_code = 0;

  void take(std::uint16_t type, ByteView value) {
    static constexpr std::array<std::uint8_t, 16> kPlain{};
    switch (type) {
      case kXorMappedAddress:
        if (!mapped) mapped = read_address(value, mask);
        break;
      case kMappedAddress:
        if (!mapped_plainly) mapped_plainly = read_address(value, kPlain);
        break;
      case kOtherAddress:
        if (!other) other = read_address(value, kPlain);
        break;
      case kChangedAddress:
        if (!changed) changed = read_address(value, kPlain);
        break;
      case kErrorCode:
        take_error(value);
        break;
      default:
        break;
    }
  }

  void take_error(ByteView value) {
    if (value.size() < 4) return;
    const int code = (value[2] & 0x07U) * 100 + value[3];
    if (code >= 300 && code <= 699) error_code = code;
  }
};

}  // namespace

Bytes encode(const StunRequest& request) {
  const bool changes = request.change_address || request.change_port;
  Bytes out = start_message(kBindingRequest, changes ? 8 : 0, request.transaction);
  if (!changes) return out;
  append_number(out, kChangeRequest);
  append_number(out, 4);
  const unsigned flags = (request.change_address ? kChangeAddressFlag : 0U) |
                         (request.change_port ? kChangePortFlag : 0U);
  out.insert(out.end(), {0, 0, 0, static_cast<std::uint8_t>(flags)});
  return out;
}

std::optional<StunMessage> parse_stun(ByteView datagram) {
  if (datagram.size() < kHeaderSize || datagram.size() > kMaxStunMessage) return std::nullopt;
  const auto kind = kind_of(number_at(datagram, 0));
  if (!kind || number_at(datagram, 2) != datagram.size() - kHeaderSize) return std::nullopt;
  if (!std::equal(kMagicCookie.begin(), kMagicCookie.end(), datagram.begin() + 4)) {
    return std::nullopt;
  }
  StunMessage message;
  message.kind = *kind;
  std::copy_n(datagram.begin() + 8, message.transaction.size(), message.transaction.begin());
  Attributes attributes;
  std::copy_n(datagram.begin() + 4, attributes.mask.size(), attributes.mask.begin());
  ByteView rest = datagram.subspan(kHeaderSize);
  while (!rest.empty()) {
    if (rest.size() < 4) return std::nullopt;
    const std::size_t size = number_at(rest, 2);
    const std::size_t padded = (size + 3) / 4 * 4;
    if (rest.size() - 4 < padded) return std::nullopt;
    attributes.take(number_at(rest, 0), rest.subspan(4, size));
    rest = rest.subspan(4 + padded);
  }
  message.mapped = attributes.mapped ? attributes.mapped : attributes.mapped_plainly;
  message.other = attributes.other ? attributes.other : attributes.changed;
  message.error_code = attributes.error_code;
  return message;
}

}  // namespace peersock::wire
