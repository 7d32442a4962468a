// Octets that must not reach a log, an argument list or a core file's readable text.
#pragma once

#include "core/bytes.hpp"

namespace peersock {

/// Owns secret octets and wipes them when it goes. It cannot be printed, compared or copied by
/// accident: `reveal()` and `clone()` are the only ways in, and are easy to search for.
class Secret {
 public:
  Secret() = default;
  explicit Secret(Bytes bytes);
  explicit Secret(std::string_view text);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  [[nodiscard]] Secret clone() const;
  [[nodiscard]] ByteView reveal() const { return bytes_; }
  [[nodiscard]] std::string_view reveal_text() const { return as_text(bytes_); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  void wipe() noexcept;
  Bytes bytes_;
};

/// Overwrites a plain buffer that held something secret, in a way the compiler keeps.
void wipe(MutableBytes bytes) noexcept;
void wipe(std::string& text) noexcept;

/// Constant-time equality; false for different sizes.
[[nodiscard]] bool equal_secret(ByteView a, ByteView b);

}  // namespace peersock
