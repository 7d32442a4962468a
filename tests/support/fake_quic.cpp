// The side of FakeQuic that faces its owner.
#include "support/fake_quic_detail.hpp"

namespace peersock::testing {
namespace {
using Type = FakeFrameType;
using Writer = FakeFrameWriter;
}  // namespace

std::optional<quic::ConnectionFact> FakeQuic::poll_event() {
  if (facts_.empty()) return std::nullopt;
  auto next = std::move(facts_.front());
  facts_.pop_front();
  return next;
}

FakeQuic::Stream* FakeQuic::find(quic::StreamId id, std::string_view caller) {
  const auto found = streams_.find(id);
  if (found != streams_.end() && !found->second->released) return found->second.get();
  misuse_ += std::string(caller) + " of stream " + std::to_string(id) + "; ";
  return nullptr;
}

std::optional<quic::StreamId> FakeQuic::open_stream() {
  if (state_ != State::kUp) return std::nullopt;
  if (next_own_ / 4 >= own_limit_) {
    wants_stream_ = true;
    return std::nullopt;
  }
  const quic::StreamId id = std::exchange(next_own_, next_own_ + 4);
  make_stream(id);
  return id;
}

quic::ReadOutcome FakeQuic::read(quic::StreamId id, MutableBytes into) {
  Stream* const stream = find(id, "read");
  if (stream == nullptr || stream->receive_over || state_ == State::kClosed) return {};
  if (stream->reset) {
    stream->receive_over = true;
    return {.octets = 0, .end = false, .reset = stream->reset};
  }
  if (into.empty()) return {};
  const std::size_t size = std::min(into.size(), stream->in.size());
  const auto end = stream->in.begin() + static_cast<std::ptrdiff_t>(size);
  std::copy(stream->in.begin(), end, into.begin());
  stream->in.erase(stream->in.begin(), end);
  octets_read_ += size;
  consumed(*stream, size);
  if (size > 0) return {.octets = size, .end = false, .reset = {}};
  stream->receive_over = stream->fin;
  stream->drained = !stream->fin;
  return {.octets = 0, .end = stream->fin, .reset = {}};
}

/// Extends the windows once half of them is used up.
void FakeQuic::consumed(Stream& stream, std::size_t octets) {
  stream.consumed += octets;
  const std::uint64_t limit = stream.consumed + limits_.stream_window;
  if (limit - stream.granted > limits_.stream_window / 2) {
    stream.granted = limit;
    queue(Writer(Type::kMaxStreamData).number(stream.id).number(limit).done());
  }
  consumed(octets);
}

void FakeQuic::consumed(std::size_t octets) {
  data_consumed_ += octets;
  const std::uint64_t limit = data_consumed_ + limits_.connection_window;
  if (limit - data_granted_ > limits_.connection_window / 2) {
    data_granted_ = limit;
    queue(Writer(Type::kMaxData).number(limit).done());
  }
}

std::size_t FakeQuic::write_capacity(quic::StreamId id) {
  Stream* const stream = find(id, "write_capacity");
  const bool open =
      stream != nullptr && !stream->send_over && !stream->finishing && state_ == State::kUp;
  const std::size_t room = open ? limits_.send_buffer - stream->out.size() : 0;
  if (room == 0 && stream != nullptr) stream->starved = true;
  return room;
}

std::size_t FakeQuic::write(quic::StreamId id, ByteView from) {
  const std::size_t size = std::min(from.size(), write_capacity(id));
  if (size == 0) return 0;
  Stream& stream = *streams_.at(id);
  stream.out.insert(stream.out.end(), from.begin(),
                    from.begin() + static_cast<std::ptrdiff_t>(size));
  stream.starved = size < from.size();
  list(stream);
  return size;
}

void FakeQuic::finish(quic::StreamId id) {
  Stream* const stream = find(id, "finish");
  if (stream == nullptr || stream->send_over) return;
  stream->finishing = true;
  list(*stream);
}

void FakeQuic::reset(quic::StreamId id, std::uint64_t code) {
  if (Stream* const stream = find(id, "reset")) send_reset(*stream, code);
}

void FakeQuic::send_reset(Stream& stream, std::uint64_t code) {
  if (std::exchange(stream.send_over, true)) return;
  stream.out.clear();
  queue(Writer(Type::kReset).number(stream.id).number(code).done());
}

void FakeQuic::stop_sending(quic::StreamId id, std::uint64_t code) {
  Stream* const stream = find(id, "stop_sending");
  if (stream == nullptr || std::exchange(stream->receive_over, true)) return;
  consumed(*stream, stream->in.size());
  stream->in.clear();
  queue(Writer(Type::kStop).number(id).number(code).done());
}

void FakeQuic::release(quic::StreamId id) {
  Stream* const stream = find(id, "release");
  if (stream == nullptr) return;
  if (!stream->receive_over || !(stream->send_over || stream->finishing)) {
    misuse_ += "release of stream " + std::to_string(id) + " that is not over; ";
  }
  stream->released = true;
  if (!ours(id)) queue(Writer(Type::kMaxStreams).number(++their_limit_).done());
  if (stream->send_over) streams_.erase(id);
}

Result<Secret> FakeQuic::export_keying_material(std::string_view label, ByteView context,
                                                std::size_t length) const {
  if (state_ != State::kUp) return fail(ErrorKind::kInternal, "the handshake is not complete");
  std::uint64_t sum = 14695981039346656037U;  // FNV-1a over what both sides know
  const auto mix = [&](ByteView octets) {
    for (const std::uint8_t octet : octets) sum = (sum ^ octet) * 1099511628211U;
  };
  const bool client = config_.role == quic::Role::kClient;
  mix(client ? own_ : config_.peer_fingerprint);
  mix(client ? config_.peer_fingerprint : own_);
  mix(as_bytes(label));
  mix(context);
  Bytes out(length);
  for (std::uint8_t& octet : out) {
    mix(as_bytes("x"));
    octet = static_cast<std::uint8_t>(sum >> 32);
  }
  return Secret(std::move(out));
}

void FakeQuic::close(std::uint64_t code, std::string_view reason, Instant /*now*/) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  queue(Writer(Type::kClose).number(code).number(reason.size(), 2).bytes(as_bytes(reason)).done());
}

