#include "core/secret.hpp"

#include <utility>

#include <sodium.h>

namespace peersock {

Secret::Secret(Bytes bytes) : bytes_(std::move(bytes)) {}

Secret::Secret(std::string_view text) : bytes_(to_bytes(text)) {}

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) {
  other.bytes_.clear();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
    other.bytes_.clear();
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

Secret Secret::clone() const {
  return Secret(bytes_);
}

void Secret::wipe() noexcept {
  peersock::wipe(MutableBytes(bytes_));
  bytes_.clear();
}

void wipe(MutableBytes bytes) noexcept {
  if (!bytes.empty()) sodium_memzero(bytes.data(), bytes.size());
}

void wipe(std::string& text) noexcept {
  if (!text.empty()) sodium_memzero(text.data(), text.size());
  text.clear();
}

bool equal_secret(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace peersock
