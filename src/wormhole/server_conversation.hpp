// What one connection may say to the embedded rendezvous server, and what it hears.
// Rules and texts: docs/spec/rendezvous-server.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "wormhole/server_board.hpp"

namespace peersock::wormhole::server {

/// Collects the frames that answer one input, each with its `server_tx`.
class Replies {
 public:
  /// `wall_time`: seconds since the Unix epoch.
  explicit Replies(double wall_time) : wall_time_(wall_time) {}

  void send(ConnectionId to, nlohmann::json reply);
  /// The same frame for several connections.
  void send(const std::vector<ConnectionId>& to, nlohmann::json reply);
  void drop(ConnectionId connection);

  [[nodiscard]] double wall_time() const { return wall_time_; }
  [[nodiscard]] const std::vector<ConnectionId>& dropped() const { return dropped_; }
  [[nodiscard]] std::vector<ServerOutput> take() { return std::move(outputs_); }

 private:
  double wall_time_;
  std::vector<ServerOutput> outputs_;
  std::vector<ConnectionId> dropped_;
};

class Conversation {
 public:
  /// `origin`: ClientConnected::origin.
  Conversation(ConnectionId connection, std::string origin)
      : connection_(connection), origin_(std::move(origin)) {}

  void welcome(const ServerConfig& config, const std::optional<ClientAddress>& address,
               Replies& replies) const;
  /// One frame, not longer than ServerConfig::max_frame.
  void receive(const std::string& frame, const ServerConfig& config, Board& board, Replies& replies,
               Instant now);
  /// The connection is gone.
  void end(Board& board);

 private:
  /// What a request is answered with.
  struct Desk {
    Board& board;
    Replies& replies;
    Instant now;
  };
  using Json = nlohmann::json;
  using Handler = Answer<void> (Conversation::*)(const Json&, Desk&);
  [[nodiscard]] static Handler handler_of(std::string_view type);

  [[nodiscard]] Answer<void> dispatch(const Json& message, Desk& desk);
  Answer<void> on_ping(const Json& message, Desk& desk) const;
  Answer<void> on_bind(const Json& message, Desk& desk);
  Answer<void> on_list(const Json& message, Desk& desk);
  Answer<void> on_allocate(const Json& message, Desk& desk);
  Answer<void> on_claim(const Json& message, Desk& desk);
  Answer<void> on_release(const Json& message, Desk& desk);
  Answer<void> on_open(const Json& message, Desk& desk);
  Answer<void> on_add(const Json& message, Desk& desk);
  Answer<void> on_close(const Json& message, Desk& desk);
  [[nodiscard]] Answer<std::string> mailbox_to_close(const Json& message) const;

  ConnectionId connection_;
  std::string origin_;
  std::optional<Speaker> speaker_;  ///< since bind
  bool did_allocate_ = false;
  bool did_claim_ = false;
  bool did_release_ = false;
  bool did_close_ = false;
  std::optional<std::string> nameplate_;  ///< named in `claim`, even if that was refused
  std::optional<std::string> mailbox_;    ///< named in `open`, even if that was refused
  std::optional<Tenancy> open_;           ///< from `open` to `close`
};

}  // namespace peersock::wormhole::server
