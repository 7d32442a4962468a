// The datagram path that always works: libnice's own calls, whatever pair it has selected.
#pragma once

#include "adapters/nice_sender.hpp"
#include "quic/datagram.hpp"

namespace peersock::adapters {

class NicePath final : public quic::DatagramPath {
 public:
  /// `sender` outlives the path. What arrives is pushed to whoever has attached to the agent.
  explicit NicePath(NiceSender& sender) : sender_(sender) {}

  quic::SendOutcome send_batch(const quic::DatagramTrain& train) override;
  std::size_t receive_batch(const quic::TrainsHandler& handler, std::size_t budget) override;
  [[nodiscard]] int fd() const override { return -1; }

 private:
  NiceSender& sender_;
};

}  // namespace peersock::adapters
