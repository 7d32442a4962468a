// Drives one machine: queues inputs, performs outputs, reports each step to the trace hook.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "core/machine.hpp"

namespace peersock {

/// One step of one machine, by name only: it holds no field of any input or output, so that a
/// trace can not leak a secret. The views live as long as the call.
struct TraceStep {
  std::string_view machine;
  std::string_view state_before;
  std::string_view input;
  std::string_view state_after;
  const std::vector<std::string_view>& outputs;
};
using TraceHook = std::function<void(const TraceStep&)>;

/// `machine [state] input -> [state] output output`
[[nodiscard]] std::string format_trace(const TraceStep& step);

/// `Host::perform(Output, Instant)` carries out a command. It may call `post` (also of this
/// runner), never `handle`: nothing re-enters.
template <Machine M, typename Host>
class Runner {
 public:
  Runner(M machine, Host& host) : machine_(std::move(machine)), host_(host) {}

  void set_trace(TraceHook hook) { trace_ = std::move(hook); }

  void post(typename M::Input input) { queue_.push_back(std::move(input)); }
  [[nodiscard]] bool idle() const { return queue_.empty(); }
  [[nodiscard]] std::optional<Instant> deadline() const { return machine_.deadline(); }
  [[nodiscard]] const M& machine() const { return machine_; }

  /// Handles one queued input; false when there was none.
  bool step(Instant now) {
    if (queue_.empty()) return false;
    auto input = std::move(queue_.front());
    queue_.pop_front();
    const std::string_view before = machine_.state_name();
    const std::string_view input_name = name_of(input);
    auto outputs = machine_.handle(std::move(input), now);
    if (trace_) {
      std::vector<std::string_view> names;
      names.reserve(outputs.size());
      for (const auto& output : outputs) names.push_back(name_of(output));
      trace_({M::kName, before, input_name, machine_.state_name(), names});
    }
    for (auto& output : outputs) host_.perform(std::move(output), now);
    return true;
  }

  /// Posts `DeadlineReached` if the machine's deadline has come.
  void wake(Instant now) {
    const auto due = machine_.deadline();
    if (due && *due <= now) post(DeadlineReached{});
  }

 private:
  M machine_;
  Host& host_;
  std::deque<typename M::Input> queue_;
  TraceHook trace_;
};

}  // namespace peersock
