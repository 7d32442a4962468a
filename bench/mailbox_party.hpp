// One side of a code exchange over a rendezvous server, as a client of the magic-wormhole protocol
// does it, without the cryptography: bodies have the size that they have in a peersock session, and
// say who sent them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace peersock::bench {

/// The members of a server's message that matter here; empty when they are missing.
struct ServerMessage {
  std::string type, side, phase, body, nameplate, mailbox, error;
};
/// Nothing when it is no JSON object.
[[nodiscard]] std::optional<ServerMessage> read_message(std::string_view frame);

class Party {
 public:
  /// The maker allocates the nameplate; the taker is given it.
  static Party maker(std::uint64_t exchange);
  static Party taker(std::uint64_t exchange, std::string nameplate);
  /// A client that binds and then says no more.
  static Party idler(std::uint64_t number);

  /// What to send in answer to a frame of the server.
  [[nodiscard]] std::vector<std::string> on_frame(std::string_view frame);

  /// Since `allocated`.
  [[nodiscard]] const std::string& nameplate() const { return nameplate_; }
  /// The server has confirmed everything, and every message of the other side came as it was sent;
  /// of an idler: it is bound.
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  enum class Role : std::uint8_t { kMaker, kTaker, kIdler };
  using Frames = std::vector<std::string>;
  Party(Role role, std::uint64_t exchange, std::string nameplate);

  [[nodiscard]] Frames bind() const;
  [[nodiscard]] Frames on_message(const ServerMessage& message);
  [[nodiscard]] Frames close_if_finished() const;
  Frames fail(std::string why);

  Role role_;
  std::string nameplate_;
  std::string side_;
  std::string peer_;
  std::size_t phase_ = 0;  ///< how many of the other side's messages have come
  bool released_ = false;
  bool done_ = false;
  std::string error_;
};

}  // namespace peersock::bench
