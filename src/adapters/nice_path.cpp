#include "adapters/nice_path.hpp"

namespace peersock::adapters {

quic::SendOutcome NicePath::send_batch(const quic::DatagramTrain& train) {
  return agent_.send_batch(train);
}

std::size_t NicePath::receive_batch(const TrainHandler& /*handler*/, std::size_t /*budget*/) {
  return 0;
}

}  // namespace peersock::adapters
