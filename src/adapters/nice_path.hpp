// The datagram path that always works: libnice's own calls, whatever pair it has selected.
#pragma once

#include "adapters/nice_agent.hpp"
#include "quic/datagram.hpp"

namespace peersock::adapters {

class NicePath final : public quic::DatagramPath {
 public:
  /// `agent` outlives the path. What arrives is pushed to the agent's trains handler.
  explicit NicePath(IceAgent& agent) : agent_(agent) {}

  quic::SendOutcome send_batch(const quic::DatagramTrain& train) override;
  std::size_t receive_batch(const TrainHandler& handler, std::size_t budget) override;
  [[nodiscard]] int fd() const override { return -1; }

 private:
  IceAgent& agent_;
};

}  // namespace peersock::adapters
