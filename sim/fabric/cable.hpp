// Joins two boxes by two lines (testbed/natbox/line.hpp), one for each direction.
#pragma once

#include <cstdint>
#include <memory>

#include "fabric/box.hpp"
#include "line.hpp"
#include "stack/scheduler.hpp"

namespace peersock::sim {

class Cable {
 public:
  /// The boxes must outlive the cable. `there` is the line from `near` to `far`.
  Cable(Box& near, Box& far, const testbed::LineConfig& there, const testbed::LineConfig& back,
        std::uint64_t seed);

  /// Pulled out, it loses what is under way and what is sent.
  void set_connected(bool connected);
  /// What is under way is lost.
  void set_lines(const testbed::LineConfig& there, const testbed::LineConfig& back);

  [[nodiscard]] std::size_t near_plug() const { return there_.from_plug; }
  [[nodiscard]] std::size_t far_plug() const { return back_.from_plug; }

 private:
  struct Direction {
    Direction(Box& target, const testbed::LineConfig& config, std::uint64_t line_seed)
        : to(target), seed(line_seed), line(config, line_seed), arrival([this] { deliver(); }) {}
    void enter(Frame frame);
    void deliver();
    void replace(const testbed::LineConfig& config);

    Box& to;
    std::uint64_t seed;
    testbed::Line line;
    Timer arrival;
    bool connected = true;
    std::size_t from_plug = 0;
    std::size_t to_plug = 0;
  };

  Direction there_;
  Direction back_;
};

}  // namespace peersock::sim
