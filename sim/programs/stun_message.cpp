#include "programs/stun_message.hpp"

#include <algorithm>
#include <string>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace peersock::sim {
namespace {

constexpr std::size_t kHeader = 20;
constexpr std::array<std::uint8_t, 4> kMagic = {0x21, 0x12, 0xa4, 0x42};
constexpr std::uint16_t kClassBits = 0x110;
constexpr std::size_t kSha1 = 20;

std::uint16_t get16(OctetView octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

void put16(Octets& octets, std::size_t value) {
  octets.push_back(static_cast<std::uint8_t>(value >> 8));
  octets.push_back(static_cast<std::uint8_t>(value));
}

std::size_t padded(std::size_t size) {
  return (size + 3) / 4 * 4;
}

std::size_t size_of(Family family) {
  return family == Family::kIpv4 ? 4 : 16;
}

Octets hmac_sha1(OctetView key, OctetView octets) {
  Octets digest(kSha1);
  unsigned size = 0;
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), octets.data(), octets.size(),
       digest.data(), &size);
  return digest;
}

std::optional<SocketName> read_address(OctetView value, const StunId& id) {
  if (value.size() < 8) return std::nullopt;
  SocketName name;
  name.family = value[1] == 2 ? Family::kIpv6 : Family::kIpv4;
  if (value.size() < 4 + size_of(name.family)) return std::nullopt;
  const StunId& mask = id;
  name.port = static_cast<std::uint16_t>(get16(value, 2) ^ get16(mask, 0));
  for (std::size_t i = 0; i < size_of(name.family); ++i) {
    name.address[i] = static_cast<std::uint8_t>(value[4 + i] ^ mask[i]);
  }
  return name;
}

}  // namespace

bool has_cookie(const StunId& id) {
  return std::equal(kMagic.begin(), kMagic.end(), id.begin());
}

std::optional<StunView> read_stun(OctetView datagram) {
  if (datagram.size() < kHeader || (datagram[0] & 0xc0) != 0) return std::nullopt;
  const std::uint16_t type = get16(datagram, 0);
  if (get16(datagram, 2) + kHeader != datagram.size()) return std::nullopt;
  StunView view;
  view.kind = static_cast<StunClass>(type & kClassBits);
  view.method = static_cast<StunMethod>(type & ~kClassBits);
  view.datagram = datagram;
  std::copy_n(datagram.begin() + 4, view.id.size(), view.id.begin());
  for (std::size_t at = kHeader; at + 4 <= datagram.size();) {
    const std::size_t size = get16(datagram, at + 2);
    if (at + 4 + size > datagram.size()) return std::nullopt;
    view.attributes.emplace_back(static_cast<StunAttribute>(get16(datagram, at)),
                                 datagram.subspan(at + 4, size));
    at += 4 + padded(size);
  }
  return view;
}

std::optional<OctetView> StunView::find(StunAttribute attribute) const {
  for (const auto& [type, value] : attributes) {
    if (type == attribute) return value;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> StunView::find_number(StunAttribute attribute) const {
  const auto value = find(attribute);
  if (!value || value->size() != 4) return std::nullopt;
  return static_cast<std::uint32_t>(get16(*value, 0)) << 16 | get16(*value, 2);
}

std::vector<SocketName> StunView::addresses(StunAttribute attribute) const {
  std::vector<SocketName> found;
  for (const auto& [type, value] : attributes) {
    if (type != attribute) continue;
    if (const auto name = read_address(value, id)) found.push_back(*name);
  }
  return found;
}

bool StunView::is_signed_with(OctetView key) const {
  const auto signature = find(StunAttribute::kMessageIntegrity);
  if (!signature || signature->size() != kSha1) return false;
  const auto before = static_cast<std::size_t>(signature->data() - datagram.data()) - 4;
  // The length is that of a message which ends with the signature.
  Octets text(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(before));
  const std::size_t length = before - kHeader + 4 + kSha1;
  text[2] = static_cast<std::uint8_t>(length >> 8);
  text[3] = static_cast<std::uint8_t>(length);
  return std::ranges::equal(hmac_sha1(key, text), *signature);
}

StunWriter::StunWriter(StunClass kind, StunMethod method, const StunId& id) : id_(id) {
  put16(octets_, static_cast<std::size_t>(kind) | static_cast<std::size_t>(method));
  put16(octets_, 0);
  octets_.insert(octets_.end(), id.begin(), id.end());
}

void StunWriter::set_length(std::size_t length) {
  octets_[2] = static_cast<std::uint8_t>(length >> 8);
  octets_[3] = static_cast<std::uint8_t>(length);
}

StunWriter& StunWriter::add(StunAttribute attribute, OctetView value) {
  put16(octets_, static_cast<std::size_t>(attribute));
  put16(octets_, value.size());
  octets_.insert(octets_.end(), value.begin(), value.end());
  octets_.resize(kHeader + padded(octets_.size() - kHeader));
  set_length(octets_.size() - kHeader);
  return *this;
}

StunWriter& StunWriter::add_text(StunAttribute attribute, std::string_view text) {
  return add(attribute, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

StunWriter& StunWriter::add_number(StunAttribute attribute, std::uint32_t number) {
  const std::array<std::uint8_t, 4> octets = {
      static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
      static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  return add(attribute, octets);
}

StunWriter& StunWriter::add_address(StunAttribute attribute, const SocketName& name) {
  const StunId mask = attribute == StunAttribute::kMappedAddress ? StunId{} : id_;
  Octets value = {0, static_cast<std::uint8_t>(name.family == Family::kIpv4 ? 1 : 2)};
  put16(value, name.port ^ get16(mask, 0));
  for (std::size_t i = 0; i < size_of(name.family); ++i) {
    value.push_back(static_cast<std::uint8_t>(name.address[i] ^ mask[i]));
  }
  return add(attribute, value);
}

StunWriter& StunWriter::add_mapped(const SocketName& name) {
  return add_address(
      has_cookie(id_) ? StunAttribute::kXorMappedAddress : StunAttribute::kMappedAddress, name);
}

StunWriter& StunWriter::add_error(int code, std::string_view reason) {
  Octets value = {0, 0, static_cast<std::uint8_t>(code / 100),
                  static_cast<std::uint8_t>(code % 100)};
  value.insert(value.end(), reason.begin(), reason.end());
  return add(StunAttribute::kErrorCode, value);
}

StunWriter& StunWriter::sign(OctetView key) {
  set_length(octets_.size() - kHeader + 4 + kSha1);
  return add(StunAttribute::kMessageIntegrity, hmac_sha1(key, octets_));
}

Octets long_term_key(std::string_view user, std::string_view realm, std::string_view password) {
  std::string text(user);
  text.append(":").append(realm).append(":").append(password);
  Octets key(16);
  EVP_Digest(text.data(), text.size(), key.data(), nullptr, EVP_md5(), nullptr);
  return key;
}

}  // namespace peersock::sim
