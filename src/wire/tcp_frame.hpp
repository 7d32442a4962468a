// What ICE over TCP (RFC 6544) puts on a connection: frames of RFC 4571, each a check or a datagram
// of QUIC, and the key of the checks. docs/spec/ice.md, TCP.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/bytes.hpp"
#include "wire/port_offer.hpp"

namespace peersock::wire {

/// Longest frame that is sent and taken, in octets: more than any datagram of ours. RFC 4571
/// section 2 allows 65535, which a stranger could make us wait for.
inline constexpr std::size_t kMaxTcpFrame = 2048;

/// `content` has 1 to kMaxTcpFrame octets.
void append_tcp_frame(Bytes& out, ByteView content);

/// Finds the frames in the octets of one connection. Holds no more than was added last and an
/// unfinished frame.
class TcpFrameReader {
 public:
  void add(ByteView octets);
  /// The next whole frame, of those that are not empty; valid until `add`.
  [[nodiscard]] std::optional<ByteView> next();
  /// A frame is too long: there is nothing more to be read here.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  Bytes buffer_;
  std::size_t at_ = 0;
  bool broken_ = false;
};

/// Of the checks that are sent to the owner of these ICE credentials, and of his answers.
[[nodiscard]] CheckKey tcp_check_key(std::string_view ufrag, std::string_view password);

}  // namespace peersock::wire
