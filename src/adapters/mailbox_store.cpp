#include "adapters/mailbox_store.hpp"

#include <cerrno>
#include <map>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <glib.h>
#include <sys/file.h>

#include "wire/json_reader.hpp"

namespace peersock::adapters {
namespace {

using namespace wormhole;  // NOLINT(google-build-using-namespace)

/// "PsMb": marks the file as ours (SQLite file format, section 1.3.13).
constexpr std::int64_t kApplicationId = 0x50734d62;
constexpr std::int64_t kVersion = 1;
/// How long another program's lock, a copy of the file for example, is waited for at the start.
constexpr int kOpenPatience = 2000;  // ms

constexpr const char* kTables = R"(
CREATE TABLE mailboxes (id BLOB PRIMARY KEY, appid BLOB NOT NULL, nameplate BLOB) WITHOUT ROWID;
CREATE TABLE sides (
  mailbox BLOB NOT NULL REFERENCES mailboxes ON DELETE CASCADE,
  position INTEGER PRIMARY KEY, name BLOB NOT NULL, open INTEGER NOT NULL, mood TEXT,
  UNIQUE (mailbox, name));
CREATE TABLE messages (
  mailbox BLOB NOT NULL REFERENCES mailboxes ON DELETE CASCADE,
  position INTEGER PRIMARY KEY, side BLOB NOT NULL, phase BLOB NOT NULL, body BLOB NOT NULL,
  id BLOB NOT NULL, server_rx REAL NOT NULL);
CREATE INDEX messages_of_mailbox ON messages (mailbox);
CREATE TABLE nameplates (
  appid BLOB NOT NULL, name BLOB NOT NULL, mailbox BLOB NOT NULL,
  PRIMARY KEY (appid, name)) WITHOUT ROWID;
CREATE TABLE claims (
  appid BLOB NOT NULL, nameplate BLOB NOT NULL,
  position INTEGER PRIMARY KEY, side BLOB NOT NULL, held INTEGER NOT NULL,
  UNIQUE (appid, nameplate, side),
  FOREIGN KEY (appid, nameplate) REFERENCES nameplates ON DELETE CASCADE);
)";

/// In the order of the alternatives of StateChange.
constexpr std::array<std::string_view, std::variant_size_v<StateChange>> kWriters{
    "INSERT INTO mailboxes (id, appid, nameplate) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO sides (mailbox, name, open, mood) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (mailbox, name) DO UPDATE SET open = excluded.open, mood = excluded.mood",
    "INSERT INTO messages (mailbox, side, phase, body, id, server_rx) VALUES (?, ?, ?, ?, ?, ?)",
    "DELETE FROM mailboxes WHERE id = ?",
    "INSERT INTO nameplates (appid, name, mailbox) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO claims (appid, nameplate, side, held) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (appid, nameplate, side) DO UPDATE SET held = excluded.held",
    "DELETE FROM nameplates WHERE appid = ? AND name = ?",
};

std::optional<std::string> mood_text(const std::optional<wire::Mood>& mood) {
  if (!mood) return std::nullopt;
  return std::string(wire::to_string(*mood));
}

std::optional<wire::Mood> mood_of(const std::optional<std::string>& text) {
  for (const auto mood :
       {wire::Mood::kHappy, wire::Mood::kLonely, wire::Mood::kScary, wire::Mood::kErrory}) {
    if (text == wire::to_string(mood)) return mood;
  }
  return std::nullopt;
}

nlohmann::json json_of(const std::string& text) {
  const wire::JsonLimits limits{.octets = text.size(), .depth = 1, .values = 1};
  return wire::parse_json(text, limits).value_or(nlohmann::json());
}

// What is bound lives until the statement has run.

bool put(SqliteStatement& writer, const StoreMailbox& c) {
  return writer.bind(c.id).bind(c.appid).bind(c.nameplate).run();
}
bool put(SqliteStatement& writer, const StoreSide& c) {
  const auto mood = mood_text(c.side.mood);
  return writer.bind(c.mailbox).bind(c.side.name).bind(c.side.open).bind(mood).run();
}
bool put(SqliteStatement& writer, const StoreMessage& c) {
  const std::string id = wire::to_json_text(c.message.id);
  writer.bind(c.mailbox).bind(c.message.side).bind(c.message.phase).bind(c.message.body);
  return writer.bind(id).bind(c.message.server_rx).run();
}
bool put(SqliteStatement& writer, const EraseMailbox& c) {
  return writer.bind(c.id).run();
}
bool put(SqliteStatement& writer, const StoreNameplate& c) {
  return writer.bind(c.appid).bind(c.name).bind(c.mailbox).run();
}
bool put(SqliteStatement& writer, const StoreClaim& c) {
  return writer.bind(c.appid).bind(c.nameplate).bind(c.claim.side).bind(c.claim.held).run();
}
bool put(SqliteStatement& writer, const EraseNameplate& c) {
  return writer.bind(c.appid).bind(c.name).run();
}

std::int64_t number(sqlite3* database, std::string_view sql) {
  SqliteStatement statement(database, sql);
  return statement.step() == SQLITE_ROW ? statement.integer(0) : -1;
}

tl::unexpected<Error> refuse(const std::string& path, std::string_view why) {
  return fail(ErrorKind::kLocalEndpoint, fmt::format("the state file {} {}", path, why));
}

/// SQLite calls some failures of a full disk by other names.
int cause_of(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  if ((code & 0xff) != SQLITE_IOERR) return code;
  const int system_error = sqlite3_system_errno(database);
  const bool full =
      code == SQLITE_IOERR_SHMSIZE || system_error == ENOSPC || system_error == EDQUOT;
  return full ? SQLITE_FULL : code;
}

/// What a failed step means for whoever runs the server.
std::string_view advice(int code) {
  switch (code & 0xff) {  // the primary result code (SQLite, "Result Codes")
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "is locked by another program: wait until that is done, or stop it";
    case SQLITE_READONLY:
      return "can not be written: give this user the right to write it and its folder";
    case SQLITE_FULL:
      return "has no room left on its disk: make room there, or name a file on another one";
    case SQLITE_NOTADB:
      return "holds something else: name another file";
    case SQLITE_CORRUPT:
      return "is damaged: move it away to start without what it held";
    case SQLITE_CANTOPEN:
      return "can not be opened: name a file in a folder that this user may write to";
    default:
      return "can not be used: look after its disk, or name another file";
  }
}

}  // namespace

