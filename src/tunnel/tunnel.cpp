#include "tunnel/tunnel.hpp"

#include <deque>
#include <unordered_map>
#include <utility>
#include <variant>

#include "core/machine.hpp"
#include "tunnel/pump.hpp"

namespace peersock::tunnel {
namespace {

// The stages of one connection. An opener's goes from Waiting to Pump, an acceptor's from
// ReadingHeader over Connecting to Pump.

/// No stream yet: the peer's limit is reached. The channel is not even looked at.
struct Waiting {
  std::unique_ptr<LocalChannel> channel;
};
struct ReadingHeader {
  Bytes prefix;
};
/// The local target is being connected to; the peer's data waits inside QUIC.
struct Connecting {};

struct Entry {
  ConnectionId id = 0;
  quic::StreamId stream = 0;
  std::variant<Waiting, ReadingHeader, Connecting, Pump> stage;
};

}  // namespace

class Tunnel::Impl {
 public:
  Impl(TunnelConfig config, quic::Connection& connection) : config_(config), shared_(connection) {}

  ConnectionId local_accepted(std::unique_ptr<LocalChannel> channel);
  void target_connected(ConnectionId id, std::unique_ptr<LocalChannel> channel);
  void target_failed(ConnectionId id, const TargetFailure& failure);
  void local_ready(ConnectionId id, bool readable, bool writable);
  void on_fact(const quic::ConnectionFact& fact);
  void shut_down();
  void credit_received(quic::StreamId stream, std::uint32_t octets);
  std::optional<TunnelCommand> poll_command();

  std::size_t open = 0;  ///< connections reported as opened and not yet as closed
  [[nodiscard]] Totals totals() const { return shared_.totals; }

 private:
  Entry* find(ConnectionId id);

  void start_waiting();
  void arrived(quic::StreamId stream);
  void stream_readable(Entry& entry);
  void stream_stopped(Entry& entry, std::uint64_t code);
  void start_pump(Entry& entry, std::unique_ptr<LocalChannel> channel, Bytes first);
  void report_opened(const Entry& entry);

  // These may erase the entry: it is not to be touched afterwards.
  void read_header(Entry& entry);
  void settle(Entry& entry);
  void refuse(Entry& entry, wire::StreamError code, Outcome outcome);
  void peer_gave_up(Entry& entry, std::uint64_t code);
  void end(Entry& entry, event::ConnectionClosed closed, std::optional<Error> failed);

