// The client's end of the mailbox: subscribing to it, and the messages of ours that the server has
// not confirmed yet. A message is confirmed by its echo; until then it is added again on each link.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/mailbox_message.hpp"

namespace peersock::wormhole {

inline constexpr std::string_view kPakePhase = "pake";
inline constexpr std::string_view kVersionPhase = "version";

class ClientMailbox {
 public:
  /// The nameplate leads to this mailbox. Should a server forget its state, a later claim leads to
  /// another one, in which nothing of ours is stored.
  void move_to(const std::string& id);
  [[nodiscard]] bool known() const { return !id_.empty(); }

  /// Subscribes on this link, and adds everything that is not confirmed.
  [[nodiscard]] std::vector<wire::MailboxRequest> open();
  [[nodiscard]] bool is_open() const { return open_; }
  void link_lost();

  /// Keeps the message; what to send for it now, if the mailbox is open.
  [[nodiscard]] std::optional<wire::MailboxRequest> add(std::string_view phase, std::string body);
  /// A message of our side came back.
  void echoed(std::string_view phase, std::string_view body);
  [[nodiscard]] bool confirmed(std::string_view phase) const;

  [[nodiscard]] wire::MailboxRequest close(wire::Mood mood);
  void closed() { close_open_ = false; }
  [[nodiscard]] bool closing() const { return close_open_; }

  /// The server owes us an echo or `closed` on this link.
  [[nodiscard]] bool awaiting() const;
  /// Unconfirmed messages, and the octets of their bodies.
  [[nodiscard]] std::size_t unconfirmed() const;
  [[nodiscard]] std::size_t unconfirmed_octets() const;

 private:
  struct Message {
    std::string phase;
    std::string body;
    bool confirmed = false;
  };

  std::string id_;
  bool open_ = false;
  bool close_open_ = false;
  /// Confirmed messages leave the list, apart from `pake`, which a new mailbox would need again.
  std::vector<Message> messages_;
};

}  // namespace peersock::wormhole
