// One session between two hosts: its parties, and the local programs beside them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "judge.hpp"
#include "party.hpp"
#include "programs/service.hpp"
#include "scenario.hpp"
#include "servers.hpp"

namespace peersock::sim {

class Meeting {
 public:
  struct Callbacks {
    std::function<void(When)> reached;
    /// Asked for only when the scenario waits for a step.
    std::function<void(const Step&)> entered;
    std::function<void()> ended;
  };

  /// `number` from 0 is unique on the two hosts. Everything else outlives this.
  Meeting(const Scenario& scenario, const Servers& servers, Host& listener, Host& connector,
          int number, Callbacks callbacks);
  ~Meeting();
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  Meeting(Meeting&&) = delete;
  Meeting& operator=(Meeting&&) = delete;

  /// The machines' steps, to standard error.
  void trace();
  /// Before `start`.
  void start_service();
  /// The first side.
  void start();
  void interrupt(Who who);
  /// Sessions are taken away without a word. Time has to go on before this is destroyed, so that
  /// the local programs see it.
  void abandon();

  /// Both sides that have been started.
  [[nodiscard]] bool has_ended() const;
  /// From the start of the second side to the listening socket, in seconds.
  [[nodiscard]] std::optional<double> connect_seconds() const;
  [[nodiscard]] Evidence evidence() const;

 private:
  [[nodiscard]] Party::Callbacks callbacks_of(Who who);
  [[nodiscard]] adapters::GlibHostConfig config(Who who) const;
  [[nodiscard]] Party& party(Who who) const {
    return who == Who::kListener ? *listener_ : *connector_;
  }
  [[nodiscard]] Who second() const {
    return scenario_.first == Who::kListener ? Who::kConnector : Who::kListener;
  }
  void start(Who who, adapters::GlibHostConfig config);
  [[nodiscard]] TransferPlan plan(std::uint64_t send_seed, std::uint64_t expect_seed) const;
  void hand_over(const Secret& code);
  void start_client();
  void watch_progress();
  void look() const;

  const Scenario& scenario_;
  const Servers& servers_;
  Host& listening_;
  Host& connecting_;
  int number_;
  Callbacks callbacks_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Transfer> client_;
  std::unique_ptr<Party> listener_;
  std::unique_ptr<Party> connector_;
  std::optional<Nanos> started_;
  bool over_ = false;
  bool code_told_ = false;
  Timer progress_{[this] { watch_progress(); }};
};

}  // namespace peersock::sim
