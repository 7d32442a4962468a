// One side of a session on a simulated host: the production GlibHost, and what it has said.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/glib_host.hpp"
#include "host.hpp"

namespace peersock::sim {

/// What a session has shown its user, as far as scenarios judge it.
struct PartyRecord {
  std::optional<Nanos> started;
  std::optional<Nanos> authenticated;
  std::optional<Nanos> listening;
  std::optional<PathInfo> path;  ///< the latest
  std::optional<Error> failure;
  std::vector<std::string> warnings;
  std::optional<ExitCode> exit;
  std::optional<Nanos> ended;
  /// A connection opened before the proof had succeeded: never.
  bool opened_too_early = false;
};

class Party {
 public:
  struct Callbacks {
    std::function<void(const Secret& code)> code_made;
    std::function<void()> listening;
    std::function<void()> ended;
    /// A machine is in this state after a step of its.
    std::function<void(std::string_view machine, std::string_view state)> entered;
  };

  Party(Host& host, Callbacks callbacks) : host_(host), callbacks_(std::move(callbacks)) {}
  /// Takes the session away without a word, as a power cut does, when it has not ended.
  ~Party();
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;
  Party(Party&&) = delete;
  Party& operator=(Party&&) = delete;

  void start(adapters::GlibHostConfig config);
  void interrupt();

  [[nodiscard]] const PartyRecord& record() const { return record_; }
  [[nodiscard]] Host& host() const { return host_; }
  /// `machine [state] input -> [state] outputs`, line by line.
  void set_trace(std::function<void(const std::string&)> trace) { trace_ = std::move(trace); }

 private:
  void on_event(const Event& event);

  Host& host_;
  Callbacks callbacks_;
  PartyRecord record_;
  std::function<void(const std::string&)> trace_;
  std::unique_ptr<adapters::GlibHost> session_;
};

}  // namespace peersock::sim
