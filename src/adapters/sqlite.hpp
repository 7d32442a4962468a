// Ownership of SQLite's objects. Nothing here throws; what failed is asked of the database.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

namespace peersock::adapters {

struct SqliteClose {
  void operator()(sqlite3* database) const noexcept { (void)sqlite3_close_v2(database); }
};
using SqlitePtr = std::unique_ptr<sqlite3, SqliteClose>;

/// One prepared statement. Values are bound in order, from the first parameter on; texts are
/// octets to SQLite, since they may hold anything.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  /// One that can not be prepared fails in `run` and `step`.
  SqliteStatement(sqlite3* database, std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    (void)sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    statement_.reset(raw);
  }

  SqliteStatement& bind(const std::string& octets) {
    // Not copied: the caller's value lives until the statement has run.
    (void)sqlite3_bind_blob64(statement_.get(), ++bound_, octets.data(), octets.size(),
                              SQLITE_STATIC);
    return *this;
  }
  SqliteStatement& bind(const std::optional<std::string>& octets) {
    if (octets) return bind(*octets);
    (void)sqlite3_bind_null(statement_.get(), ++bound_);
    return *this;
  }
  SqliteStatement& bind(bool value) {
    (void)sqlite3_bind_int(statement_.get(), ++bound_, value ? 1 : 0);
    return *this;
  }
  SqliteStatement& bind(double value) {
    (void)sqlite3_bind_double(statement_.get(), ++bound_, value);
    return *this;
  }

  /// Runs a statement that gives no rows; false when it failed.
  bool run() {
    if (!statement_) return false;
    const int result = sqlite3_step(statement_.get());
    (void)sqlite3_reset(statement_.get());
    (void)sqlite3_clear_bindings(statement_.get());
    bound_ = 0;
    return result == SQLITE_DONE;
  }
  /// SQLITE_ROW, SQLITE_DONE or what went wrong.
  int step() { return statement_ ? sqlite3_step(statement_.get()) : SQLITE_ERROR; }

  [[nodiscard]] std::string text(int column) const {
    const auto* octets = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return octets == nullptr ? std::string() : std::string(octets, static_cast<std::size_t>(size));
  }
  [[nodiscard]] std::optional<std::string> optional_text(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return text(column);
  }
  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] double real(int column) const {
    return sqlite3_column_double(statement_.get(), column);
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { (void)sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

}  // namespace peersock::adapters