std::size_t FakeQuic::live_streams() const {
  return static_cast<std::size_t>(std::count_if(
      streams_.begin(), streams_.end(), [](const auto& entry) { return !entry.second->released; }));
}

FakeQuicEngine::FakeQuicEngine(std::uint8_t seed, FakeQuicLimits limits) : limits_(limits) {
  fingerprint_.fill(seed);
}

Result<std::unique_ptr<quic::Connection>> FakeQuicEngine::connect(
    const quic::ConnectionConfig& config, Instant now) {
  return std::make_unique<FakeQuic>(config, fingerprint_, limits_, now);
}

namespace {
FakeQuic::Fingerprint filled(std::uint8_t seed) {
  FakeQuic::Fingerprint fingerprint{};
  fingerprint.fill(seed);
  return fingerprint;
}
}  // namespace

FakeQuicPair::FakeQuicPair(FakeQuicLimits client, FakeQuicLimits server)
    : client_({quic::Role::kClient, filled(2)}, filled(1), client, Instant{}),
      server_({quic::Role::kServer, filled(1)}, filled(2), server, Instant{}),
      buffer_(65535) {}

bool FakeQuicPair::carry(FakeQuic& from, FakeQuic& to) {
  const auto train = from.transmit(buffer_, Instant{});
  if (train.bytes.empty()) return false;
  to.receive(train, Instant{});
  return true;
}

void FakeQuicPair::exchange() {
  for (bool moved = true; moved;) {
    moved = carry(client_, server_);
    moved = carry(server_, client_) || moved;
  }
}

void FakeQuicPair::establish() {
  exchange();
  while (client_.poll_event()) {
  }
  while (server_.poll_event()) {
  }
}

}  // namespace peersock::testing
