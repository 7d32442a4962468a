// Keeps the state of the embedded rendezvous server in a file (SQLite), so that a restart loses
// nothing. Format: docs/spec/rendezvous-server.md.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "adapters/sqlite.hpp"
#include "adapters/unique_fd.hpp"
#include "core/error.hpp"
#include "wormhole/server_state.hpp"

namespace peersock::adapters {

class MailboxStore {
 public:
  struct Opened {
    std::unique_ptr<MailboxStore> store;
    wormhole::ServerState state;
  };
  /// Makes the file (mode 0600) when it is not there, and reads it. It belongs to this process
  /// until the store goes. Errors are kLocalEndpoint, and name the file.
  [[nodiscard]] static Result<Opened> open(const std::string& path);

  MailboxStore(const MailboxStore&) = delete;
  MailboxStore& operator=(const MailboxStore&) = delete;
  MailboxStore(MailboxStore&&) = delete;
  MailboxStore& operator=(MailboxStore&&) = delete;
  /// What was not committed is lost.
  ~MailboxStore() = default;

  /// Writes into the open transaction, or begins one. A failure shows in `commit`.
  void write(const wormhole::StateChange& change);
  [[nodiscard]] bool has_uncommitted() const { return in_transaction_ || broken_; }
  /// The file survives the end of the process from here on (and a crash of the machine soon
  /// after). After an error it has the state of the commit before.
  [[nodiscard]] Result<void> commit();
  /// Replaces all that the file holds, and commits.
  [[nodiscard]] Result<void> rewrite(const wormhole::ServerState& state);

 private:
  MailboxStore(std::string path, UniqueFd lock, SqlitePtr database);
  [[nodiscard]] static Result<UniqueFd> claim_file(const std::string& path);
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> make_tables();
  [[nodiscard]] Result<wormhole::ServerState> read();
  [[nodiscard]] bool read_mailboxes(wormhole::ServerState& state);
  [[nodiscard]] bool read_nameplates(wormhole::ServerState& state);
  [[nodiscard]] bool each(std::string_view sql, const std::function<void(SqliteStatement&)>& row);
  [[nodiscard]] bool run(const char* sql);
  [[nodiscard]] bool begin();
  void insert(const wormhole::StoredMailbox& mailbox);
  [[nodiscard]] Error failure(std::string_view doing) const;

  std::string path_;
  UniqueFd lock_;  // outlives the database: closing it frees SQLite's own locks too (fcntl(2))
  SqlitePtr database_;
  std::array<SqliteStatement, std::variant_size_v<wormhole::StateChange>> writers_;
  bool in_transaction_ = false;
  bool broken_ = false;
  Error broken_by_;
};

}  // namespace peersock::adapters