  TunnelConfig config_;
  PumpShared shared_;
  std::unordered_map<ConnectionId, Entry> entries_;
  std::unordered_map<quic::StreamId, Entry*> by_stream_;  ///< entries that have a stream
  std::deque<ConnectionId> waiting_;
  std::deque<TunnelCommand> commands_;
  ConnectionId last_id_ = 0;
  bool served_ = false;  ///< a single tunnel has got its connection
  bool paused_ = false;
  bool shut_down_ = false;
};

ConnectionId Tunnel::Impl::local_accepted(std::unique_ptr<LocalChannel> channel) {
  const bool refused = !config_.opener || shut_down_ || (config_.single && served_) ||
                       waiting_.size() >= kMostWaiting;
  if (refused) {
    channel->abort();
    return 0;
  }
  served_ = true;
  const ConnectionId id = ++last_id_;
  entries_.try_emplace(id, Entry{id, 0, Waiting{std::move(channel)}});
  waiting_.push_back(id);
  start_waiting();
  if (waiting_.size() >= kMaxWaiting && !std::exchange(paused_, true)) {
    commands_.emplace_back(command::PauseAccepting{});
  }
  return id;
}

/// Opens a stream for each connection that waits, in order, as far as the peer's limit goes.
void Tunnel::Impl::start_waiting() {
  while (!waiting_.empty()) {
    const auto stream = shared_.quic.open_stream();
    if (!stream) break;
    Entry& entry = entries_.at(waiting_.front());
    waiting_.pop_front();
    entry.stream = *stream;
    by_stream_.emplace(*stream, &entry);
    report_opened(entry);
    auto channel = std::move(std::get<Waiting>(entry.stage).channel);
    start_pump(entry, std::move(channel), wire::encode(wire::StreamHeader{}));
  }
  if (waiting_.size() <= kMaxWaiting / 2 && std::exchange(paused_, false)) {
    commands_.emplace_back(command::ResumeAccepting{});
  }
}

void Tunnel::Impl::start_pump(Entry& entry, std::unique_ptr<LocalChannel> channel, Bytes first) {
  entry.stage.emplace<Pump>(shared_, entry.stream, std::move(channel), std::move(first)).start();
  settle(entry);
}

void Tunnel::Impl::arrived(quic::StreamId stream) {
  if (config_.opener || shut_down_ || (config_.single && served_)) {
    const auto code = config_.opener ? wire::StreamError::kProtocol : wire::StreamError::kBusy;
    shared_.quic.reset(stream, number(code));
    shared_.quic.stop_sending(stream, number(code));
    shared_.quic.release(stream);
    return;
  }
  served_ = true;
  const ConnectionId id = ++last_id_;
  Entry& entry = entries_.try_emplace(id, Entry{id, stream, ReadingHeader{}}).first->second;
  by_stream_.emplace(stream, &entry);
  read_header(entry);
}

void Tunnel::Impl::read_header(Entry& entry) {
  const auto malformed = [&](Error error) {
    refuse(entry, wire::StreamError::kProtocol, {CloseReason::kAborted, std::move(error)});
  };
  // Octet by octet, because what follows the header is not to leave QUIC yet.
  Bytes& prefix = std::get<ReadingHeader>(entry.stage).prefix;
  for (;;) {
    std::uint8_t octet = 0;
    const quic::ReadOutcome got = shared_.quic.read(entry.stream, MutableBytes(&octet, 1));
    if (got.reset) return peer_gave_up(entry, *got.reset);
    if (got.end) {
      return malformed({ErrorKind::kConnectionLost,
                        "the other side ended a connection before it had begun; use the same "
                        "version of peersock on both sides"});
    }
    if (got.octets == 0) return;
    prefix.push_back(octet);
    auto parsed = wire::parse_stream_header(prefix);
    if (!parsed) return malformed(std::move(parsed.error()));
    if (parsed->has_value()) break;
  }
  entry.stage = Connecting{};
  report_opened(entry);
  commands_.emplace_back(command::ConnectTarget{entry.id});
}

void Tunnel::Impl::target_connected(ConnectionId id, std::unique_ptr<LocalChannel> channel) {
  Entry* const entry = find(id);
  if (entry == nullptr || !std::holds_alternative<Connecting>(entry->stage)) return;
  start_pump(*entry, std::move(channel), {});
}

void Tunnel::Impl::target_failed(ConnectionId id, const TargetFailure& failure) {
  Entry* const entry = find(id);
  if (entry == nullptr || !std::holds_alternative<Connecting>(entry->stage)) return;
  const auto code = failure.reason == CloseReason::kRefused ? wire::StreamError::kRefused
                                                            : wire::StreamError::kUnreachable;
  refuse(*entry, code, {failure.reason, Error{ErrorKind::kLocalEndpoint, failure.message}});
}

void Tunnel::Impl::local_ready(ConnectionId id, bool readable, bool writable) {
  Entry* const entry = find(id);
  if (entry == nullptr) return;
  if (Pump* const pump = std::get_if<Pump>(&entry->stage)) {
    pump->local_ready(readable, writable);
    settle(*entry);
  }
}

void Tunnel::Impl::on_fact(const quic::ConnectionFact& fact) {
  const auto at = [&](quic::StreamId stream, auto&& act) {
    const auto found = by_stream_.find(stream);
    if (found != by_stream_.end()) act(*found->second);
  };
  std::visit(Overloaded{
                 [](const quic::fact::Established&) {},
                 [&](const quic::fact::StreamOpened& it) { arrived(it.stream); },
                 [&](const quic::fact::StreamReadable& it) {
                   at(it.stream, [&](Entry& entry) { stream_readable(entry); });
                 },
                 [&](const quic::fact::StreamWritable& it) {
                   at(it.stream, [&](Entry& entry) {
                     Pump* const pump = std::get_if<Pump>(&entry.stage);
                     if (pump == nullptr) return;
                     pump->stream_writable();
                     settle(entry);
                   });
                 },
                 [&](const quic::fact::StreamStopped& it) {
                   at(it.stream, [&](Entry& entry) { stream_stopped(entry, it.code); });
                 },
                 [&](const quic::fact::StreamsAvailable&) { start_waiting(); },
                 [&](const quic::fact::Closed&) { shut_down(); },
             },
             fact);
}

void Tunnel::Impl::stream_readable(Entry& entry) {
  std::visit(Overloaded{
                 [](Waiting&) {},
                 [&](ReadingHeader&) { read_header(entry); },
                 [&](Connecting&) {
                   const auto got = shared_.quic.read(entry.stream, {});
                   if (got.reset) peer_gave_up(entry, *got.reset);
                 },
                 [&](Pump& pump) {
                   pump.stream_readable();
                   settle(entry);
                 },
             },
             entry.stage);
}

void Tunnel::Impl::stream_stopped(Entry& entry, std::uint64_t code) {
  if (Pump* const pump = std::get_if<Pump>(&entry.stage)) {
    pump->stream_stopped(code);
    settle(entry);
  } else {
    // Nothing was sent on it yet, so the peer has lost interest in the whole connection.
    peer_gave_up(entry, code);
  }
}

void Tunnel::Impl::report_opened(const Entry& entry) {
  ++open;
  ++shared_.totals.opened;
  commands_.emplace_back(command::ReportOpened{entry.id});
}

void Tunnel::Impl::settle(Entry& entry) {
  const Pump* const pump = std::get_if<Pump>(&entry.stage);
  if (pump == nullptr || !pump->over()) return;
  const Outcome& outcome = pump->outcome();
  end(entry, {entry.id, outcome.reason, pump->sent(), pump->received()}, outcome.failed);
}

void Tunnel::Impl::refuse(Entry& entry, wire::StreamError code, Outcome outcome) {
  shared_.quic.reset(entry.stream, number(code));
  shared_.quic.stop_sending(entry.stream, number(code));
  end(entry, {entry.id, outcome.reason}, std::move(outcome.failed));
}

void Tunnel::Impl::peer_gave_up(Entry& entry, std::uint64_t code) {
  if (std::holds_alternative<Connecting>(entry.stage)) {
    commands_.emplace_back(command::CancelTarget{entry.id});
  }
  refuse(entry, wire::StreamError::kAborted, outcome_of(code));
}

void Tunnel::Impl::end(Entry& entry, event::ConnectionClosed closed, std::optional<Error> failed) {
  shared_.quic.release(entry.stream);
  by_stream_.erase(entry.stream);
  // A stream that never got as far as a whole header was never reported.
  if (!std::holds_alternative<ReadingHeader>(entry.stage)) {
    --open;
    commands_.emplace_back(command::ReportClosed{closed});
  }
  entries_.erase(closed.id);
  if (config_.single) commands_.emplace_back(command::Finished{std::move(failed)});
}

void Tunnel::Impl::shut_down() {
  if (std::exchange(shut_down_, true)) return;
  paused_ = false;
  waiting_.clear();
  by_stream_.clear();
  auto entries = std::exchange(entries_, {});
  for (auto& [id, entry] : entries) {
    event::ConnectionClosed closed{id, CloseReason::kSessionLost};
    if (auto* const waiting = std::get_if<Waiting>(&entry.stage)) {
      waiting->channel->abort();
      continue;
    }
    if (std::holds_alternative<ReadingHeader>(entry.stage)) continue;
    if (auto* const pump = std::get_if<Pump>(&entry.stage)) {
      pump->abort_local();
      closed.bytes_sent = pump->sent();
      closed.bytes_received = pump->received();
    } else {
      commands_.emplace_back(command::CancelTarget{id});
    }
    commands_.emplace_back(command::ReportClosed{closed});
  }
  open = 0;
}

void Tunnel::Impl::credit_received(quic::StreamId stream, std::uint32_t octets) {
  const auto found = by_stream_.find(stream);
  if (found == by_stream_.end()) return;  // it has ended meanwhile
  if (Pump* const pump = std::get_if<Pump>(&found->second->stage)) {
    pump->credit_received(octets);
    settle(*found->second);
  }
}

std::optional<TunnelCommand> Tunnel::Impl::poll_command() {
  if (!shared_.grants.empty()) {
    const command::GrantCredit grant = shared_.grants.back();
    shared_.grants.pop_back();
    return grant;
  }
  if (commands_.empty()) return std::nullopt;
  auto next = std::move(commands_.front());
  commands_.pop_front();
  return next;
}

Entry* Tunnel::Impl::find(ConnectionId id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

Tunnel::Tunnel(TunnelConfig config, quic::Connection& connection)
    : impl_(std::make_unique<Impl>(config, connection)) {}
Tunnel::~Tunnel() = default;

ConnectionId Tunnel::local_accepted(std::unique_ptr<LocalChannel> channel) {
  return impl_->local_accepted(std::move(channel));
}
void Tunnel::target_connected(ConnectionId connection, std::unique_ptr<LocalChannel> channel) {
  impl_->target_connected(connection, std::move(channel));
}
void Tunnel::target_failed(ConnectionId connection, const TargetFailure& failure) {
  impl_->target_failed(connection, failure);
}
void Tunnel::local_ready(ConnectionId connection, bool readable, bool writable) {
  impl_->local_ready(connection, readable, writable);
}
void Tunnel::on_fact(const quic::ConnectionFact& fact) {
  impl_->on_fact(fact);
}
void Tunnel::credit_received(quic::StreamId stream, std::uint32_t octets) {
  impl_->credit_received(stream, octets);
}
void Tunnel::shut_down() {
  impl_->shut_down();
}
std::optional<TunnelCommand> Tunnel::poll_command() {
  return impl_->poll_command();
}
std::size_t Tunnel::open_connections() const {
  return impl_->open;
}
Tunnel::Totals Tunnel::totals() const {
  return impl_->totals();
}

}  // namespace peersock::tunnel
