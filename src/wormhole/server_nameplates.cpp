#include "wormhole/server_nameplates.hpp"

#include <algorithm>
#include <charconv>

#include "wormhole/server_mailboxes.hpp"

namespace peersock::wormhole::server {
namespace {

constexpr std::size_t kLongestNameplate = 40;
/// Four to six digits are so many that guessing finds a free one at once, unless the place is full.
constexpr std::uint32_t kLongBegin = 1000;
constexpr std::uint32_t kLongEnd = 1000000;
constexpr int kGuesses = 1000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The number that `name` writes in at most three digits, without leading zeros.
std::optional<std::size_t> short_number(std::string_view name) {
  if (name.empty() || name.size() > 3 || name.front() == '0') return std::nullopt;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

bool is_nameplate(std::string_view name) {
  return !name.empty() && name.size() <= kLongestNameplate &&
         std::all_of(name.begin(), name.end(), is_digit);
}

std::optional<std::string> Nameplates::pick(const std::string& appid, Rng& rng) const {
  const auto found = directories_.find(appid);
  const std::bitset<kShort> taken =
      found == directories_.end() ? std::bitset<kShort>{} : found->second.taken;
  for (std::uint32_t begin = 1; begin < kShort; begin *= 10) {
    std::vector<std::uint32_t> free;
    for (std::uint32_t number = begin; number < begin * 10; ++number) {
      if (!taken[number]) free.push_back(number);
    }
    if (free.empty()) continue;
    return std::to_string(free[random_below(rng, static_cast<std::uint32_t>(free.size()))]);
  }
  for (int guess = 0; guess < kGuesses; ++guess) {
    auto name = std::to_string(kLongBegin + random_below(rng, kLongEnd - kLongBegin));
    if (find(appid, name) == nullptr) return name;
  }
  return std::nullopt;
}

const Nameplates::Nameplate* Nameplates::find(const std::string& appid,
                                              const std::string& name) const {
  const auto directory = directories_.find(appid);
  if (directory == directories_.end()) return nullptr;
  const auto found = directory->second.nameplates.find(name);
  return found == directory->second.nameplates.end() ? nullptr : &found->second;
}

const std::string* Nameplates::mailbox_of(const std::string& appid, const std::string& name) const {
  const Nameplate* nameplate = find(appid, name);
  return nameplate == nullptr ? nullptr : &nameplate->mailbox;
}

void Nameplates::create(const std::string& appid, const std::string& name,
                        const std::string& mailbox, const std::string& origin) {
  Directory& directory = directories_[appid];
  if (!directory.nameplates.emplace(name, Nameplate{mailbox, {}, origin}).second) return;
  if (const auto number = short_number(name)) directory.taken.set(*number);
  ++size_;
  if (!origin.empty()) ++per_origin_[origin];
  journal_.record([&] { return StoreNameplate{appid, name, mailbox}; });
}

std::size_t Nameplates::made_by(const std::string& origin) const {
  const auto found = per_origin_.find(origin);
  return found == per_origin_.end() ? 0 : found->second;
}

bool Nameplates::claim(const std::string& appid, const std::string& name, const std::string& side) {
  const auto directory = directories_.find(appid);
  if (directory == directories_.end()) return true;
  const auto found = directory->second.nameplates.find(name);
  if (found == directory->second.nameplates.end()) return true;
  auto& claims = found->second.claims;
  const auto mine = std::find_if(claims.begin(), claims.end(),
                                 [&side](const StoredClaim& claim) { return claim.side == side; });
  if (mine != claims.end()) return mine->held;
  // Whoever claims also enters the mailbox, so that this many are crowded out there.
  if (claims.size() < kMaxRememberedSides) {
    claims.push_back({side, true});
    journal_.record([&] { return StoreClaim{appid, name, claims.back()}; });
  }
  return true;
}

void Nameplates::release(const std::string& appid, const std::string& name,
                         const std::string& side) {
  const auto directory = directories_.find(appid);
  if (directory == directories_.end()) return;
  const auto found = directory->second.nameplates.find(name);
  if (found == directory->second.nameplates.end()) return;
  auto& claims = found->second.claims;
  const auto mine = std::find_if(claims.begin(), claims.end(),
                                 [&side](const StoredClaim& claim) { return claim.side == side; });
  if (mine == claims.end() || !mine->held) return;
  mine->held = false;
  if (std::none_of(claims.begin(), claims.end(), [](const StoredClaim& c) { return c.held; })) {
    erase(appid, name);
  } else {
    journal_.record([&] { return StoreClaim{appid, name, *mine}; });
  }
}

void Nameplates::remove(const std::string& appid, const std::string& name,
                        const std::string& mailbox) {
  const Nameplate* nameplate = find(appid, name);
  if (nameplate != nullptr && nameplate->mailbox == mailbox) erase(appid, name);
}

void Nameplates::erase(const std::string& appid, const std::string& name) {
  const auto directory = directories_.find(appid);
  if (directory == directories_.end()) return;
  const auto found = directory->second.nameplates.find(name);
  if (found == directory->second.nameplates.end()) return;
  const auto maker = per_origin_.find(found->second.origin);
  if (maker != per_origin_.end() && --maker->second == 0) per_origin_.erase(maker);
  directory->second.nameplates.erase(found);
  journal_.record([&] { return EraseNameplate{appid, name}; });
  if (const auto number = short_number(name)) directory->second.taken.reset(*number);
  --size_;
  if (directory->second.nameplates.empty()) directories_.erase(directory);
}

std::vector<std::string> Nameplates::list(const std::string& appid) const {
  std::vector<std::string> names;
  const auto directory = directories_.find(appid);
  if (directory == directories_.end()) return names;
  names.reserve(directory->second.nameplates.size());
  for (const auto& [name, nameplate] : directory->second.nameplates) names.push_back(name);
  return names;
}

void Nameplates::restore(StoredNameplate stored) {
  const bool held = std::any_of(stored.claims.begin(), stored.claims.end(),
                                [](const StoredClaim& claim) { return claim.held; });
  if (!held || !is_nameplate(stored.name) || find(stored.appid, stored.name) != nullptr) return;
  Directory& directory = directories_[stored.appid];
  if (const auto number = short_number(stored.name)) directory.taken.set(*number);
  ++size_;
  directory.nameplates.emplace(std::move(stored.name),
                               Nameplate{std::move(stored.mailbox), std::move(stored.claims), {}});
}

std::vector<StoredNameplate> Nameplates::state() const {
  std::vector<StoredNameplate> all;
  all.reserve(size_);
  for (const auto& [appid, directory] : directories_) {
    for (const auto& [name, nameplate] : directory.nameplates) {
      all.push_back({appid, name, nameplate.mailbox, nameplate.claims});
    }
  }
  return all;
}

}  // namespace peersock::wormhole::server
