#include "wire/stun_check.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <sodium.h>

namespace peersock::wire {
namespace {

constexpr std::array<std::uint8_t, 4> kMagicCookie = {0x21, 0x12, 0xa4, 0x42};
constexpr std::size_t kHeaderSize = 20;
constexpr std::size_t kAttributeHeader = 4;
constexpr std::size_t kHashSize = crypto_auth_hmacsha256_BYTES;
constexpr std::size_t kIntegritySize = kAttributeHeader + kHashSize;
static_assert(sizeof(CheckKey) == crypto_auth_hmacsha256_KEYBYTES);

constexpr std::uint16_t kBindingRequest = 0x0001;
constexpr std::uint16_t kBindingSuccess = 0x0101;
constexpr std::uint16_t kIntegrity = 0x001c;
constexpr std::uint16_t kXorMappedAddress = 0x0020;
constexpr std::uint16_t kUseCandidate = 0x0025;
constexpr std::uint8_t kFamilyIpv4 = 1;

std::uint16_t number_at(ByteView octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8U | octets[at + 1]);
}

void append(Bytes& out, std::size_t number) {
  out.push_back(static_cast<std::uint8_t>(number >> 8U));
  out.push_back(static_cast<std::uint8_t>(number & 0xffU));
}

void append_mapped(Bytes& out, const StunAddress& mapped) {
  std::array<std::uint8_t, 4> address{};
  if (inet_pton(AF_INET, mapped.address.c_str(), address.data()) != 1) return;
  append(out, kXorMappedAddress);
  append(out, 8);
  append(out, kFamilyIpv4);
  append(out, mapped.port ^ number_at(kMagicCookie, 0));
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
    append(attributes, kUseCandidate);
    append(attributes, 0);
  }
  if (check.mapped) append_mapped(attributes, *check.mapped);
  Bytes out;
  append(out, check.answer ? kBindingSuccess : kBindingRequest);
  // The length that the integrity covers counts the integrity itself.
  append(out, attributes.size() + kIntegritySize);
  out.insert(out.end(), kMagicCookie.begin(), kMagicCookie.end());
  out.insert(out.end(), check.transaction.begin(), check.transaction.end());
  out.insert(out.end(), attributes.begin(), attributes.end());
  std::array<std::uint8_t, kHashSize> hash{};
  crypto_auth_hmacsha256(hash.data(), out.data(), out.size(), key.data());
  append(out, kIntegrity);
  append(out, kHashSize);
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
