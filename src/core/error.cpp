#include "core/error.hpp"

namespace peersock {

ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInternal:
      return ExitCode::kInternal;
    case ErrorKind::kUsage:
    case ErrorKind::kIncompatible:
      return ExitCode::kUsage;
    case ErrorKind::kRendezvousUnreachable:
      return ExitCode::kRendezvous;
    case ErrorKind::kCodeInUse:
      return ExitCode::kCodeInUse;
    case ErrorKind::kAuthentication:
      return ExitCode::kAuthentication;
    case ErrorKind::kNoPath:
      return ExitCode::kNoPath;
    case ErrorKind::kPeerNeverCame:
      return ExitCode::kPeerNeverCame;
    case ErrorKind::kConnectionLost:
      return ExitCode::kConnectionLost;
    case ErrorKind::kLocalEndpoint:
      return ExitCode::kLocalEndpoint;
    case ErrorKind::kInterrupted:
      return ExitCode::kInterrupted;
  }
  return ExitCode::kInternal;
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInternal:
      return "internal";
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kRendezvousUnreachable:
      return "rendezvous";
    case ErrorKind::kCodeInUse:
      return "code_in_use";
    case ErrorKind::kAuthentication:
      return "authentication";
    case ErrorKind::kIncompatible:
      return "incompatible";
    case ErrorKind::kNoPath:
      return "no_path";
    case ErrorKind::kPeerNeverCame:
      return "peer_never_came";
    case ErrorKind::kConnectionLost:
      return "connection_lost";
    case ErrorKind::kLocalEndpoint:
      return "local_endpoint";
    case ErrorKind::kInterrupted:
      return "interrupted";
  }
  return "internal";
}

}  // namespace peersock
