#include "adapters/ngtcp2_connection.hpp"

#include <array>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>

#include "core/machine.hpp"

namespace peersock::adapters {
namespace {

using namespace quic::fact;

/// In this order: those that fail rule out the larger ones. Ethernet, PPPoE, WireGuard, tunnels of
/// 1400, and the least that IPv6 has; each but the first with the headers of IPv6.
constexpr std::array<std::uint16_t, 5> kProbedSizes{quic::kMaxDatagramLimit, 1444, 1392, 1352,
                                                    1232};
constexpr std::uint64_t kStreamWindow = 512 * kKiB;
constexpr std::uint64_t kConnectionWindow = 768 * kKiB;
constexpr std::uint64_t kMaxStreamWindow = 16 * kMiB;
constexpr std::uint64_t kMaxConnectionWindow = 24 * kMiB;
/// Packets that repeat what is known count as glitches, and too many end the connection. A lossy
/// path makes many of them, and none costs more than a packet that is new.
constexpr std::uint64_t kGlitches = 1'000'000;

/// The path, which ICE hides: it never changes.
struct FixedPath {
  FixedPath() {
    local.sin_family = remote.sin_family = AF_INET;
    local.sin_addr.s_addr = remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    local.sin_port = htons(1);
    remote.sin_port = htons(2);
  }
  [[nodiscard]] ngtcp2_path path() {
    return {{reinterpret_cast<ngtcp2_sockaddr*>(&local), sizeof local},
            {reinterpret_cast<ngtcp2_sockaddr*>(&remote), sizeof remote},
            nullptr};
  }
  sockaddr_in local{};
  sockaddr_in remote{};
};

ngtcp2_cc_algo algorithm(Congestion congestion) {
  switch (congestion) {
    case Congestion::kCubic:
      return NGTCP2_CC_ALGO_CUBIC;
    case Congestion::kReno:
      return NGTCP2_CC_ALGO_RENO;
    case Congestion::kBbr:
      break;
  }
  return NGTCP2_CC_ALGO_BBR;
}

ngtcp2_settings settings_at(ngtcp2_tstamp now, Congestion congestion) {
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = now;
  settings.cc_algo = algorithm(congestion);
  // Where larger ones are not allowed yet, write_packet has no room for a probe.
  settings.max_tx_udp_payload_size = quic::kMaxDatagramLimit;
  settings.pmtud_probes = kProbedSizes.data();
  settings.pmtud_probeslen = kProbedSizes.size();
  settings.max_stream_window = kMaxStreamWindow;
  settings.max_window = kMaxConnectionWindow;
  settings.glitch_ratelim_burst = settings.glitch_ratelim_rate = kGlitches;
  return settings;
}

ngtcp2_transport_params transport_parameters(Duration idle_timeout) {
  ngtcp2_transport_params parameters;
  ngtcp2_transport_params_default(&parameters);
  parameters.initial_max_data = kConnectionWindow;
  parameters.initial_max_stream_data_bidi_local = kStreamWindow;
  parameters.initial_max_stream_data_bidi_remote = kStreamWindow;
  // Opened only to be refused.
  parameters.initial_max_stream_data_uni = kKiB;
  parameters.initial_max_streams_uni = Ngtcp2Connection::kFirstStreams;
  parameters.initial_max_streams_bidi = Ngtcp2Connection::kFirstStreams;
  parameters.max_idle_timeout = static_cast<ngtcp2_duration>(idle_timeout.count());
  parameters.disable_active_migration = 1;
  parameters.grease_quic_bit = 0;
  return parameters;
}

/// Octets of a turn: what leaves in a tenth of a millisecond, as far as is known. So the round of
/// many streams is as short on a quick path as on a slow one, where a turn is a packet.
std::size_t share_of(const ngtcp2_conn_info& info) {
  constexpr std::uint64_t kLongest = 100'000;  // nanoseconds
  constexpr std::uint64_t kLargest = 256 * kKiB;
  const std::uint64_t round_trip = std::max<std::uint64_t>(info.smoothed_rtt, 1);
  return static_cast<std::size_t>(std::min(info.cwnd * kLongest / round_trip, kLargest));
}

ngtcp2_cid random_id(Rng& rng, std::size_t size) {
  ngtcp2_cid id{};
  rng.fill(MutableBytes(id.data, size));
  id.datalen = size;
  return id;
}

}  // namespace

Ngtcp2Connection::Ngtcp2Connection(const quic::ConnectionConfig& config, std::string_view alpn,
                                   Rng& rng, Instant now, Congestion congestion)
    : config_(config),
      congestion_(congestion),
      terms_{config.peer_fingerprint, std::string(alpn)},
      rng_(rng),
      gate_(config.role),
      peer_streams_granted_(kFirstStreams),
      now_(now),
      heard_(now) {
  rng_.fill(reset_secret_);
}

Result<std::unique_ptr<Ngtcp2Connection>> Ngtcp2Connection::create(
    const quic::ConnectionConfig& config, const Identity* identity, std::string_view alpn, Rng& rng,
    Instant now, Congestion congestion) {
  std::unique_ptr<Ngtcp2Connection> self(new Ngtcp2Connection(config, alpn, rng, now, congestion));
  auto context = make_tls_context(config.role, identity, self->terms_, TlsCarrier::kNgtcp2);
  if (!context) return tl::unexpected(std::move(context.error()));
  self->context_ = std::move(*context);
  return self;
}

/// A client's clock starts to run with the object, so it is made when it can send; a server's with
/// the client's first packet.
Result<void> Ngtcp2Connection::start(const ngtcp2_pkt_hd* first) {
  tls_ = std::make_unique<Ngtcp2Tls>(context_.get(), config_.role);
  if (!tls_->valid()) {
    return fail(ErrorKind::kInternal,
                "OpenSSL made no TLS connection for QUIC: " + take_openssl_error());
  }
  FixedPath fixed;
  const ngtcp2_path path = fixed.path();
  ngtcp2_settings settings = settings_at(tick(now_), congestion_);
  settings.rand_ctx.native_handle = &rng_;
  ngtcp2_transport_params parameters = transport_parameters(config_.idle_timeout);
  const ngtcp2_callbacks table = callbacks();
  constexpr std::size_t kOwnIdSize = 8;
  const ngtcp2_cid own = random_id(rng_, kOwnIdSize);
  gate_.on_issued({own.data, own.datalen});
  ngtcp2_conn* made = nullptr;
  int error = 0;
  if (first == nullptr) {
    const ngtcp2_cid invented = random_id(rng_, NGTCP2_MIN_INITIAL_DCIDLEN + kOwnIdSize);
    error = ngtcp2_conn_client_new(&made, &invented, &own, &path, NGTCP2_PROTO_VER_V1, &table,
                                   &settings, &parameters, nullptr, this);
  } else {
    parameters.original_dcid = first->dcid;
    parameters.original_dcid_present = 1;
    error = ngtcp2_conn_server_new(&made, &first->scid, &own, &path, first->version, &table,
                                   &settings, &parameters, nullptr, this);
  }
  if (error != 0) {
    return fail(ErrorKind::kInternal,
                std::string("ngtcp2 made no QUIC connection: ") + ngtcp2_strerror(error));
  }
  connection_.reset(made);
  tls_->attach(made);
  ngtcp2_conn_set_keep_alive_timeout(
      made, static_cast<ngtcp2_duration>((config_.idle_timeout / 2).count()));
  heard_ = now_;
  return {};
}

/// Never backwards.
ngtcp2_tstamp Ngtcp2Connection::tick(Instant at) {
  ticked_ = std::max(ticked_, to_ngtcp2(at));
  return ticked_;
}

void Ngtcp2Connection::receive(const quic::DatagramTrain& train, Instant now) {
  advance(now);
  if (closed_ || (!connection_ && config_.role == quic::Role::kClient)) return;
  write_late_trains();
  quic::for_each_datagram(train, [&](ByteView datagram) {
    if (closed_ || datagram.empty()) return;
    ++received_;
    if (!gate_.admits(datagram)) return;
    if (connection_ || accept(datagram)) read_datagram(datagram, train.ecn);
    gate_.on_handled(connection_ != nullptr);
  });
  tell_stops();
  look_at_progress();
  ERR_clear_error();
}

bool Ngtcp2Connection::accept(ByteView datagram) {
  ngtcp2_pkt_hd header;
  if (ngtcp2_accept(&header, datagram.data(), datagram.size()) != 0) return false;
  if (auto started = start(&header); !started) {
    drop_attempt();
    end({std::nullopt, "", std::move(started.error())});
    return false;
  }
  return true;
}

/// Nothing came of what looked like the peer's first packet: another may follow.
void Ngtcp2Connection::drop_attempt() {
  connection_.reset();
  tls_.reset();
}

void Ngtcp2Connection::read_datagram(ByteView datagram, quic::Ecn ecn) {
  FixedPath fixed;
  const ngtcp2_path path = fixed.path();
  const ngtcp2_pkt_info info{static_cast<std::uint8_t>(ecn)};
  const int error = ngtcp2_conn_read_pkt(connection_.get(), &path, &info, datagram.data(),
                                         datagram.size(), tick(now_));
  // During the handshake, the peer's CONNECTION_CLOSE is no error to ngtcp2.
  if (ngtcp2_conn_in_draining_period2(connection_.get()) != 0) return end_by_peer();
  switch (error) {
    case 0:
      return;
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY:
      // A packet that could be decrypted is the peer's, even if it is not the first one that it
      // sent; and a peer that gets no acknowledgement may never send the first one again.
      if (packets_received() == 0) drop_attempt();
      return;
    default:
      return fail_with(error);
  }
}

std::uint64_t Ngtcp2Connection::packets_received() const {
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info2(connection_.get(), &info);
  return info.pkt_recv;
}

void Ngtcp2Connection::tell_stops() {
  // Nothing follows Closed.
  if (!closed_) facts_.insert(facts_.end(), stops_.begin(), stops_.end());
  stops_.clear();
}

/// After a train, and not for each packet of it.
void Ngtcp2Connection::look_at_progress() {
  if (!connection_) return;
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info2(connection_.get(), &info);
  if (info.pkt_recv != packets_heard_) heard_ = now_;
  packets_heard_ = info.pkt_recv;
  constexpr std::size_t kMaxWindow = 16 * kMiB;
  share_ = share_of(info);
  budget_.set_window(static_cast<std::size_t>(std::min<std::uint64_t>(info.cwnd * 2, kMaxWindow)),
                     kMaxWindow);
}

void Ngtcp2Connection::set_datagram_limit(std::size_t octets, Instant now) {
  advance(now);
  limit_.allow(octets);
}

/// When ngtcp2 only tries whether a size fits, it takes the loss for the answer.
void Ngtcp2Connection::on_too_big(std::size_t octets, Instant now) {
  advance(now);
  if (connection_ && octets <= full_datagram()) limit_.narrow(now_);
}

void Ngtcp2Connection::check_black_hole() {
  limit_.check(Duration(static_cast<std::int64_t>(ngtcp2_conn_get_pto2(connection_.get()))), now_);
}

void Ngtcp2Connection::on_deadline(Instant now) {
  advance(now);
  check_silence();
  if (closed_ || !connection_) return;
  check_black_hole();
  due_ = scheduled();
  const int error = ngtcp2_conn_handle_expiry(connection_.get(), tick(*due_));
  if (error != 0) fail_with(error);
}

std::optional<Instant> Ngtcp2Connection::deadline() const {
  // Facts that a transmit brought up are to be polled at once.
  if (!facts_.empty()) return now_;
  if (closed_ || !connection_) return std::nullopt;
  const auto due = from_ngtcp2(ngtcp2_conn_get_expiry2(connection_.get()));
  return established_ ? earliest(due, heard_ + config_.idle_timeout) : due;
}

std::optional<quic::ConnectionFact> Ngtcp2Connection::poll_event() {
  if (facts_.empty()) return std::nullopt;
  quic::ConnectionFact fact = std::move(facts_.front());
  facts_.pop_front();
  if (const auto* readable = std::get_if<StreamReadable>(&fact)) {
    if (Ngtcp2Stream* stream = find(readable->stream)) stream->readable_announced = false;
  }
  return fact;
}

/// ngtcp2's own time-out starts anew with the first packet sent after the last one received, so
/// it would notice a dead peer later than promised.
void Ngtcp2Connection::check_silence() {
  if (established_ && !closed_ && now_ - heard_ >= config_.idle_timeout) {
    end(describe_silence(config_.idle_timeout));
  }
}

/// An error that ngtcp2 returned: the peer is told, unless it is not there.
void Ngtcp2Connection::fail_with(int error) {
  if (closed_) return;
  if (error == NGTCP2_ERR_IDLE_CLOSE || error == NGTCP2_ERR_HANDSHAKE_TIMEOUT) {
    return end(describe_silence(config_.idle_timeout));
  }
  ngtcp2_ccerr close;
  ngtcp2_ccerr_default(&close);
  if (error == NGTCP2_ERR_CRYPTO) {
    ngtcp2_ccerr_set_tls_alert(&close, ngtcp2_conn_get_tls_alert2(connection_.get()), nullptr, 0);
  } else {
    ngtcp2_ccerr_set_liberr(&close, error, nullptr, 0);
  }
  close_owed_ = close;
  end(describe_close({close.error_code, /*transport=*/true, /*remote=*/false, {}}, terms_));
}

void Ngtcp2Connection::end_by_peer() {
  const ngtcp2_ccerr* close = ngtcp2_conn_get_ccerr2(connection_.get());
  const std::string_view reason(reinterpret_cast<const char*>(close->reason),
                                close->reason == nullptr ? 0 : close->reasonlen);
  end(describe_close({close->error_code, close->type != NGTCP2_CCERR_TYPE_APPLICATION,
                      /*remote=*/true, reason},
                     terms_));
}

void Ngtcp2Connection::end(Closed closed) {
  if (std::exchange(closed_, true)) return;
  facts_.emplace_back(std::move(closed));
}

}  // namespace peersock::adapters
