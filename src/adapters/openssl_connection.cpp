#include "adapters/openssl_connection.hpp"

#include <algorithm>
#include <utility>

#include <openssl/err.h>
#include <openssl/quic.h>

#include "adapters/quic_close.hpp"
#include "core/machine.hpp"

namespace peersock::adapters {
namespace {

using namespace quic::fact;

tl::unexpected<Error> openssl_failure(std::string_view what) {
  return fail(ErrorKind::kInternal, std::string(what) + ": " + take_openssl_error());
}

}  // namespace

OpenSslConnection::OpenSslConnection(const quic::ConnectionConfig& config, std::string_view alpn,
                                     Instant now)
    : config_(config),
      terms_{config.peer_fingerprint, std::string(alpn)},
      gate_(config.role),
      now_(now),
      heard_(now) {}

Result<std::unique_ptr<OpenSslConnection>> OpenSslConnection::create(
    const quic::ConnectionConfig& config, const Identity* identity, std::string_view alpn,
    Instant now) {
  std::unique_ptr<OpenSslConnection> self(new OpenSslConnection(config, alpn, now));
  if (auto done = self->set_up(identity); !done) return tl::unexpected(std::move(done.error()));
  return self;
}

Result<void> OpenSslConnection::set_up(const Identity* identity) {
  auto bio = DatagramBio::create(gate_);
  if (!bio) return tl::unexpected(std::move(bio.error()));
  bio_ = std::move(*bio);
  auto context = make_tls_context(config_.role, identity, terms_);
  if (!context) return tl::unexpected(std::move(context.error()));
  context_ = std::move(*context);
  return config_.role == quic::Role::kServer ? start_listening() : Result<void>{};
}

Result<void> OpenSslConnection::start_listening() {
  // Without NO_VALIDATE the server asks for a Retry, which needs addresses; ICE has checked the
  // path already.
  listener_.reset(SSL_new_listener(context_.get(), SSL_LISTENER_FLAG_NO_VALIDATE));
  if (!listener_) return openssl_failure("OpenSSL made no QUIC listener");
  bio_->attach(listener_.get());
  if (SSL_set_blocking_mode(listener_.get(), 0) != 1 || SSL_listen(listener_.get()) != 1) {
    return openssl_failure("OpenSSL does not listen");
  }
  return {};
}

/// A client's clock starts to run with the object, so it is made when it can send.
Result<void> OpenSslConnection::start_connecting() {
  SslPtr connection(SSL_new(context_.get()));
  if (!connection) return openssl_failure("OpenSSL made no QUIC connection");
  bio_->attach(connection.get());
  const auto idle = std::chrono::duration_cast<std::chrono::milliseconds>(config_.idle_timeout);
  // A server cannot set its own before it has answered; the smaller of both counts for both.
  if (SSL_set_feature_request_uint(connection.get(), SSL_VALUE_QUIC_IDLE_TIMEOUT,
                                   static_cast<std::uint64_t>(idle.count())) != 1) {
    return openssl_failure("OpenSSL did not take the idle time-out");
  }
  return set_up_connection(std::move(connection));
}

Result<void> OpenSslConnection::set_up_connection(SslPtr connection) {
  SSL* ssl = connection.get();
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_set_blocking_mode(ssl, 0) != 1 ||
      SSL_set_event_handling_mode(ssl, SSL_VALUE_EVENT_HANDLING_MODE_EXPLICIT) != 1 ||
      SSL_set_default_stream_mode(ssl, SSL_DEFAULT_STREAM_MODE_NONE) != 1 ||
      SSL_set_incoming_stream_policy(ssl, SSL_INCOMING_STREAM_POLICY_ACCEPT, 0) != 1) {
    return openssl_failure("OpenSSL did not take our QUIC settings");
  }
  notes_.attach(ssl);
  connection_ = std::move(connection);
  heard_ = now_;
  return {};
}

void OpenSslConnection::advance(Instant now) {
  now_ = std::max(now_, now);
}

void OpenSslConnection::receive(const quic::DatagramTrain& train, Instant now) {
  advance(now);
  if (dead() || (!listener_ && !connection_)) return;
  bio_->offer_input(train);
  // One tick takes 32 datagrams at most. One that takes none never will.
  for (std::size_t left = bio_->input_left(); left > 0;) {
    tick();
    if (bio_->input_left() == left) break;
    left = bio_->input_left();
  }
  bio_->drop_input();
}

