// The embedded rendezvous server's nameplates and mailboxes together: the rules that touch both.
// Knows sides, not connections. Rules: docs/spec/rendezvous-server.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.hpp"
#include "wormhole/server_journal.hpp"
#include "wormhole/server_mailboxes.hpp"
#include "wormhole/server_nameplates.hpp"

namespace peersock::wormhole::server {

inline constexpr Refusal kReclaimed = "reclaimed";
inline constexpr Refusal kTooManyNameplates =
    "your address holds too many nameplates, try again later";
inline constexpr Refusal kNoFreeNameplate = "no nameplate is free, try again later";

/// Who speaks: one side of one application.
struct Speaker {
  std::string appid;
  std::string side;
  std::string origin;  ///< ClientConnected::origin
};

class Board {
 public:
  Board(const ServerConfig& config, Rng& rng)
      : config_(config),
        rng_(rng),
        journal_(config.store_changes),
        nameplates_(journal_),
        mailboxes_(config, journal_) {}
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  Board(Board&&) = delete;
  Board& operator=(Board&&) = delete;
  ~Board() = default;

  /// Picks a nameplate and claims it.
  [[nodiscard]] Answer<std::string> allocate(const Speaker& speaker, Instant now);
  /// Gives the id of the mailbox that the nameplate leads to, and enters it for the speaker.
  [[nodiscard]] Answer<std::string> claim(const Speaker& speaker, const std::string& nameplate,
                                          Instant now);
  void release(const Speaker& speaker, const std::string& nameplate);
  /// Empty when listing is not allowed.
  [[nodiscard]] std::vector<std::string> list(const Speaker& speaker) const;

  [[nodiscard]] Answer<Tenancy> open(const Speaker& speaker, const std::string& mailbox,
                                     Instant now);
  /// With `entered`, the speaker's connection has the mailbox open; otherwise it enters first.
  [[nodiscard]] Answer<void> close(const Speaker& speaker, const std::string& mailbox, bool entered,
                                   std::optional<wire::Mood> mood, Instant now);

  void prune(Instant now);

  [[nodiscard]] Mailboxes& mailboxes() { return mailboxes_; }
  [[nodiscard]] const Mailboxes& mailboxes() const { return mailboxes_; }
  void count(Server::Counts& counts) const;

  /// Into a board that is empty; records no changes.
  void restore(ServerState state, Instant now);
  [[nodiscard]] ServerState state() const;
  [[nodiscard]] std::vector<StateChange> take_changes() { return journal_.take(); }

 private:
  [[nodiscard]] std::string new_mailbox_id();
  void forget_nameplate(const Mailboxes::Departed& departed);

  const ServerConfig& config_;
  Rng& rng_;
  Journal journal_;
  Nameplates nameplates_;
  Mailboxes mailboxes_;
};

}  // namespace peersock::wormhole::server
