#include "adapters/nice_path.hpp"

namespace peersock::adapters {

quic::SendOutcome NicePath::send_batch(const quic::DatagramTrain& train) {
  return sender_.send(train);
}

std::size_t NicePath::receive_batch(const quic::TrainsHandler& /*handler*/,
                                    std::size_t /*budget*/) {
  return 0;
}

}  // namespace peersock::adapters
