#include "wire/stun_check.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <sodium.h>

#include "wire/stun_format.hpp"

namespace peersock::wire {
namespace {

using namespace stun;

constexpr std::size_t kAttributeHeader = 4;
constexpr std::size_t kHashSize = crypto_auth_hmacsha256_BYTES;
constexpr std::size_t kIntegritySize = kAttributeHeader + kHashSize;
static_assert(sizeof(CheckKey) == crypto_auth_hmacsha256_KEYBYTES);

constexpr std::uint16_t kIntegrity = 0x001c;
constexpr std::uint16_t kUseCandidate = 0x0025;

void append_mapped(Bytes& out, const StunAddress& mapped) {
  std::array<std::uint8_t, 4> address{};
  if (inet_pton(AF_INET, mapped.address.c_str(), address.data()) != 1) return;
  append_number(out, kXorMappedAddress);
  append_number(out, 8);
  append_number(out, kFamilyIpv4);
  append_number(out, mapped.port ^ number_at(kMagicCookie, 0));
  for (std::size_t i = 0; i < address.size(); ++i) {
    out.push_back(static_cast<std::uint8_t>(address.at(i) ^ kMagicCookie.at(i)));
  }
}

/// Of attributes that parse_stun has found to fit.
bool has_attribute(ByteView attributes, std::uint16_t wanted) {
  while (attributes.size() >= kAttributeHeader) {
    if (number_at(attributes, 0) == wanted) return true;
    const std::size_t padded = (number_at(attributes, 2) + std::size_t{3}) / 4 * 4;
    if (attributes.size() - kAttributeHeader < padded) return false;
    attributes = attributes.subspan(kAttributeHeader + padded);
  }
  return false;
}

}  // namespace

Bytes encode(const StunCheck& check, const CheckKey& key) {
  Bytes attributes;
  if (check.nominates) {
    append_number(attributes, kUseCandidate);
    append_number(attributes, 0);
  }
  if (check.mapped) append_mapped(attributes, *check.mapped);
  // The length that the integrity covers counts the integrity itself.
  Bytes out = start_message(check.answer ? kBindingSuccess : kBindingRequest,
                            attributes.size() + kIntegritySize, check.transaction);
  out.insert(out.end(), attributes.begin(), attributes.end());
  std::array<std::uint8_t, kHashSize> hash{};
  crypto_auth_hmacsha256(hash.data(), out.data(), out.size(), key.data());
  append_number(out, kIntegrity);
  append_number(out, kHashSize);
  out.insert(out.end(), hash.begin(), hash.end());
  return out;
}

std::optional<StunCheck> parse_check(ByteView datagram, const CheckKey& key) {
  const auto message = parse_stun(datagram);
  if (!message || message->kind == StunKind::kError) return std::nullopt;
  if (datagram.size() < kHeaderSize + kIntegritySize) return std::nullopt;
  const ByteView covered = datagram.first(datagram.size() - kIntegritySize);
  const ByteView integrity = datagram.last(kIntegritySize);
  if (number_at(integrity, 0) != kIntegrity || number_at(integrity, 2) != kHashSize) {
    return std::nullopt;
  }
  const ByteView hash = integrity.subspan(kAttributeHeader);
  if (crypto_auth_hmacsha256_verify(hash.data(), covered.data(), covered.size(), key.data()) != 0) {
    return std::nullopt;
  }
  StunCheck check;
  check.transaction = message->transaction;
  check.answer = message->kind == StunKind::kSuccess;
  check.nominates = !check.answer && has_attribute(covered.subspan(kHeaderSize), kUseCandidate);
  if (check.answer) check.mapped = message->mapped;
  return check;
}

}  // namespace peersock::wire
