#include "wormhole/server_mailboxes.hpp"

#include <algorithm>
#include <utility>

namespace peersock::wormhole::server {
namespace {

// What the containers take beside the texts, roughly; only the bound on memory depends on it.
constexpr std::size_t kMailboxCost = 512;
constexpr std::size_t kSideCost = 96;
constexpr std::size_t kMessageCost = 160;

std::size_t cost(const Message& message) {
  const auto* id = message.id.get_ptr<const std::string*>();
  return kMessageCost + message.side.size() + message.phase.size() + message.body.size() +
         (id == nullptr ? 0 : id->size());
}

std::size_t cost_of_side(const std::string& side) {
  return kSideCost + 2 * side.size();  // the nameplate may name it too
}

std::size_t cost_of_mailbox(const std::string& id, const std::string& appid) {
  return kMailboxCost + 2 * id.size() + appid.size();
}

}  // namespace

bool Mailboxes::has_room(std::size_t octets) const {
  return octets <= config_.max_octets && octets_ <= config_.max_octets - octets;
}

void Mailboxes::charge(Mailbox& mailbox, std::size_t octets) {
  mailbox.octets += octets;
  octets_ += octets;
}

const Mailboxes::Mailbox* Mailboxes::find(const Tenancy& tenancy) const {
  const auto found = mailboxes_.find(tenancy.mailbox);
  if (found == mailboxes_.end() || found->second.serial != tenancy.serial) return nullptr;
  return &found->second;
}

Mailboxes::Mailbox* Mailboxes::find(const Tenancy& tenancy) {
  const auto found = mailboxes_.find(tenancy.mailbox);
  if (found == mailboxes_.end() || found->second.serial != tenancy.serial) return nullptr;
  return &found->second;
}

Answer<Tenancy> Mailboxes::enter(const std::string& id, const std::string& appid,
                                 const std::string& side,
                                 const std::optional<std::string>& nameplate, Instant now) {
  auto entry = mailboxes_.find(id);
  if (entry != mailboxes_.end() && entry->second.appid != appid) {
    return tl::unexpected(kForeignMailbox);
  }
  const std::size_t side_cost = cost_of_side(side);
  if (entry == mailboxes_.end()) {
    const std::size_t own_cost = cost_of_mailbox(id, appid);
    if (mailboxes_.size() >= config_.max_mailboxes || !has_room(own_cost + side_cost)) {
      return tl::unexpected(kServerFull);
    }
    entry = mailboxes_.emplace(id, Mailbox{}).first;
    entry->second.serial = next_serial_++;
    entry->second.appid = appid;
    entry->second.nameplate = nameplate;
    charge(entry->second, own_cost);
    journal_.record([&] { return StoreMailbox{id, appid, nameplate}; });
  }
  Mailbox& mailbox = entry->second;
  mailbox.updated = now;
  // A side that had left stays marked as gone, as on the reference server: it may read and write
  // again, but the mailbox does not wait for it any more.
  const bool known = std::any_of(mailbox.sides.begin(), mailbox.sides.end(),
                                 [&side](const Side& s) { return s.name == side; });
  if (!known && mailbox.sides.size() < kMaxRememberedSides) {
    if (!has_room(side_cost)) return tl::unexpected(kServerFull);
    mailbox.sides.push_back({.name = side, .open = true, .mood = std::nullopt});
    charge(mailbox, side_cost);
    journal_.record([&] { return StoreSide{id, mailbox.sides.back()}; });
  }
  if (mailbox.sides.size() > kMaxSides) return tl::unexpected(kCrowded);
  return Tenancy{id, mailbox.serial};
}

std::optional<ConnectionId> Mailboxes::listen(const Tenancy& tenancy, ConnectionId connection) {
  Mailbox* mailbox = find(tenancy);
  if (mailbox == nullptr) return std::nullopt;
  mailbox->listeners.push_back(connection);
  if (mailbox->listeners.size() <= config_.max_listeners_per_mailbox) return std::nullopt;
  const ConnectionId oldest = mailbox->listeners.front();
  mailbox->listeners.erase(mailbox->listeners.begin());
  return oldest;
}

void Mailboxes::ignore(const std::string& id, ConnectionId connection) {
  const auto entry = mailboxes_.find(id);
  if (entry != mailboxes_.end()) std::erase(entry->second.listeners, connection);
}

const std::vector<Message>* Mailboxes::history(const Tenancy& tenancy) const {
  const Mailbox* mailbox = find(tenancy);
  return mailbox == nullptr ? nullptr : &mailbox->messages;
}

const std::vector<ConnectionId>* Mailboxes::listeners(const Tenancy& tenancy) const {
  const Mailbox* mailbox = find(tenancy);
  return mailbox == nullptr ? nullptr : &mailbox->listeners;
}

Answer<void> Mailboxes::add(const Tenancy& tenancy, Message message, Instant now) {
  Mailbox* mailbox = find(tenancy);
  if (mailbox == nullptr) return {};
  const std::size_t octets = cost(message);
  if (mailbox->messages.size() >= config_.max_messages_per_mailbox ||
      octets > config_.max_octets_per_mailbox ||
      mailbox->message_octets > config_.max_octets_per_mailbox - octets) {
    return tl::unexpected(kMailboxFull);
  }
  if (!has_room(octets)) return tl::unexpected(kServerFull);
  journal_.record([&] { return StoreMessage{tenancy.mailbox, message}; });
  mailbox->messages.push_back(std::move(message));
  mailbox->message_octets += octets;
  charge(*mailbox, octets);
  ++message_count_;
  mailbox->updated = now;
  return {};
}

std::optional<Mailboxes::Departed> Mailboxes::leave(const std::string& id, const std::string& appid,
                                                    const std::string& side,
                                                    std::optional<wire::Mood> mood) {
  const auto entry = mailboxes_.find(id);
  if (entry == mailboxes_.end() || entry->second.appid != appid) return std::nullopt;
  auto& sides = entry->second.sides;
  const auto mine =
      std::find_if(sides.begin(), sides.end(), [&side](const Side& s) { return s.name == side; });
  if (mine == sides.end()) return std::nullopt;
  mine->open = false;
  mine->mood = mood;
  if (std::any_of(sides.begin(), sides.end(), [](const Side& s) { return s.open; })) {
    journal_.record([&] { return StoreSide{id, *mine}; });
    return std::nullopt;
  }
  return remove(entry, false);
}

std::vector<Mailboxes::Departed> Mailboxes::prune(Instant now) {
  std::vector<Departed> departed;
  for (auto entry = mailboxes_.begin(); entry != mailboxes_.end();) {
    const auto current = entry++;
    if (!current->second.listeners.empty()) current->second.updated = now;
    if (now - current->second.updated >= config_.prune_after) {
      departed.push_back(remove(current, true));
    }
  }
  return departed;
}

Mailboxes::Departed Mailboxes::remove(Map::iterator entry, bool pruned) {
  Mailbox& mailbox = entry->second;
  tally(mailbox, pruned);
  octets_ -= mailbox.octets;
  message_count_ -= mailbox.messages.size();
  journal_.record([&] { return EraseMailbox{entry->first}; });
  Departed departed{std::move(mailbox.appid), std::move(mailbox.nameplate), entry->first};
  mailboxes_.erase(entry);
  return departed;
}

// The reference server's order: a later word overrides an earlier one.
void Mailboxes::tally(const Mailbox& mailbox, bool pruned) {
  const auto said = [&mailbox](wire::Mood mood) {
    return std::any_of(mailbox.sides.begin(), mailbox.sides.end(),
                       [mood](const Side& s) { return s.mood == mood; });
  };
  std::uint64_t* outcome = mailbox.sides.size() < kMaxSides ? &outcomes_.lonely : &outcomes_.happy;
  if (said(wire::Mood::kLonely)) outcome = &outcomes_.lonely;
  if (said(wire::Mood::kErrory)) outcome = &outcomes_.errory;
  if (said(wire::Mood::kScary)) outcome = &outcomes_.scary;
  if (pruned) outcome = &outcomes_.pruney;
  if (mailbox.sides.size() > kMaxSides) outcome = &outcomes_.crowded;
  ++*outcome;
}

void Mailboxes::count(Server::Counts& counts) const {
  counts.mailboxes = mailboxes_.size();
  counts.messages = message_count_;
  counts.octets = octets_;
  counts.outcomes = outcomes_;
}

void Mailboxes::restore(StoredMailbox stored, Instant now) {
  const auto [entry, fresh] = mailboxes_.try_emplace(stored.id);
  if (!fresh) return;
  Mailbox& mailbox = entry->second;
  mailbox.serial = next_serial_++;
  mailbox.appid = std::move(stored.appid);
  mailbox.nameplate = std::move(stored.nameplate);
  mailbox.sides = std::move(stored.sides);
  mailbox.messages = std::move(stored.messages);
  mailbox.updated = now;
  for (const Message& message : mailbox.messages) mailbox.message_octets += cost(message);
  std::size_t all = mailbox.message_octets + cost_of_mailbox(entry->first, mailbox.appid);
  for (const Side& side : mailbox.sides) all += cost_of_side(side.name);
  charge(mailbox, all);
  message_count_ += mailbox.messages.size();
}

std::vector<StoredMailbox> Mailboxes::state() const {
  std::vector<StoredMailbox> all;
  all.reserve(mailboxes_.size());
  for (const auto& [id, mailbox] : mailboxes_) {
    all.push_back({id, mailbox.appid, mailbox.nameplate, mailbox.sides, mailbox.messages});
  }
  return all;
}

}  // namespace peersock::wormhole::server
