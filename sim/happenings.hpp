// Lets happen what a scenario says, when it says so.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "scenario.hpp"
#include "servers.hpp"
#include "world.hpp"

namespace peersock::sim {

class Happenings {
 public:
  /// To the first pair of hosts. All outlive this.
  struct Stage {
    World& world;
    Servers& servers;
    Site& listener;
    Site& connector;
    std::function<void(Who)> interrupt;
  };

  Happenings(const Scenario& scenario, Stage stage)
      : scenario_(scenario), stage_(std::move(stage)) {}

  void reached(When when);
  void entered(const Step& step);
  /// Nothing happens any more.
  void close() { closed_ = true; }

  /// Steps that were waited for and never came: the scenario has shown nothing then.
  [[nodiscard]] std::vector<std::string> missed() const;

 private:
  void plan(const Happening& happening);
  void happen(const Happening& happening);
  void move(Who who, Nanos apart);
  [[nodiscard]] Site& site(Who who) const {
    return who == Who::kListener ? stage_.listener : stage_.connector;
  }

  const Scenario& scenario_;
  Stage stage_;
  std::set<When> reached_;
  std::set<const Happening*> stepped_;
  int moves_ = 0;
  bool closed_ = false;
};

}  // namespace peersock::sim
