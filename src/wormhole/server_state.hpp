// What the embedded rendezvous server knows and a restart must not lose, as values, and the changes
// that lead from one such state to the next. Rules: docs/spec/rendezvous-server.md.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "wire/mailbox_message.hpp"

namespace peersock::wormhole {

struct StoredSide {
  std::string name;
  bool open = true;  ///< false since it closed the mailbox
  std::optional<wire::Mood> mood;
  friend bool operator==(const StoredSide&, const StoredSide&) = default;
};

struct StoredMessage {
  std::string side;
  std::string phase;
  std::string body;
  nlohmann::json id;     ///< of the client's request; null, a string, a number or a boolean
  double server_rx = 0;  ///< seconds since the Unix epoch
  friend bool operator==(const StoredMessage&, const StoredMessage&) = default;
};

struct StoredMailbox {
  std::string id;
  std::string appid;
  std::optional<std::string> nameplate;  ///< that leads here, if one ever did
  std::vector<StoredSide> sides;        ///< in the order in which they came; more than two: crowded
  std::vector<StoredMessage> messages;  ///< in the order in which they arrived
  friend bool operator==(const StoredMailbox&, const StoredMailbox&) = default;
};

struct StoredClaim {
  std::string side;
  bool held = true;  ///< false since it released the nameplate
  friend bool operator==(const StoredClaim&, const StoredClaim&) = default;
};

struct StoredNameplate {
  std::string appid;
  std::string name;
  std::string mailbox;
  std::vector<StoredClaim> claims;
  friend bool operator==(const StoredNameplate&, const StoredNameplate&) = default;
};

/// Connections are no part of it, nor is how long something has been idle: after a restart that
/// counts anew, so that clients have the time to come back.
struct ServerState {
  std::vector<StoredMailbox> mailboxes;     ///< by id
  std::vector<StoredNameplate> nameplates;  ///< by appid, then by name
  friend bool operator==(const ServerState&, const ServerState&) = default;
};

// Changes. Each can be made again without effect, StoreMessage excepted.
struct StoreMailbox {
  std::string id;
  std::string appid;
  std::optional<std::string> nameplate;
};
/// Adds the side to an existing mailbox, or replaces the one of its name.
struct StoreSide {
  std::string mailbox;
  StoredSide side;
};
struct StoreMessage {
  std::string mailbox;
  StoredMessage message;
};
/// With its sides and messages.
struct EraseMailbox {
  std::string id;
};
struct StoreNameplate {
  std::string appid;
  std::string name;
  std::string mailbox;
};
/// Adds the claim to an existing nameplate, or replaces the one of its side.
struct StoreClaim {
  std::string appid;
  std::string nameplate;
  StoredClaim claim;
};
/// With its claims.
struct EraseNameplate {
  std::string appid;
  std::string name;
};
using StateChange = std::variant<StoreMailbox, StoreSide, StoreMessage, EraseMailbox,
                                 StoreNameplate, StoreClaim, EraseNameplate>;

}  // namespace peersock::wormhole
