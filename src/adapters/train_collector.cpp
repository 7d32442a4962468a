#include "adapters/train_collector.hpp"

#include <algorithm>

namespace peersock::adapters {

TrainCollector::TrainCollector() : buffer_(kMaxOctets) {
  trains_.reserve(kMaxDatagrams);
}

bool TrainCollector::add(ByteView datagram) {
  if (datagram.empty()) return true;
  if (full() || buffer_.size() - used_ < datagram.size()) return false;
  std::copy(datagram.begin(), datagram.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
  if (open_ && datagram.size() <= trains_.back().segment) {
    quic::DatagramTrain& train = trains_.back();
    train.bytes = ByteView(train.bytes.data(), train.bytes.size() + datagram.size());
    // Only the last datagram of a train may be shorter than the others.
    open_ = datagram.size() == train.segment;
  } else {
    trains_.push_back({ByteView(buffer_).subspan(used_, datagram.size()), datagram.size()});
    open_ = true;
  }
  used_ += datagram.size();
  ++datagrams_;
  return true;
}

void TrainCollector::clear() {
  trains_.clear();
  used_ = 0;
  datagrams_ = 0;
  open_ = false;
}

}  // namespace peersock::adapters
