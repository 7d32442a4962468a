// Datagrams in batches: the only thing that a QUIC engine sees of the network.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "core/bytes.hpp"

namespace peersock::quic {

/// ECN code point of RFC 3168 (the two low bits of the traffic class).
enum class Ecn : std::uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

/// A train: datagrams of `segment` octets each in one buffer, the last one may be shorter.
/// The view is only valid during the call that passes it.
struct DatagramTrain {
  ByteView bytes;
  std::size_t segment = 0;
  Ecn ecn = Ecn::kNotEct;
};

/// Calls `fn(ByteView)` for every datagram of the train.
template <typename F>
void for_each_datagram(const DatagramTrain& train, F&& fn) {
  const std::size_t segment = train.segment == 0 ? train.bytes.size() : train.segment;
  for (std::size_t at = 0; at < train.bytes.size(); at += segment) {
    fn(train.bytes.subspan(at, std::min(segment, train.bytes.size() - at)));
  }
}

[[nodiscard]] inline bool is_several(const DatagramTrain& train) {
  return train.segment != 0 && train.segment < train.bytes.size();
}

[[nodiscard]] inline std::size_t datagrams_in(const DatagramTrain& train) {
  if (train.segment == 0) return train.bytes.empty() ? 0 : 1;
  return (train.bytes.size() + train.segment - 1) / train.segment;
}

enum class SendOutcome : std::uint8_t {
  kSent,        ///< all of it was taken
  kWouldBlock,  ///< nothing was taken; wait until the path is writable
  kTooBig,      ///< the path's MTU is smaller than `segment`: counts as loss
  kError,       ///< the path is gone for now; counts as loss
};

/// What every path carries, or QUIC does not work over it (RFC 9000 section 14), and so what is
/// sent where nothing else is known.
inline constexpr std::size_t kMinDatagramLimit = 1200;
/// What an Ethernet's 1500 octets leave after the headers of IPv6 and UDP: larger ones are not
/// tried.
inline constexpr std::size_t kMaxDatagramLimit = 1452;

/// Trains that arrived together; one call is one reason to run the QUIC side.
using TrainsHandler = std::function<void(std::span<const DatagramTrain>)>;

/// A way to the peer that ICE found. Two kinds exist: through libnice's own calls, and through a
/// socket of our own beside it.
class DatagramPath {
 public:
  DatagramPath() = default;
  DatagramPath(const DatagramPath&) = delete;
  DatagramPath& operator=(const DatagramPath&) = delete;
  DatagramPath(DatagramPath&&) = delete;
  DatagramPath& operator=(DatagramPath&&) = delete;
  virtual ~DatagramPath() = default;

  virtual SendOutcome send_batch(const DatagramTrain& train) = 0;
  /// Reads at least `budget` datagrams, or all that there are, and hands on what each system call
  /// gave; returns how many there were. Paths that are pushed to (fd() < 0) return 0 always.
  virtual std::size_t receive_batch(const TrainsHandler& handler, std::size_t budget) = 0;
  /// A descriptor to poll, or -1 when the path pushes.
  [[nodiscard]] virtual int fd() const = 0;
};

}  // namespace peersock::quic
