// The nameplates of the embedded rendezvous server: short numbers that lead to mailboxes, one
// directory for each application. Rules: docs/spec/rendezvous-server.md.
#pragma once

#include <bitset>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.hpp"
#include "wormhole/server_journal.hpp"

namespace peersock::wormhole::server {

/// 1 to 40 ASCII digits.
[[nodiscard]] bool is_nameplate(std::string_view name);

class Nameplates {
 public:
  explicit Nameplates(Journal& journal) : journal_(journal) {}

  /// A random free number among the shortest free ones: of 1, 2 or 3 digits, then from 1000 to
  /// 999999. Nothing when none was found.
  [[nodiscard]] std::optional<std::string> pick(const std::string& appid, Rng& rng) const;

  [[nodiscard]] const std::string* mailbox_of(const std::string& appid,
                                              const std::string& name) const;
  /// Makes a nameplate without any claim; it must not exist.
  void create(const std::string& appid, const std::string& name, const std::string& mailbox,
              const std::string& origin);
  /// How many that `origin` made are in use.
  [[nodiscard]] std::size_t made_by(const std::string& origin) const;

  /// `side` claims an existing nameplate. False when it had claimed and released it before.
  [[nodiscard]] bool claim(const std::string& appid, const std::string& name,
                           const std::string& side);
  /// Takes back `side`'s claim; the last release frees the nameplate. No such claim: no effect.
  void release(const std::string& appid, const std::string& name, const std::string& side);
  /// Frees the nameplate if it leads to `mailbox`.
  void remove(const std::string& appid, const std::string& name, const std::string& mailbox);

  /// In the order of their characters, as the reference server sorts them.
  [[nodiscard]] std::vector<std::string> list(const std::string& appid) const;
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Ignores one that exists, that nobody holds, or whose name is none.
  void restore(StoredNameplate stored);
  [[nodiscard]] std::vector<StoredNameplate> state() const;

 private:
  struct Nameplate {
    std::string mailbox;
    std::vector<StoredClaim> claims;
    std::string origin;  ///< who made it; not known after a restart
  };
  /// Numbers below this, written without leading zeros, are found by looking at all of them.
  static constexpr std::size_t kShort = 1000;
  struct Directory {
    std::map<std::string, Nameplate> nameplates;
    std::bitset<kShort> taken;
  };

  [[nodiscard]] const Nameplate* find(const std::string& appid, const std::string& name) const;
  void erase(const std::string& appid, const std::string& name);

  Journal& journal_;
  std::map<std::string, Directory> directories_;  ///< by application; none is empty
  std::map<std::string, std::size_t> per_origin_;
  std::size_t size_ = 0;
};

}  // namespace peersock::wormhole::server
