#include "wormhole/server_board.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace peersock::wormhole::server {
namespace {

constexpr std::size_t kMailboxIdOctets = 8;

/// RFC 4648 section 6, in lower case and without padding.
std::string base32(ByteView octets) {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const std::uint8_t octet : octets) {
    pending = (pending << 8) | octet;
    for (bits += 8; bits >= 5; bits -= 5) text += kAlphabet[(pending >> (bits - 5)) & 31];
  }
  if (bits > 0) text += kAlphabet[(pending << (5 - bits)) & 31];
  return text;
}

}  // namespace

std::string Board::new_mailbox_id() {
  std::array<std::uint8_t, kMailboxIdOctets> octets{};
  std::string id;
  do {
    rng_.fill(octets);
    id = base32(octets);
  } while (mailboxes_.contains(id));
  return id;
}

Answer<std::string> Board::allocate(const Speaker& speaker, Instant now) {
  auto nameplate = nameplates_.pick(speaker.appid, rng_);
  if (!nameplate) return tl::unexpected(kNoFreeNameplate);
  const auto mailbox = claim(speaker, *nameplate, now);
  if (!mailbox) return tl::unexpected(mailbox.error());
  return *std::move(nameplate);
}

Answer<std::string> Board::claim(const Speaker& speaker, const std::string& nameplate,
                                 Instant now) {
  const std::string* existing = nameplates_.mailbox_of(speaker.appid, nameplate);
  if (existing != nullptr) {
    const std::string mailbox = *existing;
    if (!nameplates_.claim(speaker.appid, nameplate, speaker.side)) {
      return tl::unexpected(kReclaimed);
    }
    const auto entered = mailboxes_.enter(mailbox, speaker.appid, speaker.side, nameplate, now);
    if (!entered) return tl::unexpected(entered.error());
    return mailbox;
  }
  if (!speaker.origin.empty() &&
      nameplates_.made_by(speaker.origin) >= config_.max_nameplates_per_origin) {
    return tl::unexpected(kTooManyNameplates);
  }
  std::string mailbox = new_mailbox_id();
  const auto entered = mailboxes_.enter(mailbox, speaker.appid, speaker.side, nameplate, now);
  if (!entered) return tl::unexpected(entered.error());
  nameplates_.create(speaker.appid, nameplate, mailbox, speaker.origin);
  (void)nameplates_.claim(speaker.appid, nameplate, speaker.side);
  return mailbox;
}

void Board::release(const Speaker& speaker, const std::string& nameplate) {
  nameplates_.release(speaker.appid, nameplate, speaker.side);
}

std::vector<std::string> Board::list(const Speaker& speaker) const {
  if (!config_.allow_list) return {};
  return nameplates_.list(speaker.appid);
}

Answer<Tenancy> Board::open(const Speaker& speaker, const std::string& mailbox, Instant now) {
  return mailboxes_.enter(mailbox, speaker.appid, speaker.side, std::nullopt, now);
}

Answer<void> Board::close(const Speaker& speaker, const std::string& mailbox, bool entered,
                          std::optional<wire::Mood> mood, Instant now) {
  if (!entered) {
    // To enter a mailbox that is not there and to leave it at once leaves no trace.
    if (!mailboxes_.contains(mailbox)) return {};
    const auto tenancy = open(speaker, mailbox, now);
    if (!tenancy) return tl::unexpected(tenancy.error());
  }
  if (const auto departed = mailboxes_.leave(mailbox, speaker.appid, speaker.side, mood)) {
    forget_nameplate(*departed);
  }
  return {};
}

void Board::prune(Instant now) {
  for (const auto& departed : mailboxes_.prune(now)) forget_nameplate(departed);
}

void Board::forget_nameplate(const Mailboxes::Departed& departed) {
  if (departed.nameplate) nameplates_.remove(departed.appid, *departed.nameplate, departed.id);
}

void Board::count(Server::Counts& counts) const {
  counts.nameplates = nameplates_.size();
  mailboxes_.count(counts);
}

void Board::restore(ServerState state, Instant now) {
  for (StoredMailbox& mailbox : state.mailboxes) mailboxes_.restore(std::move(mailbox), now);
  for (StoredNameplate& nameplate : state.nameplates) {
    if (mailboxes_.contains(nameplate.mailbox)) nameplates_.restore(std::move(nameplate));
  }
}

ServerState Board::state() const {
  return {mailboxes_.state(), nameplates_.state()};
}

}  // namespace peersock::wormhole::server
