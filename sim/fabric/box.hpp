// What is joined by cables: hosts, NATs, the backbone.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace peersock::sim {

/// One IP packet, without a link layer.
using Frame = std::vector<std::uint8_t>;

/// Something that takes packets in at numbered plugs, and sends them out there. Whoever owns the
/// boxes destroys the cables first.
class Box {
 public:
  Box() = default;
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;
  Box(Box&&) = delete;
  Box& operator=(Box&&) = delete;
  virtual ~Box() = default;

  virtual void receive(Frame frame, std::size_t plug) = 0;

  /// A cable brings its way out with it; plugs are counted from 0 in this order.
  std::size_t plug_in(std::function<void(Frame)> out) {
    plugs_.push_back(std::move(out));
    return plugs_.size() - 1;
  }

 protected:
  void send(Frame frame, std::size_t plug) {
    if (plug < plugs_.size()) plugs_[plug](std::move(frame));
  }

 private:
  std::vector<std::function<void(Frame)>> plugs_;
};

}  // namespace peersock::sim
