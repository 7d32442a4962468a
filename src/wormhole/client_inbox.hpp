// The peer's messages: each once, held until its turn. Bodies are kept as they came; only `pake`
// can be read before the key is known.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace peersock::wormhole {

class ClientInbox {
 public:
  enum class Verdict : std::uint8_t {
    kTaken,
    kIgnored,      ///< seen before, or a phase that this version does not know
    kMalformed,    ///< not hexadecimal
    kContradicts,  ///< a second, different `pake`
    kTooMuch,      ///< more waits than we keep
  };
  [[nodiscard]] Verdict put(std::string_view phase, std::string_view body);

  /// Nothing until it has come.
  [[nodiscard]] const std::optional<Bytes>& pake() const { return pake_; }
  [[nodiscard]] const std::optional<Bytes>& version() const { return version_; }

  struct Numbered {
    std::string phase;
    Bytes body;
  };
  /// Takes the numbered message whose turn it is, if it is there.
  [[nodiscard]] std::optional<Numbered> take_next();

 private:
  [[nodiscard]] Verdict put_numbered(std::uint64_t number, std::string_view body);

  std::optional<Bytes> pake_;
  std::optional<Bytes> version_;
  std::map<std::uint64_t, Bytes> pending_;
  std::size_t pending_octets_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace peersock::wormhole