void OpenSslConnection::on_deadline(Instant now) {
  advance(now);
  check_silence();
  if (!dead()) tick();
}

std::optional<Instant> OpenSslConnection::deadline() const {
  // Facts that a transmit brought up are to be polled at once.
  if (!facts_.empty()) return now_;
  if (!established_ || closed_) return engine_deadline_;
  return earliest(engine_deadline_, heard_ + config_.idle_timeout);
}

quic::DatagramTrain OpenSslConnection::transmit(MutableBytes buffer, Instant now) {
  advance(now);
  if (config_.role == quic::Role::kClient && !connection_ && !closed_) {
    if (auto started = start_connecting(); !started) {
      end({std::nullopt, "", std::move(started.error())});
    }
    dirty_ = true;
  }
  if (!dirty_ && !bio_->output_waits()) return {};
  if (bio_->begin_output(buffer) && !dead()) {
    dirty_ = false;
    tick();
  }
  return bio_->end_output();
}

std::optional<quic::ConnectionFact> OpenSslConnection::poll_event() {
  if (facts_.empty()) return std::nullopt;
  quic::ConnectionFact fact = std::move(facts_.front());
  facts_.pop_front();
  if (const auto* readable = std::get_if<StreamReadable>(&fact)) {
    if (OpenSslStream* stream = find(readable->stream)) stream->readable_announced = false;
  }
  return fact;
}

/// Everything that OpenSSL does by itself, and what follows from it.
void OpenSslConnection::tick() {
  notes_.begin(now_);
  reads_since_tick_ = 0;
  SSL* top = listener_ ? listener_.get() : connection_.get();
  if (top == nullptr) return;
  static_cast<void>(SSL_handle_events(top));
  accept_connection();
  complete_handshake();
  if (established_) {
    accept_streams();
    handle_notes();
    settle_streams();
  }
  check_closed();
  update_deadline();
  ERR_clear_error();
}

void OpenSslConnection::accept_connection() {
  if (!listener_ || connection_) return;
  if (SSL_get_accept_connection_queue_len(listener_.get()) > 0) {
    SslPtr accepted(SSL_accept_connection(listener_.get(), SSL_ACCEPT_CONNECTION_NO_BLOCK));
    if (accepted) {
      if (auto done = set_up_connection(std::move(accepted)); !done) {
        end({std::nullopt, "", std::move(done.error())});
      }
    }
  }
  gate_.on_handled(connection_ != nullptr);
}

void OpenSslConnection::complete_handshake() {
  if (established_ || closed_ || !connection_) return;
  // Starts a client's handshake, too.
  if (SSL_do_handshake(connection_.get()) != 1) return;
  established_ = true;
  gate_.on_handshake_complete();
  facts_.emplace_back(Established{});
}

void OpenSslConnection::accept_streams() {
  while (peer_streams_ < kMaxPeerStreams &&
         SSL_get_accept_stream_queue_len(connection_.get()) > 0) {
    SslPtr ssl(SSL_accept_stream(connection_.get(), SSL_ACCEPT_STREAM_NO_BLOCK));
    if (!ssl) return;
    dirty_ = true;  // MAX_STREAMS, or the refusal
    // Freeing a unidirectional stream refuses it: the profile has none.
    if (SSL_get_stream_type(ssl.get()) != SSL_STREAM_TYPE_BIDI) continue;
    OpenSslStream* stream = add(std::move(ssl), /*ours=*/false);
    ++peer_streams_;
    facts_.emplace_back(StreamOpened{stream->id()});
    announce_readable(*stream);
  }
}

