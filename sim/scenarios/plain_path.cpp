#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "scenarios/scenarios.hpp"

namespace peersock::sim {
namespace {

/// One of each kind in which datagrams meet something.
constexpr std::array kAlsoPlain{
    "plain",           "public",           "carrier",       "dual-stack",
    "many/sessions",   "delay-250",        "reorder-10",    "bursts-short",
    "duplicate",       "narrow",           "line-pauses/5", "nat-reboots/listener/half-way",
    "idle-hour/homes", "roams/connector",  "roams/both",    "roams/dual-stack",
    "roams/to-relay",  "roams/from-relay",
};

}  // namespace

std::vector<Scenario> plain_path_scenarios(const std::vector<Scenario>& all) {
  std::vector<Scenario> made;
  for (const std::string name : kAlsoPlain) {
    const auto found = std::ranges::find(all, name, &Scenario::name);
    if (found == all.end()) throw std::logic_error("there is no scenario " + name);
    made.push_back(*found);
    made.back().name += "-plain-path";
    made.back().path = adapters::PathPolicy::kNice;
  }
  return made;
}

}  // namespace peersock::sim