MailboxStore::MailboxStore(std::string path, UniqueFd lock, SqlitePtr database)
    : path_(std::move(path)), lock_(std::move(lock)), database_(std::move(database)) {}

Error MailboxStore::failure(std::string_view doing) const {
  const int code = cause_of(database_.get());
  return {ErrorKind::kLocalEndpoint, fmt::format("the state file {} {} ({}: {})", path_,
                                                 advice(code), doing, sqlite3_errstr(code))};
}

// SQLite would make the file readable for all, and would let two servers share it.
Result<UniqueFd> MailboxStore::claim_file(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!file) {
    const int error = errno;
    return refuse(path, fmt::format("can not be opened for writing ({}): name a file in a folder "
                                    "that this user may write to",
                                    g_strerror(error)));
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return refuse(path, "is used by another server: stop that, or name another file");
  }
  return file;
}

Result<MailboxStore::Opened> MailboxStore::open(const std::string& path) {
  auto lock = claim_file(path);
  if (!lock) return tl::unexpected(lock.error());
  sqlite3* raw = nullptr;
  // A name that begins with a colon or "file:" is a name like any other here.
  const std::string name = path.starts_with('/') ? path : "./" + path;
  const int opened =
      sqlite3_open_v2(name.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  SqlitePtr database(raw);
  if (opened != SQLITE_OK) return refuse(path, advice(opened));
  std::unique_ptr<MailboxStore> store(
      new MailboxStore(path, std::move(*lock), std::move(database)));
  if (auto prepared = store->prepare(); !prepared) return tl::unexpected(prepared.error());
  auto state = store->read();
  if (!state) return tl::unexpected(state.error());
  return Opened{std::move(store), *std::move(state)};
}

bool MailboxStore::run(const char* sql) {
  return sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

Result<void> MailboxStore::prepare() {
  (void)sqlite3_busy_timeout(database_.get(), kOpenPatience);
  // Rules of the file's tables do not run programs of the file's author.
  (void)sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  (void)sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  const auto tables = number(database_.get(), "SELECT count(*) FROM sqlite_master");
  if (tables < 0) return tl::unexpected(failure("reading"));
  const auto application = number(database_.get(), "PRAGMA application_id");
  const auto version = number(database_.get(), "PRAGMA user_version");
  if (tables > 0 && application != kApplicationId) return refuse(path_, advice(SQLITE_NOTADB));
  if (tables > 0 && version != kVersion) {
    return refuse(path_, fmt::format("has the format {} and this version knows {}: use the version "
                                     "that wrote it, or name another file",
                                     version, kVersion));
  }
  if (!run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
           "PRAGMA journal_size_limit = 16777216; PRAGMA secure_delete = FAST;")) {
    return tl::unexpected(failure("preparing"));
  }
  if (tables == 0) {
    if (auto made = make_tables(); !made) return made;
  }
  for (std::size_t i = 0; i < kWriters.size(); ++i) {
    writers_.at(i) = SqliteStatement(database_.get(), kWriters.at(i));
  }
  // From here on nothing may make the loop wait.
  (void)sqlite3_busy_timeout(database_.get(), 0);
  return {};
}

Result<void> MailboxStore::make_tables() {
  const std::string marks = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};",
                                        kApplicationId, kVersion);
  if (begin() && run(kTables) && run(marks.c_str()) && run("COMMIT")) {
    in_transaction_ = false;
    return {};
  }
  return tl::unexpected(failure("making tables"));
}

