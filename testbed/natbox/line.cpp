#include "line.hpp"

#include <algorithm>
#include <utility>

namespace peersock::testbed {

namespace {
constexpr std::size_t ethernet_header = 14;
constexpr std::size_t most_under_way = 65536;
}  // namespace

bool Line::happens(double percent) {
  return percent > 0 && std::uniform_real_distribution<>(0, 100)(random_) < percent;
}

bool Line::is_beyond(std::size_t frame_size, std::size_t limit) {
  return limit != 0 && frame_size > limit + ethernet_header;
}

std::optional<Line::Frame> Line::refuse(std::span<const std::uint8_t> frame) const {
  if (!is_beyond(frame.size(), config_.tells)) return std::nullopt;
  return too_big_answer(frame, config_.tells, config_.router);
}

// Without bursts nothing is drawn for them: a seed goes on to mean what it meant.
bool Line::is_lost() {
  const Bursts& bursts = config_.bursts;
  if (bursts.begin > 0) {
    in_burst_ = in_burst_ ? !happens(bursts.end) : happens(bursts.begin);
    if (in_burst_) return happens(bursts.loss);
  }
  return happens(config_.loss);
}

void Line::enter(Frame frame, Time now) {
  if (is_beyond(frame.size(), config_.black_hole) || is_beyond(frame.size(), config_.tells)) return;
  if (is_lost()) return;
  if (happens(config_.duplicate)) put(frame, now);
  put(std::move(frame), now);
}

// The time that the rate takes for a frame. What is left of a microsecond counts for the next one.
Time Line::serialization(std::size_t octets) {
  const auto bits = octets * 8 * 1000 + remainder_;
  remainder_ = bits % config_.rate;
  return Time(static_cast<Time::rep>(bits / config_.rate));
}

void Line::put(Frame frame, Time now) {
  if (under_way_.size() >= most_under_way) return;
  Time sent = now;
  if (config_.rate != 0) {
    const Time start = std::max(now, busy_until_);
    if (start - now > config_.queue) return;
    sent = start + serialization(frame.size());
    busy_until_ = sent;
  }
  if (happens(config_.reorder)) {
    under_way_.emplace(sent, std::move(frame));
    return;
  }
  Time arrival = sent + config_.delay;
  if (config_.jitter.count() > 0) {
    const auto most = config_.jitter.count();
    arrival += Time(std::uniform_int_distribution<Time::rep>(-most, most)(random_));
  }
  last_arrival_ = std::max({arrival, last_arrival_, sent});
  under_way_.emplace_hint(under_way_.end(), last_arrival_, std::move(frame));
}

std::optional<Line::Frame> Line::leave(Time now) {
  const auto first = under_way_.begin();
  if (first == under_way_.end() || first->first > now) return std::nullopt;
  Frame frame = std::move(first->second);
  under_way_.erase(first);
  return frame;
}

std::optional<Time> Line::next_arrival() const {
  if (under_way_.empty()) return std::nullopt;
  return under_way_.begin()->first;
}

}  // namespace peersock::testbed
