// A second, simple account of what the rendezvous server asks to be stored: each change applied to
// a plain value, to be compared with the server's own state and with what a file gives back.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>

#include "core/machine.hpp"
#include "wormhole/server_state.hpp"

namespace peersock::testing {

class StateModel {
 public:
  StateModel() = default;
  explicit StateModel(wormhole::ServerState state) : state_(std::move(state)) {}

  /// False when the change does not fit what is there.
  bool apply(const wormhole::StateChange& change) {
    return std::visit([this](const auto& c) { return on(c); }, change);
  }
  /// In the order that ServerState promises.
  [[nodiscard]] wormhole::ServerState state() const {
    wormhole::ServerState sorted = state_;
    std::sort(sorted.mailboxes.begin(), sorted.mailboxes.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    std::sort(sorted.nameplates.begin(), sorted.nameplates.end(), [](const auto& a, const auto& b) {
      return std::tie(a.appid, a.name) < std::tie(b.appid, b.name);
    });
    return sorted;
  }

 private:
  wormhole::StoredMailbox* mailbox(const std::string& id) {
    const auto found = std::find_if(state_.mailboxes.begin(), state_.mailboxes.end(),
                                    [&](const auto& m) { return m.id == id; });
    return found == state_.mailboxes.end() ? nullptr : &*found;
  }
  wormhole::StoredNameplate* nameplate(const std::string& appid, const std::string& name) {
    const auto found =
        std::find_if(state_.nameplates.begin(), state_.nameplates.end(),
                     [&](const auto& n) { return n.appid == appid && n.name == name; });
    return found == state_.nameplates.end() ? nullptr : &*found;
  }

  bool on(const wormhole::StoreMailbox& c) {
    if (mailbox(c.id) != nullptr) return false;
    state_.mailboxes.push_back({c.id, c.appid, c.nameplate, {}, {}});
    return true;
  }
  bool on(const wormhole::StoreSide& c) {
    auto* m = mailbox(c.mailbox);
    if (m == nullptr) return false;
    for (auto& side : m->sides) {
      if (side.name != c.side.name) continue;
      side = c.side;
      return true;
    }
    m->sides.push_back(c.side);
    return true;
  }
  bool on(const wormhole::StoreMessage& c) {
    auto* m = mailbox(c.mailbox);
    if (m == nullptr) return false;
    m->messages.push_back(c.message);
    return true;
  }
  bool on(const wormhole::EraseMailbox& c) {
    return std::erase_if(state_.mailboxes, [&](const auto& m) { return m.id == c.id; }) == 1;
  }
  bool on(const wormhole::StoreNameplate& c) {
    if (nameplate(c.appid, c.name) != nullptr) return false;
    state_.nameplates.push_back({c.appid, c.name, c.mailbox, {}});
    return true;
  }
  bool on(const wormhole::StoreClaim& c) {
    auto* n = nameplate(c.appid, c.nameplate);
    if (n == nullptr) return false;
    for (auto& claim : n->claims) {
      if (claim.side != c.claim.side) continue;
      claim = c.claim;
      return true;
    }
    n->claims.push_back(c.claim);
    return true;
  }
  bool on(const wormhole::EraseNameplate& c) {
    return std::erase_if(state_.nameplates, [&](const auto& n) {
             return n.appid == c.appid && n.name == c.name;
           }) == 1;
  }

  wormhole::ServerState state_;
};

}  // namespace peersock::testing
