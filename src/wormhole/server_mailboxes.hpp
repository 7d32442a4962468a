// The mailboxes of the embedded rendezvous server: who came, what was said, who listens.
// Rules: docs/spec/rendezvous-server.md. Mailbox ids are global, over all applications.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "wire/mailbox_message.hpp"
#include "wormhole/server.hpp"
#include "wormhole/server_journal.hpp"

namespace peersock::wormhole::server {

/// The text of an `error` reply; string constants only.
using Refusal = std::string_view;
template <typename T>
using Answer = tl::expected<T, Refusal>;

inline constexpr Refusal kCrowded = "crowded";
inline constexpr Refusal kServerFull = "the server is full, try again later";
inline constexpr Refusal kMailboxFull = "the mailbox is full";
inline constexpr Refusal kForeignMailbox = "the mailbox belongs to another application";

/// Two sides may meet; a third makes the place crowded. Some more are remembered, because each of
/// them would have to leave before the place is free again; past this number they are not.
inline constexpr std::size_t kMaxSides = 2;
inline constexpr std::size_t kMaxRememberedSides = 16;

using Message = StoredMessage;

/// One life of a mailbox: its id may come back later, with another serial number.
struct Tenancy {
  std::string mailbox;
  std::uint64_t serial = 0;
};

class Mailboxes {
 public:
  Mailboxes(const ServerConfig& config, Journal& journal) : config_(config), journal_(journal) {}

  [[nodiscard]] bool contains(const std::string& id) const { return mailboxes_.contains(id); }
  /// Whether there is room for `octets` more of anything.
  [[nodiscard]] bool has_room(std::size_t octets) const;

  /// Records `side` as present, and makes the mailbox when nobody had it. `nameplate` is the one
  /// that leads here, if one does. kCrowded when more than two sides were ever recorded, this one
  /// included.
  [[nodiscard]] Answer<Tenancy> enter(const std::string& id, const std::string& appid,
                                      const std::string& side,
                                      const std::optional<std::string>& nameplate, Instant now);

  /// Subscribes a connection; returns the one that had to go in exchange, if any.
  std::optional<ConnectionId> listen(const Tenancy& tenancy, ConnectionId connection);
  void ignore(const std::string& id, ConnectionId connection);

  /// Nothing when the mailbox is gone, or is a later one of the same name.
  [[nodiscard]] const std::vector<Message>* history(const Tenancy& tenancy) const;
  [[nodiscard]] const std::vector<ConnectionId>* listeners(const Tenancy& tenancy) const;
  /// A mailbox that is gone swallows the message: that is no refusal.
  [[nodiscard]] Answer<void> add(const Tenancy& tenancy, Message message, Instant now);

  /// What a mailbox that went away leaves behind.
  struct Departed {
    std::string appid;
    std::optional<std::string> nameplate;
    std::string id;
  };
  /// `side` leaves; the last one takes the mailbox with it.
  std::optional<Departed> leave(const std::string& id, const std::string& appid,
                                const std::string& side, std::optional<wire::Mood> mood);
  /// Everything idle for `prune_after` that nobody listens to.
  std::vector<Departed> prune(Instant now);

  [[nodiscard]] bool empty() const { return mailboxes_.empty(); }
  void count(Server::Counts& counts) const;

  /// Whatever the limits are now. Ignores one whose id is there.
  void restore(StoredMailbox stored, Instant now);
  [[nodiscard]] std::vector<StoredMailbox> state() const;

 private:
  using Side = StoredSide;
  struct Mailbox {
    std::uint64_t serial = 0;
    std::string appid;
    std::optional<std::string> nameplate;
    std::vector<Side> sides;
    std::vector<Message> messages;
    std::size_t message_octets = 0;
    std::size_t octets = 0;  ///< message_octets and all the rest
    std::vector<ConnectionId> listeners;
    Instant updated;
  };
  // An ordered map: its cost does not depend on how clients choose their ids.
  using Map = std::map<std::string, Mailbox>;

  [[nodiscard]] const Mailbox* find(const Tenancy& tenancy) const;
  [[nodiscard]] Mailbox* find(const Tenancy& tenancy);
  void charge(Mailbox& mailbox, std::size_t octets);
  Departed remove(Map::iterator entry, bool pruned);
  void tally(const Mailbox& mailbox, bool pruned);

  const ServerConfig& config_;
  Journal& journal_;
  Map mailboxes_;
  std::uint64_t next_serial_ = 1;
  std::size_t message_count_ = 0;
  std::size_t octets_ = 0;
  Server::Outcomes outcomes_;
};

}  // namespace peersock::wormhole::server
