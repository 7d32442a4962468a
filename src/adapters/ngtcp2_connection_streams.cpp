// The stream calls of Ngtcp2Connection, its queries and its end.
#include <utility>

#include <openssl/err.h>

#include "adapters/ngtcp2_connection.hpp"

namespace peersock::adapters {

using namespace quic::fact;

namespace {

std::int64_t wire_id(quic::StreamId id) {
  return static_cast<std::int64_t>(id);
}

}  // namespace

Ngtcp2Stream* Ngtcp2Connection::find(quic::StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() || found->second->released ? nullptr : found->second.get();
}

Ngtcp2Stream* Ngtcp2Connection::add(quic::StreamId id, bool ours) {
  const std::uint64_t credit =
      ngtcp2_conn_get_max_stream_data_left2(connection_.get(), wire_id(id));
  auto& slot = streams_[id];
  slot = std::make_unique<Ngtcp2Stream>(id, ours, credit, budget_);
  return slot.get();
}

std::optional<quic::StreamId> Ngtcp2Connection::open_stream() {
  if (!established_ || closed_) return std::nullopt;
  std::int64_t wire = -1;
  if (ngtcp2_conn_open_bidi_stream(connection_.get(), &wire, nullptr) != 0) {
    streams_wanted_ = true;
    return std::nullopt;
  }
  Ngtcp2Stream* stream = add(static_cast<quic::StreamId>(wire), /*ours=*/true);
  static_cast<void>(ngtcp2_conn_set_stream_user_data(connection_.get(), wire, stream));
  return stream->id();
}

quic::ReadOutcome Ngtcp2Connection::read(quic::StreamId stream, MutableBytes into) {
  Ngtcp2Stream* found = find(stream);
  if (found == nullptr) return {};
  const quic::ReadOutcome outcome = found->read(into);
  if (outcome.octets > 0) open_windows(*found, outcome.octets);
  return outcome;
}

void Ngtcp2Connection::open_windows(const Ngtcp2Stream& stream, std::size_t octets) {
  if (closed_) return;
  ngtcp2_conn_extend_max_offset(connection_.get(), octets);
  static_cast<void>(
      ngtcp2_conn_extend_max_stream_offset(connection_.get(), wire_id(stream.id()), octets));
}

void Ngtcp2Connection::announce_readable(Ngtcp2Stream& stream) {
  if (stream.released || std::exchange(stream.readable_announced, true)) return;
  facts_.emplace_back(StreamReadable{stream.id()});
}

std::size_t Ngtcp2Connection::write_capacity(quic::StreamId stream) {
  Ngtcp2Stream* found = find(stream);
  return found == nullptr || closed_ ? 0 : found->capacity();
}

std::size_t Ngtcp2Connection::write(quic::StreamId stream, ByteView from) {
  Ngtcp2Stream* found = find(stream);
  if (found == nullptr || closed_) return 0;
  const std::size_t taken = found->write(from);
  queue_output(*found);
  return taken;
}

void Ngtcp2Connection::finish(quic::StreamId stream) {
  Ngtcp2Stream* found = find(stream);
  if (found == nullptr || closed_) return;
  found->finish();
  queue_output(*found);
}

void Ngtcp2Connection::reset(quic::StreamId stream, std::uint64_t code) {
  Ngtcp2Stream* found = find(stream);
  if (found == nullptr || closed_ || found->send_ended()) return;
  found->abandon();
  static_cast<void>(ngtcp2_conn_shutdown_stream_write(connection_.get(), 0, wire_id(stream), code));
}

void Ngtcp2Connection::stop_sending(quic::StreamId stream, std::uint64_t code) {
  Ngtcp2Stream* found = find(stream);
  if (found == nullptr || closed_ || found->discards()) return;
  ngtcp2_conn_extend_max_offset(connection_.get(), found->discard());
  static_cast<void>(ngtcp2_conn_shutdown_stream_read(connection_.get(), 0, wire_id(stream), code));
}

void Ngtcp2Connection::release(quic::StreamId stream) {
  Ngtcp2Stream* found = find(stream);
  if (found == nullptr) return;
  if (!found->receive_ended()) stop_sending(stream, 0);
  reset(stream, 0);
  found->released = true;
  // What ngtcp2 still sends stays where it is until it has arrived.
  if (found->closed() || closed_) stream_gone(*found);
}

void Ngtcp2Connection::stream_gone(const Ngtcp2Stream& stream) {
  if (!stream.ours()) ++peer_streams_gone_;
  streams_.erase(stream.id());
  grant_streams();
}

/// The peer may be kFirstStreams ahead of what it has opened, and have kMaxPeerStreams in all.
void Ngtcp2Connection::grant_streams() {
  if (closed_) return;
  const std::uint64_t ahead = peer_streams_opened_ + kFirstStreams;
  const std::uint64_t target = std::min(ahead, peer_streams_gone_ + kMaxPeerStreams);
  if (target <= peer_streams_granted_) return;
  ngtcp2_conn_extend_max_streams_bidi(connection_.get(), target - peer_streams_granted_);
  peer_streams_granted_ = target;
}

Result<Secret> Ngtcp2Connection::export_keying_material(std::string_view label, ByteView context,
                                                        std::size_t length) const {
  if (!established_) {
    return fail(ErrorKind::kInternal, "The QUIC handshake is not complete: there are no keys yet.");
  }
  Bytes out(length);
  if (SSL_export_keying_material(tls_->ssl(), out.data(), out.size(), label.data(), label.size(),
                                 context.data(), context.size(), /*use_context=*/1) != 1) {
    return fail(ErrorKind::kInternal,
                "OpenSSL exported no keying material: " + take_openssl_error());
  }
  return Secret(std::move(out));
}

quic::Statistics Ngtcp2Connection::statistics() const {
  quic::Statistics statistics;
  statistics.datagrams_sent = sent_;
  statistics.datagrams_received = received_;
  if (established_) statistics.last_heard = heard_;
  if (!connection_) return statistics;
  statistics.datagram_size = full_datagram();
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info2(connection_.get(), &info);
  // Until there was a sample, the smoothed one is a guess.
  if (info.min_rtt != UINT64_MAX) {
    statistics.round_trip = Duration(static_cast<std::int64_t>(info.smoothed_rtt));
  }
  return statistics;
}

void Ngtcp2Connection::close(std::uint64_t code, std::string_view reason, Instant now) {
  advance(now);
  if (closed_) return;
  if (connection_) {
    close_reason_ = reason;
    ngtcp2_ccerr close;
    ngtcp2_ccerr_default(&close);
    ngtcp2_ccerr_set_application_error(&close, code,
                                       reinterpret_cast<const std::uint8_t*>(close_reason_.data()),
                                       close_reason_.size());
    close_owed_ = close;
    flushes_ = true;
  }
  end({std::nullopt, std::string(reason), std::nullopt});
}

}  // namespace peersock::adapters