Result<ServerState> MailboxStore::read() {
  SqliteStatement check(database_.get(), "PRAGMA quick_check(1)");
  if (check.step() != SQLITE_ROW || check.text(0) != "ok") {
    return refuse(path_, advice(SQLITE_CORRUPT));
  }
  ServerState state;
  if (read_mailboxes(state) && read_nameplates(state)) return state;
  return tl::unexpected(failure("reading"));
}

bool MailboxStore::each(std::string_view sql, const std::function<void(SqliteStatement&)>& row) {
  SqliteStatement rows(database_.get(), sql);
  int step = rows.step();
  for (; step == SQLITE_ROW; step = rows.step()) row(rows);
  return step == SQLITE_DONE;
}

bool MailboxStore::read_mailboxes(ServerState& state) {
  bool done = each("SELECT id, appid, nameplate FROM mailboxes", [&](const auto& row) {
    state.mailboxes.push_back({row.text(0), row.text(1), row.optional_text(2), {}, {}});
  });
  std::map<std::string, StoredMailbox*> by_id;
  for (StoredMailbox& mailbox : state.mailboxes) by_id.emplace(mailbox.id, &mailbox);
  const auto of = [&by_id](const SqliteStatement& row) {
    const auto found = by_id.find(row.text(0));
    return found == by_id.end() ? nullptr : found->second;
  };
  done =
      done &&
      each("SELECT mailbox, name, open, mood FROM sides ORDER BY position", [&](const auto& row) {
        StoredMailbox* mailbox = of(row);
        if (mailbox == nullptr) return;
        mailbox->sides.push_back({row.text(1), row.integer(2) != 0, mood_of(row.optional_text(3))});
      });
  return done && each(
                     "SELECT mailbox, side, phase, body, id, server_rx FROM messages "
                     "ORDER BY position",
                     [&](const auto& row) {
                       StoredMailbox* mailbox = of(row);
                       if (mailbox == nullptr) return;
                       mailbox->messages.push_back({row.text(1), row.text(2), row.text(3),
                                                    json_of(row.text(4)), row.real(5)});
                     });
}

bool MailboxStore::read_nameplates(ServerState& state) {
  const bool done = each("SELECT appid, name, mailbox FROM nameplates", [&](const auto& row) {
    state.nameplates.push_back({row.text(0), row.text(1), row.text(2), {}});
  });
  std::map<std::pair<std::string, std::string>, StoredNameplate*> by_name;
  for (StoredNameplate& nameplate : state.nameplates) {
    by_name.emplace(std::pair(nameplate.appid, nameplate.name), &nameplate);
  }
  return done && each("SELECT appid, nameplate, side, held FROM claims ORDER BY position",
                      [&](const auto& row) {
                        const auto found = by_name.find({row.text(0), row.text(1)});
                        if (found == by_name.end()) return;
                        found->second->claims.push_back({row.text(2), row.integer(3) != 0});
                      });
}

bool MailboxStore::begin() {
  if (!in_transaction_) in_transaction_ = run("BEGIN IMMEDIATE");
  return in_transaction_;
}

void MailboxStore::write(const StateChange& change) {
  if (broken_) return;
  SqliteStatement& writer = writers_.at(change.index());
  const auto put_in = [&writer](const auto& c) { return put(writer, c); };
  if (begin() && std::visit(put_in, change)) return;
  broken_ = true;
  broken_by_ = failure("writing");
}

Result<void> MailboxStore::commit() {
  if (!has_uncommitted()) return {};
  if (!broken_ && run("COMMIT")) {
    in_transaction_ = false;
    return {};
  }
  Error error = broken_ ? std::move(broken_by_) : failure("committing");
  // Some failures have rolled it back already (SQLite, "ROLLBACK").
  (void)run("ROLLBACK");
  in_transaction_ = broken_ = false;
  return tl::unexpected(std::move(error));
}

void MailboxStore::insert(const StoredMailbox& mailbox) {
  write(StoreMailbox{mailbox.id, mailbox.appid, mailbox.nameplate});
  for (const StoredSide& side : mailbox.sides) write(StoreSide{mailbox.id, side});
  for (const StoredMessage& message : mailbox.messages) write(StoreMessage{mailbox.id, message});
}

Result<void> MailboxStore::rewrite(const ServerState& state) {
  if (in_transaction_ || broken_) (void)run("ROLLBACK");
  in_transaction_ = broken_ = false;
  if (!begin() || !run("DELETE FROM nameplates; DELETE FROM mailboxes;")) {
    broken_ = true;
    broken_by_ = failure("writing");
    return commit();
  }
  for (const StoredMailbox& mailbox : state.mailboxes) insert(mailbox);
  for (const StoredNameplate& nameplate : state.nameplates) {
    write(StoreNameplate{nameplate.appid, nameplate.name, nameplate.mailbox});
    for (const StoredClaim& claim : nameplate.claims) {
      write(StoreClaim{nameplate.appid, nameplate.name, claim});
    }
  }
  return commit();
}

}  // namespace peersock::adapters
