#include "wormhole/server.hpp"

#include <map>
#include <type_traits>
#include <utility>

#include "wormhole/server_conversation.hpp"

namespace peersock::wormhole {

using server::Board;
using server::Conversation;
using server::Replies;

static_assert(Machine<Server>);

class Server::Impl {
 public:
  Impl(ServerConfig config, Rng& rng, double epoch, Instant started, ServerState restored)
      : config_(std::move(config)), epoch_(epoch), started_(started), board_(config_, rng) {
    board_.restore(std::move(restored), started);
    schedule(started);
  }

  std::vector<ServerOutput> handle(ServerInput input, Instant now) {
    Replies replies(epoch_ + std::chrono::duration<double>(now - started_).count());
    std::visit([&](auto&& fact) { on(fact, replies, now); }, input);
    for (const ConnectionId connection : replies.dropped()) forget(connection);
    schedule(now);
    return in_order(board_.take_changes(), replies.take());
  }

  [[nodiscard]] std::optional<Instant> deadline() const { return next_prune_; }

  [[nodiscard]] Counts counts() const {
    Counts counts;
    counts.connections = conversations_.size();
    board_.count(counts);
    return counts;
  }
  [[nodiscard]] ServerState state() const { return board_.state(); }

 private:
  /// What is to be kept comes before what says that it is kept.
  static std::vector<ServerOutput> in_order(std::vector<StateChange> changes,
                                            std::vector<ServerOutput> replies) {
    if (changes.empty()) return replies;
    std::vector<ServerOutput> outputs;
    outputs.reserve(changes.size() + replies.size());
    for (StateChange& change : changes) outputs.emplace_back(StoreChange{std::move(change)});
    for (ServerOutput& reply : replies) outputs.push_back(std::move(reply));
    return outputs;
  }

  void on(const ClientConnected& fact, Replies& replies, Instant /*now*/) {
    const auto [entry, fresh] =
        conversations_.try_emplace(fact.connection, Conversation(fact.connection, fact.origin));
    if (fresh) entry->second.welcome(config_, fact.address, replies);
  }

  void on(const ClientFrameReceived& fact, Replies& replies, Instant now) {
    const auto entry = conversations_.find(fact.connection);
    if (entry == conversations_.end()) return;
    if (fact.frame.size() > config_.max_frame) {
      replies.send(fact.connection, {{"type", "error"},
                                     {"error", "the message is too long"},
                                     {"orig", nlohmann::json::object()}});
      replies.drop(fact.connection);
      return;
    }
    entry->second.receive(fact.frame, config_, board_, replies, now);
  }

  void on(const ClientDisconnected& fact, Replies& /*replies*/, Instant /*now*/) {
    forget(fact.connection);
  }

  void on(const DeadlineReached& /*fact*/, Replies& /*replies*/, Instant now) {
    if (!next_prune_ || now < *next_prune_) return;
    board_.prune(now);
    next_prune_.reset();
  }

  void forget(ConnectionId connection) {
    const auto entry = conversations_.find(connection);
    if (entry == conversations_.end()) return;
    entry->second.end(board_);
    conversations_.erase(entry);
  }

  void schedule(Instant now) {
    if (board_.mailboxes().empty()) {
      next_prune_.reset();
    } else if (!next_prune_) {
      next_prune_ = now + config_.prune_every;
    }
  }

  ServerConfig config_;
  double epoch_;
  Instant started_;
  Board board_;
  std::map<ConnectionId, Conversation> conversations_;
  std::optional<Instant> next_prune_;  ///< while there is anything to prune
};

Server::Server(ServerConfig config, Rng& rng, double epoch, Instant started, ServerState restored)
    : impl_(std::make_unique<Impl>(std::move(config), rng, epoch, started, std::move(restored))) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

std::vector<ServerOutput> Server::handle(Input input, Instant now) {
  return impl_->handle(std::move(input), now);
}
std::optional<Instant> Server::deadline() const {
  return impl_->deadline();
}
Server::Counts Server::counts() const {
  return impl_->counts();
}
ServerState Server::state() const {
  return impl_->state();
}

}  // namespace peersock::wormhole
