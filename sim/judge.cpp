#include "judge.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace peersock::sim {
namespace {

bool arrived(const TransferResult* result, std::uint64_t octets) {
  return result != nullptr && result->ended && result->received == octets;
}

bool everything_arrived(const Evidence& evidence) {
  return arrived(evidence.client, evidence.octets) && evidence.services.size() == 1 &&
         arrived(evidence.services.front(), evidence.octets);
}

double in_seconds(Nanos time) {
  return std::chrono::duration<double>(time).count();
}

bool found_no_path(const PartyRecord& record) {
  return *record.exit == ExitCode::kNoPath || *record.exit == ExitCode::kConnectionLost;
}

/// An end that the program has to be able to explain.
bool is_explained(const PartyRecord& record) {
  return *record.exit != ExitCode::kInternal && *record.exit != ExitCode::kUsage &&
         (record.failure || *record.exit == ExitCode::kInterrupted);
}

void check_side(const Evidence::Side& side, std::vector<std::string>& found) {
  const auto& [name, record] = side;
  if (record.opened_too_early) {
    found.push_back(fmt::format("{} opened a stream before the proof had succeeded", name));
  }
  if (!record.started) return;
  if (!record.exit) {
    found.push_back(fmt::format("{} did not end within the bound", name));
  } else if (*record.exit != ExitCode::kDone && !is_explained(record)) {
    found.push_back(fmt::format("{} ended with {} and said nothing that explains it", name,
                                static_cast<int>(*record.exit)));
  }
}

void check_transfer(const std::string& who, const TransferResult& result, std::uint64_t octets,
                    std::vector<std::string>& found) {
  if (result.wrong_at) {
    found.push_back(fmt::format("{} got a wrong octet at {}", who, *result.wrong_at));
  }
  if (result.received > octets) found.push_back(who + " got more octets than were sent");
  if (!result.over()) {
    found.push_back(fmt::format("{} waits: {} of {} octets sent, {} received", who, result.sent,
                                octets, result.received));
  }
  // An end of file says that there was no more.
  if (result.ended && result.error == 0 && result.received < octets) {
    found.push_back(
        fmt::format("{} got an end of file after {} of {} octets", who, result.received, octets));
  }
}

/// What the two have shown their users.
std::vector<std::string> all_sentences(const Evidence& evidence) {
  std::vector<std::string> all;
  for (const auto* side : {&evidence.listener, &evidence.connector}) {
    const PartyRecord& record = side->record;
    all.insert(all.end(), record.warnings.begin(), record.warnings.end());
    if (record.failure) all.push_back(record.failure->message);
  }
  return all;
}

void check_sentences(const Evidence& evidence, std::vector<std::string>& found) {
  const std::string_view wanted = evidence.says;
  const auto all = all_sentences(evidence);
  const auto says_it = [&](const std::string& one) {
    return one.find(wanted) != std::string::npos;
  };
  if (std::ranges::any_of(all, says_it) || wanted.empty()) return;
  found.push_back(fmt::format("nobody said \"{}\", but \"{}\"", wanted, fmt::join(all, "\", \"")));
}

}  // namespace

Outcome judge(const Evidence& evidence) {
  const PartyRecord& a = evidence.listener.record;
  const PartyRecord& b = evidence.connector.record;
  // Nobody has told the other side a code.
  const auto alone = [](const PartyRecord& x, const PartyRecord& y) {
    return x.exit && *x.exit != ExitCode::kDone && !y.started;
  };
  if (alone(a, b) || alone(b, a)) return Outcome::kLost;
  if (!a.exit || !b.exit) return Outcome::kBroken;
  if (*a.exit == ExitCode::kDone && *b.exit == ExitCode::kDone) {
    if (!everything_arrived(evidence) || !a.path || !b.path) return Outcome::kBroken;
    return a.path->relayed || b.path->relayed ? Outcome::kRelayed : Outcome::kDirect;
  }
  const bool one_said_so = *a.exit == ExitCode::kNoPath || *b.exit == ExitCode::kNoPath;
  if (!a.authenticated && !b.authenticated && found_no_path(a) && found_no_path(b) && one_said_so) {
    return Outcome::kNoPath;
  }
  // A user may end it when the other side has all, and is just leaving.
  const auto ends = [](const PartyRecord& x, const PartyRecord& y) {
    return *x.exit == ExitCode::kDone && *y.exit == ExitCode::kInterrupted;
  };
  if (ends(a, b) || ends(b, a)) return Outcome::kLost;
  // The last word may be lost with the network, and no answer to it is worth waiting for without
  // end: one side has said goodbye, the other cannot know it. Nothing is missing.
  const auto unheard = [](const PartyRecord& x, const PartyRecord& y) {
    return *x.exit == ExitCode::kDone && *y.exit == ExitCode::kConnectionLost;
  };
  if ((unheard(a, b) || unheard(b, a)) && everything_arrived(evidence)) return Outcome::kLost;
  const bool both_failed = *a.exit != ExitCode::kDone && *b.exit != ExitCode::kDone;
  return both_failed ? Outcome::kLost : Outcome::kBroken;
}

std::vector<std::string> violations(const Evidence& evidence) {
  std::vector<std::string> found;
  check_side(evidence.listener, found);
  check_side(evidence.connector, found);
  if (evidence.client != nullptr) {
    check_transfer("the client", *evidence.client, evidence.octets, found);
  }
  check_sentences(evidence, found);
  for (const TransferResult* service : evidence.services) {
    check_transfer("the service", *service, evidence.octets, found);
  }
  if (evidence.services.size() > 1) {
    found.emplace_back("one connection reached the service more than once");
  }
  return found;
}

std::optional<double> first_octet_seconds(const Evidence& evidence) {
  const auto& a = evidence.listener.record.started;
  const auto& b = evidence.connector.record.started;
  if (!a || !b || evidence.client == nullptr || !evidence.client->first_octet) {
    return std::nullopt;
  }
  return in_seconds(*evidence.client->first_octet - std::max(*a, *b));
}

std::optional<double> octets_per_second(const Evidence& evidence) {
  if (evidence.octets == 0 || !everything_arrived(evidence)) return std::nullopt;
  const TransferResult& client = *evidence.client;
  const TransferResult& service = *evidence.services.front();
  const Nanos took = std::max(*client.last_octet, *service.last_octet) - client.began;
  return static_cast<double>(evidence.octets) / in_seconds(took);
}

}  // namespace peersock::sim
