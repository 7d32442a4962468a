// What the client asks of the server about its nameplate: allocate, claim, release. Each request
// that is still to have an effect is asked again on a new link.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/mailbox_message.hpp"

namespace peersock::wormhole {

class ClientNameplate {
 public:
  using Request = std::optional<wire::MailboxRequest>;

  /// `given` comes from the user's code; nothing: the server is to allocate one.
  explicit ClientNameplate(std::optional<std::string> given);

  /// A new link is up: what to ask first, if anything is still needed.
  [[nodiscard]] Request link_up();
  void link_lost();

  /// The claim that follows; nothing when nothing was to be allocated.
  [[nodiscard]] Request allocated(const std::string& nameplate);
  /// False when no claim was open on this link.
  [[nodiscard]] bool claimed();
  /// The nameplate is no longer needed. Nothing when it was never claimed, or is released, or the
  /// request is on its way.
  [[nodiscard]] Request release();
  void released();

  /// The server may know us as a holder.
  [[nodiscard]] bool held() const { return held_; }
  /// The server owes us an answer on this link.
  [[nodiscard]] bool awaiting() const { return allocate_open_ || claim_open_ || release_open_; }
  /// Not released so far: a new link has to claim it before the mailbox is opened.
  [[nodiscard]] bool needed() const {
    return stage_ == Stage::kAllocating || stage_ == Stage::kClaiming;
  }

 private:
  enum class Stage : std::uint8_t { kAllocating, kClaiming, kReleasing, kReleased };

  Request ask_claim();
  Request ask_release();

  Stage stage_;
  std::string nameplate_;
  bool held_ = false;
  bool allocate_open_ = false;
  bool claim_open_ = false;
  bool release_open_ = false;
};

}  // namespace peersock::wormhole
