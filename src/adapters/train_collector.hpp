// Gathers datagrams that arrive one by one into trains, so that the QUIC side is run once for many.
#pragma once

#include <vector>

#include "core/bytes.hpp"
#include "quic/datagram.hpp"

namespace peersock::adapters {

class TrainCollector {
 public:
  /// More are not worth waiting for: the QUIC side wants to acknowledge.
  static constexpr std::size_t kMaxDatagrams = 64;
  static constexpr std::size_t kMaxOctets = 65536;

  TrainCollector();

  /// False when there is no room: `trains` is to be taken and `clear` called first. An empty
  /// datagram is dropped.
  [[nodiscard]] bool add(ByteView datagram);
  [[nodiscard]] bool empty() const { return datagrams_ == 0; }
  [[nodiscard]] bool full() const { return datagrams_ >= kMaxDatagrams; }
  [[nodiscard]] std::size_t datagrams() const { return datagrams_; }
  /// In the order of arrival. The views hold until the next call of `add` or `clear`.
  [[nodiscard]] const std::vector<quic::DatagramTrain>& trains() const { return trains_; }
  void clear();

 private:
  Bytes buffer_;
  std::size_t used_ = 0;
  std::size_t datagrams_ = 0;
  std::vector<quic::DatagramTrain> trains_;
  bool open_ = false;  // the last train takes more
};

}  // namespace peersock::adapters
