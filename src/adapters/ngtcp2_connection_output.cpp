// What leaves an Ngtcp2Connection, and when.
//
// ngtcp2 paces: it says when the next packets may go. A loop that wakes late, by a timer of whole
// milliseconds or a busy machine, would lose what it could have sent meanwhile. So packets are
// written at the instants at which they were due, one after the other, until now is reached; also
// before something received is looked at, because that moves ngtcp2's clock to now.
#include <array>
#include <cstring>
#include <utility>

#include <openssl/err.h>

#include "adapters/ngtcp2_connection.hpp"

namespace peersock::adapters {
namespace {

/// What one UDP_SEGMENT send takes (UDP_MAX_SEGMENTS of Linux), and what fits an IPv4 datagram.
constexpr std::size_t kMaxSegments = 64;
constexpr std::size_t kMaxTrain = 65'507;
/// How much lateness is made up for. After a longer pause the path has forgotten us anyway.
constexpr Duration kMaxLateness = 10ms;
constexpr std::size_t kMaxLateTrains = 32;

}  // namespace

/// When what is due now was due.
Instant Ngtcp2Connection::scheduled() const {
  const auto due = from_ngtcp2(ngtcp2_conn_get_expiry2(connection_.get()));
  if (!due || *due >= now_) return now_;
  return std::max(*due, now_ - kMaxLateness);
}

quic::DatagramTrain Ngtcp2Connection::transmit(MutableBytes buffer, Instant now) {
  advance(now);
  if (config_.role == quic::Role::kClient && !connection_ && !closed_) {
    if (auto started = start(nullptr); !started) {
      drop_attempt();
      end({std::nullopt, "", std::move(started.error())});
    }
  }
  if (!late_.empty()) return take_late_train(buffer);
  quic::DatagramTrain train;
  if (close_owed_) {
    if (flushes_) train = write_last_trains(buffer);
    if (train.bytes.empty()) train = write_close(buffer);
  } else if (connection_ && !closed_) {
    const Instant at = due_ ? *std::exchange(due_, std::nullopt) : scheduled();
    train = write_train(buffer, at);
    if (train.bytes.empty() && at < now_ && !closed_) train = write_train(buffer, now_);
  }
  ERR_clear_error();
  return train;
}

quic::DatagramTrain Ngtcp2Connection::write_train(MutableBytes buffer, Instant at) {
  const ngtcp2_tstamp time = tick(at);
  const std::size_t packet = ngtcp2_conn_get_path_max_tx_udp_payload_size2(connection_.get());
  const std::size_t quantum = std::max(ngtcp2_conn_get_send_quantum2(connection_.get()), packet);
  const MutableBytes room = buffer.first(std::min({buffer.size(), kMaxTrain, quantum}));
  ngtcp2_pkt_info info{};
  std::size_t segment = 0;
  const ngtcp2_ssize size = limit_.octets() < packet
                                ? write_small_packets(room, info, segment, time)
                                : write_packets(room, info, segment, time);
  ngtcp2_conn_update_pkt_tx_time(connection_.get(), time);
  if (size < 0) fail_with(static_cast<int>(size));
  if (size <= 0) return {};
  const quic::DatagramTrain train{buffer.first(static_cast<std::size_t>(size)), segment,
                                  static_cast<quic::Ecn>(info.ecn)};
  note_sent(train);
  return train;
}

ngtcp2_ssize Ngtcp2Connection::write_packets(MutableBytes buffer, ngtcp2_pkt_info& info,
                                             std::size_t& segment, ngtcp2_tstamp at) {
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  const auto write = [](ngtcp2_conn* /*connection*/, ngtcp2_path* to, ngtcp2_pkt_info* packet_info,
                        std::uint8_t* into, std::size_t size, ngtcp2_tstamp when,
                        void* user) noexcept -> ngtcp2_ssize {
    try {
      auto& self = *static_cast<Ngtcp2Connection*>(user);
      return self.write_packet(to, packet_info, MutableBytes(into, size), when);
    } catch (...) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
  };
  return ngtcp2_conn_write_aggregate_pkt2(connection_.get(), &path.path, &info, buffer.data(),
                                          buffer.size(), &segment, write, kMaxSegments, at);
}

/// Where ngtcp2 has found that larger datagrams pass, it makes trains of those only.
ngtcp2_ssize Ngtcp2Connection::write_small_packets(MutableBytes buffer, ngtcp2_pkt_info& info,
                                                   std::size_t& segment, ngtcp2_tstamp at) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < kMaxSegments && buffer.size() - used >= limit_.octets(); ++i) {
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info packet_info{};
    const ngtcp2_ssize size =
        write_packet(&path.path, &packet_info, buffer.subspan(used, limit_.octets()), at);
    if (size < 0) return size;
    if (size == 0) break;
    if (i == 0) {
      segment = static_cast<std::size_t>(size);
      info = packet_info;
    }
    used += static_cast<std::size_t>(size);
    if (static_cast<std::size_t>(size) < limit_.octets()) break;
  }
  return static_cast<ngtcp2_ssize>(used);
}

