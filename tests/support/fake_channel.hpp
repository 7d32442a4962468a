// A local channel in memory, and the program at its other end.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tunnel/channel.hpp"

namespace peersock::testing {

/// What the program at the other end does, and what it sees. It outlives the channel.
struct FakeLocal {
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  // The program's doing.
  std::string input;                 ///< said, and not yet read by the tunnel
  bool ended = false;                ///< nothing follows `input`
  std::optional<std::string> reset;  ///< follows `input` instead of an end
  std::size_t room = kNoLimit;       ///< octets that it takes before it stops reading
  std::optional<std::string> deaf;   ///< writing to it fails
  bool deaf_for_good = false;        ///< with `deaf`: its input is not worth reading either

  // What it sees.
  std::string output;
  bool saw_end = false;
  bool saw_reset = false;
  bool closed = false;  ///< the channel is gone

  // What the loop is asked for.
  bool watch_readable = false;
  bool watch_writable = false;
  int watch_calls = 0;
  std::string misuse;  ///< calls that a channel need not expect

  [[nodiscard]] bool readable() const { return !input.empty() || ended || reset; }
  [[nodiscard]] bool writable() const { return room > 0 || deaf || reset; }
};

class FakeChannel final : public tunnel::LocalChannel {
 public:
  explicit FakeChannel(std::shared_ptr<FakeLocal> local) : local_(std::move(local)) {}
  ~FakeChannel() override { local_->closed = true; }
  FakeChannel(const FakeChannel&) = delete;
  FakeChannel& operator=(const FakeChannel&) = delete;
  FakeChannel(FakeChannel&&) = delete;
  FakeChannel& operator=(FakeChannel&&) = delete;

  tunnel::LocalRead read(MutableBytes into) override {
    check(!read_over_, "read after the end");
    check(!into.empty(), "empty read");
    const std::size_t size = std::min(into.size(), local_->input.size());
    if (size > 0) {
      std::copy_n(local_->input.begin(), size, into.begin());
      local_->input.erase(0, size);
      return {.octets = size, .end = false, .failed = {}};
    }
    read_over_ = local_->reset || local_->ended;
    if (local_->reset) return {.octets = 0, .end = false, .failed = local_->reset};
    return {.octets = 0, .end = local_->ended, .failed = {}};
  }

  tunnel::LocalWrite write(ByteView from) override {
    check(!write_over_, "write after the end");
    check(!from.empty(), "empty write");
    const auto failed = local_->deaf ? local_->deaf : local_->reset;
    if (failed) {
      write_over_ = true;
      return {.octets = 0, .failed = failed, .input_too = local_->deaf_for_good};
    }
    const std::size_t size = std::min(from.size(), local_->room);
    local_->output.append(as_text(from.first(size)));
    if (local_->room != FakeLocal::kNoLimit) local_->room -= size;
    return {.octets = size, .failed = {}, .input_too = false};
  }

  void finish() override {
    check(!std::exchange(write_over_, true), "finish after the end");
    local_->saw_end = true;
  }

  void abort() override {
    check(!local_->saw_reset, "second abort");
    local_->saw_reset = true;
    read_over_ = write_over_ = true;
  }

  void watch(bool readable, bool writable) override {
    check(!local_->saw_reset, "watch after abort");
    check(readable != local_->watch_readable || writable != local_->watch_writable,
          "watch without a change");
    ++local_->watch_calls;
    local_->watch_readable = readable;
    local_->watch_writable = writable;
  }

 private:
  void check(bool allowed, const char* what) {
    if (!allowed) local_->misuse += std::string(what) + "; ";
  }

  std::shared_ptr<FakeLocal> local_;
  bool read_over_ = false;
  bool write_over_ = false;
};

}  // namespace peersock::testing
