#include "wire/tcp_frame.hpp"

#include <sodium.h>

namespace peersock::wire {
namespace {

constexpr std::size_t kLengthSize = 2;
constexpr std::string_view kKeyLabel = "peersock ice-tcp";

void absorb(crypto_hash_sha256_state& hash, std::string_view text) {
  const ByteView octets = as_bytes(text);
  if (!octets.empty()) crypto_hash_sha256_update(&hash, octets.data(), octets.size());
}

}  // namespace

void append_tcp_frame(Bytes& out, ByteView content) {
  out.push_back(static_cast<std::uint8_t>(content.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(content.size() & 0xff));
  out.insert(out.end(), content.begin(), content.end());
}

void TcpFrameReader::add(ByteView octets) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  if (!broken_) buffer_.insert(buffer_.end(), octets.begin(), octets.end());
}

std::optional<ByteView> TcpFrameReader::next() {
  while (!broken_ && buffer_.size() - at_ >= kLengthSize) {
    const std::size_t length = (std::size_t{buffer_[at_]} << 8) + buffer_[at_ + 1];
    if (length > kMaxTcpFrame) {
      broken_ = true;
      break;
    }
    if (buffer_.size() - at_ - kLengthSize < length) break;
    const ByteView frame = ByteView(buffer_).subspan(at_ + kLengthSize, length);
    at_ += kLengthSize + length;
    if (length > 0) return frame;
  }
  return std::nullopt;
}

CheckKey tcp_check_key(std::string_view ufrag, std::string_view password) {
  crypto_hash_sha256_state hash{};
  crypto_hash_sha256_init(&hash);
  for (const std::string_view part : {kKeyLabel, ufrag}) {
    absorb(hash, part);
    absorb(hash, "\n");
  }
  absorb(hash, password);
  CheckKey key{};
  static_assert(sizeof(CheckKey) == crypto_hash_sha256_BYTES);
  crypto_hash_sha256_final(&hash, key.data());
  return key;
}

}  // namespace peersock::wire
