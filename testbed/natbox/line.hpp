// One direction of a line: delay, jitter, rate, loss, bursts of loss, duplication, reordering, a
// black hole for large packets, or a word to their sender. No I/O and no clock; a seed fixes what
// is random.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "nat_engine.hpp"
#include "too_big.hpp"

namespace peersock::testbed {

// Loss that comes in bursts, after Gilbert (1960) and Elliott (1963): a chain of two states, which
// moves on before each packet. So begin / (begin + end) of all packets meet a burst, and one lasts
// for 100 / end packets on average.
struct Bursts {
  double begin = 0;   // percent of packets outside of bursts at which one begins; 0: there are none
  double end = 100;   // percent of packets in a burst at which it ends
  double loss = 100;  // percent, in a burst
  friend bool operator==(const Bursts&, const Bursts&) = default;
};

struct LineConfig {
  Time delay{};
  Time jitter{};           // up to so much more or less; packets stay in order
  std::uint64_t rate = 0;  // kbit/s, 0: no limit
  // A packet that the rate would keep waiting for longer is dropped.
  Time queue = std::chrono::milliseconds(200);
  double loss = 0;  // percent, outside of bursts
  Bursts bursts{};
  double duplicate = 0;        // percent
  double reorder = 0;          // percent: these overtake everything that is under way
  std::size_t black_hole = 0;  // octets of the IP packet: longer ones vanish; 0: none does
  std::uint16_t tells = 0;     // the same, but the sender is told (too_big.hpp)
  Router router{};             // who tells
  friend bool operator==(const LineConfig&, const LineConfig&) = default;
};

class Line {
 public:
  using Frame = std::vector<std::uint8_t>;

  Line(const LineConfig& config, std::uint64_t seed) : config_(config), random_(seed) {}

  void enter(Frame frame, Time now);
  // What goes back to the sender of a frame at once, instead of the frame.
  [[nodiscard]] std::optional<Frame> refuse(std::span<const std::uint8_t> frame) const;
  [[nodiscard]] std::optional<Frame> leave(Time now);  // one that has arrived by now
  [[nodiscard]] std::optional<Time> next_arrival() const;

 private:
  [[nodiscard]] bool happens(double percent);
  [[nodiscard]] static bool is_beyond(std::size_t frame_size, std::size_t limit);
  [[nodiscard]] bool is_lost();
  void put(Frame frame, Time now);
  [[nodiscard]] Time serialization(std::size_t octets);

  LineConfig config_;
  std::mt19937_64 random_;
  Time busy_until_{};
  bool in_burst_ = false;
  std::uint64_t remainder_ = 0;  // of a microsecond that the rate has taken, in parts of `rate`
  Time last_arrival_{};
  std::multimap<Time, Frame> under_way_;
};

}  // namespace peersock::testbed
