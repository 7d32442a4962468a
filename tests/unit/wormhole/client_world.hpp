// Clients that talk to the embedded server's machine over a network in virtual time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/runner.hpp"
#include "support/virtual_mailbox.hpp"
#include "support/virtual_world.hpp"
#include "wormhole/client.hpp"

namespace peersock::testing {

class WorldClient {
 public:
  /// No code: the client makes one.
  WorldClient(VirtualWorld& world, VirtualMailbox& mailbox, std::string side,
              const std::optional<std::string>& code);

  void start() { give(wormhole::Started{}); }
  void queue(const std::string& text) { give(wormhole::PayloadQueued{to_bytes(text)}); }
  void close() { give(wormhole::CloseRequested{}); }
  /// The link breaks under both ends; frames on their way are lost.
  void break_link();
  /// Breaks it as soon as this many frames have been sent and received.
  void break_link_after(std::size_t count) { break_at_ = count; }

  /// For Runner.
  void perform(wormhole::ClientOutput output, Instant now);

  [[nodiscard]] std::string state() const { return std::string(runner_.machine().state_name()); }

  std::size_t frames = 0;  ///< sent and received
  std::optional<std::string> code;
  std::optional<std::string> peer_side;
  std::optional<std::string> smp_key;  ///< of PeerVerified
  std::vector<std::string> payloads;
  std::optional<Error> error;
  bool closed = false;
  int verified = 0;
  std::function<void(const std::string&)> on_code = [](const std::string&) {};

 private:
  void give(wormhole::ClientInput input);
  void pump();
  void arm();
  void open_link();
  void count_frame();

  VirtualWorld& world_;
  VirtualMailbox& mailbox_;
  std::optional<wormhole::ConnectionId> link_;
  std::optional<std::size_t> break_at_;
  std::optional<Instant> armed_;
  Runner<wormhole::Client, WorldClient> runner_;
};

}  // namespace peersock::testing