/// Octets of a datagram that has no room left.
std::size_t Ngtcp2Connection::full_datagram() const {
  return std::min(ngtcp2_conn_get_path_max_tx_udp_payload_size2(connection_.get()),
                  limit_.octets());
}

/// One packet, of the stream whose turn it is, and filled up by those behind it.
ngtcp2_ssize Ngtcp2Connection::write_packet(ngtcp2_path* path, ngtcp2_pkt_info* info,
                                            MutableBytes into, ngtcp2_tstamp at) {
  into = into.first(std::min(into.size(), limit_.octets()));
  for (;;) {
    Ngtcp2Stream* stream = next_with_output();
    std::array<ByteView, 4> views;
    std::array<ngtcp2_vec, views.size()> vectors{};
    std::size_t count = 0;
    std::uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
    bool fin = false;
    if (stream != nullptr) {
      fin = stream->next_output(views, count);
      for (std::size_t i = 0; i < count; ++i) {
        // ngtcp2 only reads them.
        vectors[i] = {const_cast<std::uint8_t*>(views[i].data()), views[i].size()};
      }
      flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0);
    }
    ngtcp2_ssize taken = -1;
    const ngtcp2_ssize size = ngtcp2_conn_writev_stream(
        connection_.get(), path, info, into.data(), into.size(), &taken, flags,
        stream == nullptr ? -1 : static_cast<std::int64_t>(stream->id()), vectors.data(), count,
        at);
    if (stream != nullptr && taken >= 0) {
      stream->on_sent(static_cast<std::size_t>(taken), fin);
      turns_.serve(static_cast<std::size_t>(taken), share_);
    }
    if (stream != nullptr &&
        (size == NGTCP2_ERR_STREAM_DATA_BLOCKED || size == NGTCP2_ERR_STREAM_SHUT_WR ||
         size == NGTCP2_ERR_STREAM_NOT_FOUND)) {
      // The first of them comes back with MAX_STREAM_DATA, the others never.
      if (turns_.leave()) stream->queued = false;
      continue;
    }
    if (size != NGTCP2_ERR_WRITE_MORE) return size;
  }
}

/// The stream whose turn it is; nothing when none has anything to send.
Ngtcp2Stream* Ngtcp2Connection::next_with_output() {
  while (!turns_.empty()) {
    const auto found = streams_.find(turns_.front());
    Ngtcp2Stream* const stream = found == streams_.end() ? nullptr : found->second.get();
    if (stream != nullptr && stream->has_output()) return stream;
    if (turns_.leave() && stream != nullptr) stream->queued = false;
  }
  return nullptr;
}

void Ngtcp2Connection::queue_output(Ngtcp2Stream& stream) {
  if (stream.queued || !stream.has_output()) return;
  stream.queued = true;
  turns_.join(stream.id());
}

void Ngtcp2Connection::write_late_trains() {
  Bytes scratch;
  while (connection_ && !closed_ && late_.size() < kMaxLateTrains) {
    const Instant at = due_ ? *std::exchange(due_, std::nullopt) : scheduled();
    if (at >= now_) return;
    scratch.resize(kMaxTrain);
    const quic::DatagramTrain train = write_train(scratch, at);
    if (train.bytes.empty()) return;
    late_.push_back({Bytes(train.bytes.begin(), train.bytes.end()), train.segment, train.ecn});
  }
}

quic::DatagramTrain Ngtcp2Connection::take_late_train(MutableBytes buffer) {
  const LateTrain train = std::move(late_.front());
  late_.pop_front();
  std::memcpy(buffer.data(), train.octets.data(), train.octets.size());
  return {buffer.first(train.octets.size()), train.segment, train.ecn};
}

/// What was written before the close, as far as congestion control lets it, but without pacing:
/// there is no later.
quic::DatagramTrain Ngtcp2Connection::write_last_trains(MutableBytes buffer) {
  if (next_with_output() == nullptr) return {};
  quic::DatagramTrain train = write_train(buffer, now_);
  if (!train.bytes.empty() || !close_owed_) return train;
  const auto due = from_ngtcp2(ngtcp2_conn_get_expiry2(connection_.get()));
  if (!due || *due > now_ + 1s) return {};
  return write_train(buffer, *due);
}

quic::DatagramTrain Ngtcp2Connection::write_close(MutableBytes buffer) {
  const ngtcp2_ccerr close = *std::exchange(close_owed_, std::nullopt);
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info{};
  const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
      connection_.get(), &path.path, &info, buffer.data(), buffer.size(), &close, tick(now_));
  if (size <= 0) return {};
  const quic::DatagramTrain train{buffer.first(static_cast<std::size_t>(size)),
                                  static_cast<std::size_t>(size), static_cast<quic::Ecn>(info.ecn)};
  note_sent(train);
  return train;
}

void Ngtcp2Connection::note_sent(const quic::DatagramTrain& train) {
  sent_ += quic::datagrams_in(train);
  // A probe is larger than what is in use, and may well not arrive.
  if (train.segment <= full_datagram()) limit_.on_sent(train.segment, now_);
}

}  // namespace peersock::adapters
