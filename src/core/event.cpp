#include "core/event.hpp"

namespace peersock {

std::string_view to_string(RestartReason reason) {
  switch (reason) {
    case RestartReason::kSilent:
      return "silent";
    case RestartReason::kBroken:
      return "broken";
    case RestartReason::kNetwork:
      return "network";
    case RestartReason::kPeer:
      return "peer";
  }
  return "silent";
}

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::kFinished:
      return "finished";
    case CloseReason::kAborted:
      return "aborted";
    case CloseReason::kRefused:
      return "refused";
    case CloseReason::kUnreachable:
      return "unreachable";
    case CloseReason::kSessionLost:
      return "session_lost";
  }
  return "finished";
}

}  // namespace peersock
