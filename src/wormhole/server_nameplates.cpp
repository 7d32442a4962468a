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
                        const std::string& mailbox) {
  Directory& directory = directories_[appid];
  if (!directory.nameplates.emplace(name, Nameplate{mailbox, {}}).second) return;
  if (const auto number = short_number(name)) directory.taken.set(*number);
  ++size_;
}

bool Nameplates::claim(const std::string& appid, const std::string& name, const std::string& side) {
  const auto directory = directories_.find(appid);
  if (directory == directories_.end()) return true;
  const auto found = directory->second.nameplates.find(name);
  if (found == directory->second.nameplates.end()) return true;
  auto& claims = found->second.claims;
  const auto mine = std::find_if(claims.begin(), claims.end(),
                                 [&side](const Claim& claim) { return claim.side == side; });
  if (mine != claims.end()) return mine->held;
  // Whoever claims also enters the mailbox, so that this many are crowded out there.
  if (claims.size() < kMaxRememberedSides) claims.push_back({side, true});
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
                                 [&side](const Claim& claim) { return claim.side == side; });
  if (mine == claims.end()) return;
  mine->held = false;
  if (std::none_of(claims.begin(), claims.end(), [](const Claim& c) { return c.held; })) {
    erase(appid, name);
  }
}

void Nameplates::remove(const std::string& appid, const std::string& name,
                        const std::string& mailbox) {
  const Nameplate* nameplate = find(appid, name);
  if (nameplate != nullptr && nameplate->mailbox == mailbox) erase(appid, name);
}

void Nameplates::erase(const std::string& appid, const std::string& name) {
  const auto directory = directories_.find(appid);
  if (directory == directories_.end() || directory->second.nameplates.erase(name) == 0) return;
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

}  // namespace peersock::wormhole::server
