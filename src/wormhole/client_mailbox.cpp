#include "wormhole/client_mailbox.hpp"

#include <algorithm>
#include <utility>

namespace peersock::wormhole {

void ClientMailbox::move_to(const std::string& id) {
  if (id_ == id) return;
  id_ = id;
  for (Message& message : messages_) message.confirmed = false;
}

std::vector<wire::MailboxRequest> ClientMailbox::open() {
  open_ = true;
  std::vector<wire::MailboxRequest> requests{wire::request::Open{id_}};
  for (const Message& message : messages_) {
    if (message.confirmed) continue;
    requests.emplace_back(wire::request::Add{message.phase, message.body});
  }
  return requests;
}

void ClientMailbox::link_lost() {
  open_ = false;
  close_open_ = false;
}

std::optional<wire::MailboxRequest> ClientMailbox::add(std::string_view phase, std::string body) {
  messages_.push_back({std::string(phase), std::move(body), false});
  if (!open_) return std::nullopt;
  return wire::request::Add{messages_.back().phase, messages_.back().body};
}

void ClientMailbox::echoed(std::string_view phase, std::string_view body) {
  // Another body under our side id is not ours: it confirms nothing.
  const auto found = std::ranges::find_if(messages_, [&](const Message& message) {
    return message.phase == phase && message.body == body;
  });
  if (found == messages_.end()) return;
  if (phase == kPakePhase) {
    found->confirmed = true;
  } else {
    messages_.erase(found);
  }
}

bool ClientMailbox::confirmed(std::string_view phase) const {
  const auto found = std::ranges::find(messages_, phase, &Message::phase);
  return found == messages_.end() || found->confirmed;
}

wire::MailboxRequest ClientMailbox::close(wire::Mood mood) {
  close_open_ = true;
  return wire::request::Close{id_, std::string(wire::to_string(mood))};
}

bool ClientMailbox::awaiting() const {
  return close_open_ || (open_ && unconfirmed() > 0);
}

std::size_t ClientMailbox::unconfirmed() const {
  return static_cast<std::size_t>(std::ranges::count(messages_, false, &Message::confirmed));
}

std::size_t ClientMailbox::unconfirmed_octets() const {
  std::size_t octets = 0;
  for (const Message& message : messages_) octets += message.confirmed ? 0 : message.body.size();
  return octets;
}

}  // namespace peersock::wormhole