void OpenSslConnection::handle_notes() {
  if (notes_.heard) heard_ = now_;
  for (const quic::StreamId id : notes_.readable) {
    OpenSslStream* stream = find(id);
    if (stream == nullptr) continue;
    if (stream->discards()) {
      stream->discard_input();
      dirty_ = true;
    } else {
      announce_readable(*stream);
    }
  }
  for (const auto& [id, code] : notes_.stopped) {
    OpenSslStream* stream = find(id);
    if (stream == nullptr || !stream->on_stopped()) continue;
    facts_.emplace_back(StreamStopped{id, code});
    remember_unsettled(*stream);
  }
  for (const auto& [id, limit] : notes_.credits) {
    OpenSslStream* stream = find(id);
    if (stream != nullptr && stream->on_credit(limit)) facts_.emplace_back(StreamWritable{id});
  }
  if (notes_.acknowledged) {
    widen_window(budget_, notes_.round_trip().minimum().value_or(0ns));
    wake_waiting();
  }
  if (notes_.streams_allowed && std::exchange(streams_wanted_, false)) {
    facts_.emplace_back(StreamsAvailable{});
  }
}

void OpenSslConnection::announce_readable(OpenSslStream& stream) {
  if (std::exchange(stream.readable_announced, true)) return;
  facts_.emplace_back(StreamReadable{stream.id()});
}

void OpenSslConnection::remember_waiting(OpenSslStream& stream) {
  if (stream.waits_for_room() &&
      std::find(waiting_.begin(), waiting_.end(), stream.id()) == waiting_.end()) {
    waiting_.push_back(stream.id());
  }
}

void OpenSslConnection::wake_waiting() {
  std::erase_if(waiting_, [this](quic::StreamId id) {
    OpenSslStream* stream = find(id);
    if (stream != nullptr && stream->on_acknowledged()) facts_.emplace_back(StreamWritable{id});
    return stream == nullptr || !stream->waits_for_room();
  });
}

void OpenSslConnection::remember_unsettled(OpenSslStream& stream) {
  if (stream.unsettled()) unsettled_.push_back(stream.id());
  settle_streams();
}

void OpenSslConnection::settle_streams() {
  if (notes_.aborts_sent > 0) aborts_progress_ = now_;
  aborts_owed_ -= std::min(aborts_owed_, std::exchange(notes_.aborts_sent, 0));
  // A STOP_SENDING is not sent at all if the stream's last data arrives first.
  if (now_ - aborts_progress_ > 1s) aborts_owed_ = 0;
  const auto settle = [this](OpenSslStream& stream) {
    if (aborts_owed_ == 0) aborts_progress_ = now_;
    aborts_owed_ += stream.settle();
    dirty_ = true;
  };
  while (!unsettled_.empty() && aborts_owed_ < kMaxAborts) {
    OpenSslStream* stream = find(unsettled_.back());
    unsettled_.pop_back();
    if (stream != nullptr && stream->unsettled()) settle(*stream);
  }
  while (!leaving_.empty() && aborts_owed_ < kMaxAborts) {
    settle(*leaving_.back());
    leaving_.pop_back();
  }
}

void OpenSslConnection::check_closed() {
  if (closed_ || !connection_) return;
  SSL_CONN_CLOSE_INFO info{};
  if (SSL_get_conn_close_info(connection_.get(), &info, sizeof info) != 1) return;
  const bool transport = (info.flags & SSL_CONN_CLOSE_FLAG_TRANSPORT) != 0;
  if (transport && info.error_code == OSSL_QUIC_LOCAL_ERR_IDLE_TIMEOUT) {
    return end(describe_silence(config_.idle_timeout));
  }
  const std::string_view reason(info.reason, info.reason == nullptr ? 0 : info.reason_len);
  const bool remote = (info.flags & SSL_CONN_CLOSE_FLAG_LOCAL) == 0;
  end(describe_close({info.error_code, transport, remote, reason}, terms_));
}

/// OpenSSL's own time-out starts anew with the first packet sent after the last one received, so
/// it would notice a dead peer half an idle time-out later than promised.
void OpenSslConnection::check_silence() {
  if (established_ && !closed_ && now_ - heard_ >= config_.idle_timeout) {
    end(describe_silence(config_.idle_timeout));
    engine_deadline_.reset();
  }
}

void OpenSslConnection::end(Closed closed) {
  if (std::exchange(closed_, true)) return;
  facts_.emplace_back(std::move(closed));
}

void OpenSslConnection::update_deadline() {
  timeval left{};
  int infinite = 1;
  SSL* top = listener_ ? listener_.get() : connection_.get();
  engine_deadline_.reset();
  if (SSL_get_event_timeout(top, &left, &infinite) == 1 && infinite == 0) {
    engine_deadline_ =
        now_ + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
  }
}

}  // namespace peersock::adapters
