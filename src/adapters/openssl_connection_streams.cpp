// The stream calls of OpenSslConnection, its queries and its end.
#include <utility>

#include <openssl/err.h>

#include "adapters/openssl_connection.hpp"

namespace peersock::adapters {

OpenSslStream* OpenSslConnection::find(quic::StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

OpenSslStream* OpenSslConnection::add(SslPtr ssl, bool ours) {
  auto stream = std::make_unique<OpenSslStream>(std::move(ssl), ours, budget_);
  auto& slot = streams_[stream->id()];
  slot = std::move(stream);
  return slot.get();
}

std::optional<quic::StreamId> OpenSslConnection::open_stream() {
  if (!established_ || closed_) return std::nullopt;
  SslPtr ssl(SSL_new_stream(connection_.get(), SSL_STREAM_FLAG_NO_BLOCK));
  if (!ssl) {
    ERR_clear_error();
    streams_wanted_ = true;
    return std::nullopt;
  }
  return add(std::move(ssl), /*ours=*/true)->id();
}

quic::ReadOutcome OpenSslConnection::read(quic::StreamId stream, MutableBytes into) {
  OpenSslStream* found = find(stream);
  if (found == nullptr) return {};
  const quic::ReadOutcome outcome = found->read(into);
  if (outcome.octets == 0) return outcome;
  dirty_ = true;  // the window may open
  if (++reads_since_tick_ >= kMaxReads) tick();
  return outcome;
}

std::size_t OpenSslConnection::write_capacity(quic::StreamId stream) {
  OpenSslStream* found = find(stream);
  if (found == nullptr || closed_) return 0;
  const std::size_t octets = found->capacity();
  remember_waiting(*found);
  return octets;
}

std::size_t OpenSslConnection::write(quic::StreamId stream, ByteView from) {
  OpenSslStream* found = find(stream);
  if (found == nullptr || closed_) return 0;
  const std::size_t taken = found->write(from);
  if (taken > 0) dirty_ = true;
  remember_waiting(*found);
  return taken;
}

void OpenSslConnection::finish(quic::StreamId stream) {
  OpenSslStream* found = find(stream);
  if (found == nullptr || closed_) return;
  found->finish();
  remember_unsettled(*found);
  dirty_ = true;
}

void OpenSslConnection::reset(quic::StreamId stream, std::uint64_t code) {
  OpenSslStream* found = find(stream);
  if (found == nullptr || closed_) return;
  found->reset(code);
  remember_unsettled(*found);
}

void OpenSslConnection::stop_sending(quic::StreamId stream, std::uint64_t /*code*/) {
  OpenSslStream* found = find(stream);
  if (found == nullptr || closed_) return;
  found->stop_sending();
  dirty_ = true;  // what was dropped opens the window
  remember_unsettled(*found);
}

void OpenSslConnection::release(quic::StreamId stream) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  if (!found->second->ours()) --peer_streams_;
  std::unique_ptr<OpenSslStream> leaving = std::move(found->second);
  streams_.erase(found);
  if (closed_) return;
  leaving->abandon();
  if (leaving->unsettled()) {
    leaving_.push_back(std::move(leaving));
    settle_streams();
  }
  // One of the peer's streams may have waited for this place.
  accept_streams();
}

Result<Secret> OpenSslConnection::export_keying_material(std::string_view label, ByteView context,
                                                         std::size_t length) const {
  if (!established_) {
    return fail(ErrorKind::kInternal, "The QUIC handshake is not complete: there are no keys yet.");
  }
  Bytes out(length);
  if (SSL_export_keying_material(connection_.get(), out.data(), out.size(), label.data(),
                                 label.size(), context.data(), context.size(),
                                 /*use_context=*/1) != 1) {
    return fail(ErrorKind::kInternal,
                "OpenSSL exported no keying material: " + take_openssl_error());
  }
  return Secret(std::move(out));
}

quic::Statistics OpenSslConnection::statistics() const {
  quic::Statistics statistics;
  statistics.datagrams_sent = bio_->sent();
  statistics.datagrams_received = bio_->received();
  if (established_) statistics.last_heard = heard_;
  statistics.round_trip = notes_.round_trip().smoothed();
  std::uint64_t microseconds = 0;
  if (!statistics.round_trip && established_ &&
      SSL_get_handshake_rtt(connection_.get(), &microseconds) == 1) {
    statistics.round_trip = std::chrono::microseconds(microseconds);
  }
  return statistics;
}

void OpenSslConnection::close(std::uint64_t code, std::string_view reason, Instant now) {
  advance(now);
  if (closed_) return;
  if (connection_) {
    // What was written just before goes first, as far as congestion control lets it.
    if (std::exchange(dirty_, false)) tick();
    bio_->keep_everything();
    const std::string text(reason);
    const SSL_SHUTDOWN_EX_ARGS arguments{code, text.c_str()};
    static_cast<void>(SSL_shutdown_ex(
        connection_.get(),
        SSL_SHUTDOWN_FLAG_RAPID | SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH | SSL_SHUTDOWN_FLAG_NO_BLOCK,
        &arguments, sizeof arguments));
    ERR_clear_error();
    dirty_ = true;
  }
  end({std::nullopt, std::string(reason), std::nullopt});
}

}  // namespace peersock::adapters
