#include "fabric/cable.hpp"

#include <utility>

namespace peersock::sim {
namespace {

/// Lines count in whole microseconds; rounded up, so that what is due has come.
testbed::Time line_time() {
  return std::chrono::ceil<testbed::Time>(now());
}

/// The two directions lose different packets.
constexpr std::uint64_t kOtherDirection = 0x9e3779b97f4a7c15U;

}  // namespace

Cable::Cable(Box& near, Box& far, const testbed::LineConfig& there, const testbed::LineConfig& back,
             std::uint64_t seed)
    : there_(far, there, seed), back_(near, back, seed ^ kOtherDirection) {
  there_.from_plug = near.plug_in([this](Frame frame) { there_.enter(std::move(frame)); });
  back_.from_plug = far.plug_in([this](Frame frame) { back_.enter(std::move(frame)); });
  there_.to_plug = back_.from_plug;
  back_.to_plug = there_.from_plug;
}

void Cable::set_connected(bool connected) {
  for (Direction* direction : {&there_, &back_}) {
    direction->connected = connected;
    if (!connected) {
      while (direction->line.leave(testbed::Time::max())) {
      }
    }
  }
}

void Cable::set_lines(const testbed::LineConfig& there, const testbed::LineConfig& back) {
  there_.replace(there);
  back_.replace(back);
}

void Cable::Direction::replace(const testbed::LineConfig& config) {
  // Another part of the random sequence, or every change would lose the same packets again.
  line = testbed::Line(config, ++seed);
  arrival.cancel();
}

void Cable::Direction::enter(Frame frame) {
  if (!connected) return;
  line.enter(std::move(frame), line_time());
  if (const auto next = line.next_arrival()) arrival.after_at_most(*next - now());
}

void Cable::Direction::deliver() {
  while (auto frame = line.leave(line_time())) to.receive(std::move(*frame), to_plug);
  if (const auto next = line.next_arrival()) arrival.after(*next - now());
}

}  // namespace peersock::sim
