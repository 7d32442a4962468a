// What a TURN server is asked and what it has to say to it (RFC 8656, RFC 8489), for any server.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "turn_talk.hpp"

namespace peersock::testing {

struct TurnStep {
  std::function<void(TurnTalk&)> act;
  std::string heard;  ///< TurnTalk::heard
  /// Of coturn 4.6, where it does something else; and in what, and what the RFC says.
  std::string coturn{};
  std::string because{};
};

struct TurnCase {
  std::string name;
  std::vector<TurnStep> steps;
  bool udp = true;
  bool tcp = true;
};

[[nodiscard]] std::vector<TurnCase> turn_cases();

}  // namespace peersock::testing
