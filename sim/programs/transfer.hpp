// A program that sends octets over a connection and checks those that it gets. Runs on the host of
// its context.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include <glib.h>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"
#include "adapters/wakeup.hpp"
#include "stack/scheduler.hpp"

namespace peersock::sim {

/// The octets from the place `at` on of a sequence in which each depends on a seed and its place,
/// so that any loss, repetition or exchange shows.
void fill_pattern(std::uint64_t seed, std::uint64_t at, std::span<std::uint8_t> octets);

struct TransferPlan {
  std::uint64_t send = 0;  ///< octets, then end of file
  std::uint64_t send_seed = 0;
  std::uint64_t expect_seed = 0;
  Duration pause{0};  ///< when half of the octets are sent; nothing is sent for so long
};

struct TransferResult {
  Nanos began{};  ///< in virtual time
  std::optional<Nanos> first_octet;
  std::optional<Nanos> last_octet;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  /// The place of the first octet that was not the expected one.
  std::optional<std::uint64_t> wrong_at;
  bool ended = false;  ///< end of file has come
  int error = 0;       ///< errno of a broken connection
  [[nodiscard]] bool over() const { return ended || error != 0; }
};

class Transfer {
 public:
  /// `changed` runs when the transfer is over, from the context; it may destroy this.
  Transfer(GMainContext* context, adapters::UniqueFd fd, TransferPlan plan,
           std::function<void()> over);

  [[nodiscard]] const TransferResult& result() const { return result_; }

 private:
  void step();
  void read_all();
  void compare(std::span<const std::uint8_t> octets);
  void write_all();
  void watch();
  [[nodiscard]] bool pause_is_due() const;

  adapters::UniqueFd fd_;
  TransferPlan plan_;
  std::function<void()> over_;
  TransferResult result_;
  bool finished_ = false;  // our direction has ended
  bool told_ = false;
  bool paused_ = false;  // or has been
  bool pausing_ = false;
  adapters::FdWatch watch_;
  adapters::Wakeup resume_;
};

}  // namespace peersock::sim
