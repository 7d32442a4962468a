// The side of FakeQuic that faces the network.
#include "support/fake_quic_detail.hpp"

namespace peersock::testing {
namespace {
using Type = FakeFrameType;
using Writer = FakeFrameWriter;

constexpr std::size_t kDataOverhead = 1 + 8 + 1 + 2;
constexpr Duration kHelloInterval = 100ms;
}  // namespace

FakeQuic::FakeQuic(quic::ConnectionConfig config, Fingerprint own, FakeQuicLimits limits,
                   Instant now)
    : config_(config), own_(own), limits_(limits), heard_(now), spoke_(now) {
  const bool client = config.role == quic::Role::kClient;
  next_own_ = client ? 0 : 1;
  next_theirs_ = client ? 1 : 0;
  their_limit_ = limits.streams;
  data_granted_ = limits.connection_window;
  if (client) queue_hello();
}
FakeQuic::~FakeQuic() = default;

void FakeQuic::queue_hello() {
  queue(Writer(Type::kHello)
            .bytes(own_)
            .number(limits_.stream_window)
            .number(limits_.connection_window)
            .number(limits_.streams)
            .done());
}

void FakeQuic::receive(const quic::DatagramTrain& train, Instant now) {
  quic::for_each_datagram(train, [&](ByteView datagram) {
    ++statistics_.datagrams_received;
    heard_ = now;
    Frame frame(datagram);
    while (!frame.empty() && state_ != State::kClosed) on_frame(frame);
  });
}

void FakeQuic::on_frame(Frame& frame) {
  const auto type = static_cast<Type>(frame.number(1));
  if (type == Type::kHello) return on_hello(frame);
  if (state_ == State::kHandshake) return fail_with({ErrorKind::kConnectionLost, "no hello"});
  switch (type) {
    case Type::kData:
      return on_data(frame);
    case Type::kReset:
      return on_reset(frame);
    case Type::kStop:
      return on_stop(frame);
    case Type::kMaxStreamData: {
      const auto found = streams_.find(frame.number());
      const std::uint64_t limit = frame.number();
      if (found == streams_.end()) return;
      found->second->send_limit = std::max(found->second->send_limit, limit);
      return list(*found->second);
    }
    case Type::kMaxData:
      data_limit_ = std::max(data_limit_, frame.number());
      for (auto& [id, stream] : streams_) list(*stream);
      return;
    case Type::kMaxStreams:
      own_limit_ = std::max(own_limit_, frame.number());
      if (std::exchange(wants_stream_, false)) facts_.emplace_back(quic::fact::StreamsAvailable{});
      return;
    case Type::kClose: {
      const std::uint64_t code = frame.number();
      const ByteView reason = frame.bytes(frame.number(2));
      state_ = State::kClosed;
      facts_.emplace_back(quic::fact::Closed{code, std::string(as_text(reason)), std::nullopt});
      return;
    }
    case Type::kPing:
    case Type::kHello:
      return;
  }
  fail_with({ErrorKind::kConnectionLost, "unknown frame"});
}

void FakeQuic::on_hello(Frame& frame) {
  const ByteView theirs = frame.bytes(32);
  peer_.stream_window = frame.number();
  peer_.connection_window = frame.number();
  peer_.streams = frame.number();
  if (!std::equal(theirs.begin(), theirs.end(), config_.peer_fingerprint.begin(),
                  config_.peer_fingerprint.end())) {
    return fail_with({ErrorKind::kAuthentication, "the peer showed another certificate"});
  }
  if (config_.role == quic::Role::kServer) queue_hello();
  if (state_ == State::kUp) return;
  state_ = State::kUp;
  own_limit_ = peer_.streams;
  data_limit_ = peer_.connection_window;
  facts_.emplace_back(quic::fact::Established{});
}

void FakeQuic::fail_with(Error error) {
  state_ = State::kClosed;
  facts_.emplace_back(quic::fact::Closed{std::nullopt, {}, std::move(error)});
}

bool FakeQuic::ours(quic::StreamId id) const {
  return id % 2 == (config_.role == quic::Role::kClient ? 0U : 1U);
}

FakeQuic::Stream& FakeQuic::make_stream(quic::StreamId id) {
  auto& stream = streams_[id];
  stream = std::make_unique<Stream>();
  stream->id = id;
  stream->send_limit = peer_.stream_window;
  stream->granted = limits_.stream_window;
  return *stream;
}

/// The stream that a frame is about; nothing for one that is gone.
FakeQuic::Stream* FakeQuic::incoming(quic::StreamId id) {
  if (!ours(id) && id >= next_theirs_) {
    if (id / 4 >= their_limit_) {
      fail_with({ErrorKind::kConnectionLost, "stream limit exceeded"});
      return nullptr;
    }
    for (; next_theirs_ <= id; next_theirs_ += 4) {
      make_stream(next_theirs_);
      facts_.emplace_back(quic::fact::StreamOpened{next_theirs_});
    }
  }
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

/// Puts a stream with something to send at the end of the queue.
void FakeQuic::list(Stream& stream) {
  const bool due = !stream.send_over && (!stream.out.empty() || stream.finishing);
  if (due && !std::exchange(stream.listed, true)) sendable_.push_back(stream.id);
}

void FakeQuic::tell_readable(Stream& stream) {
  if (stream.released || !std::exchange(stream.drained, false)) return;
  facts_.emplace_back(quic::fact::StreamReadable{stream.id});
}

void FakeQuic::on_data(Frame& frame) {
  const quic::StreamId id = frame.number();
  const bool fin = frame.number(1) != 0;
  const ByteView data = frame.bytes(frame.number(2));
  Stream* const stream = incoming(id);
  if (stream == nullptr) return consumed(data.size());
  if (stream->receive_over || stream->released) return consumed(*stream, data.size());
  stream->in.insert(stream->in.end(), data.begin(), data.end());
  stream->fin = fin;
  if (stream->consumed + stream->in.size() > stream->granted) {
    return fail_with({ErrorKind::kConnectionLost, "flow control broken"});
  }
  tell_readable(*stream);
}

void FakeQuic::on_reset(Frame& frame) {
  const quic::StreamId id = frame.number();
  const std::uint64_t code = frame.number();
  Stream* const stream = incoming(id);
  if (stream == nullptr || stream->receive_over || stream->released) return;
  // RFC 9000 section 3.2: what arrived before need not be delivered any more.
  consumed(*stream, stream->in.size());
  stream->in.clear();
  stream->reset = code;
  stream->drained = true;
  tell_readable(*stream);
}

void FakeQuic::on_stop(Frame& frame) {
  const quic::StreamId id = frame.number();
  const std::uint64_t code = frame.number();
  Stream* const stream = incoming(id);
  if (stream == nullptr) return;
  send_reset(*stream, code);  // RFC 9000 section 3.5
  if (!stream->released) facts_.emplace_back(quic::fact::StreamStopped{id, code});
}

void FakeQuic::on_deadline(Instant now) {
  if (state_ == State::kClosed) return;
  if (now >= heard_ + config_.idle_timeout) {
    return fail_with({ErrorKind::kConnectionLost, "the peer has not been heard of"});
  }
  if (state_ == State::kHandshake) {
    if (config_.role == quic::Role::kClient && now >= spoke_ + kHelloInterval) queue_hello();
  } else if (now >= spoke_ + config_.idle_timeout / 2) {
    queue(Writer(Type::kPing).done());
  }
}

std::optional<Instant> FakeQuic::deadline() const {
  if (state_ == State::kClosed) return std::nullopt;
  const Instant idle = heard_ + config_.idle_timeout;
  if (state_ == State::kUp) return std::min(idle, spoke_ + config_.idle_timeout / 2);
  return config_.role == quic::Role::kClient ? std::min(idle, spoke_ + kHelloInterval) : idle;
}

/// Data of one stream that may leave now, as far as `room` and the peer's limits go.
Bytes FakeQuic::next_data_frame(std::size_t room) {
  while (!sendable_.empty() && room > kDataOverhead) {
    const auto found = streams_.find(sendable_.front());
    sendable_.pop_front();
    if (found == streams_.end()) continue;
    Stream& stream = *found->second;
    stream.listed = false;
    if (stream.send_over) continue;
    const std::uint64_t size =
        std::min({std::uint64_t{stream.out.size()}, std::uint64_t{room - kDataOverhead},
                  stream.send_limit - stream.sent, data_limit_ - data_sent_});
    const bool fin = stream.finishing && size == stream.out.size();
    if (size == 0 && !fin) continue;  // until the peer's limit moves
    const ByteView data = ByteView(stream.out).first(size);
    Bytes frame = Writer(Type::kData)
                      .number(stream.id)
                      .number(fin ? 1 : 0, 1)
                      .number(size, 2)
                      .bytes(data)
                      .done();
    stream.out.erase(stream.out.begin(), stream.out.begin() + static_cast<std::ptrdiff_t>(size));
    stream.sent += size;
    data_sent_ += size;
    stream.send_over = fin;
    if (size > 0 && !stream.released && std::exchange(stream.starved, false)) {
      facts_.emplace_back(quic::fact::StreamWritable{stream.id});
    }
    list(stream);
    if (stream.send_over && stream.released) streams_.erase(stream.id);
    return frame;
  }
  return {};
}

quic::DatagramTrain FakeQuic::transmit(MutableBytes buffer, Instant now) {
  std::size_t size = 0;
  const auto add = [&](const Bytes& frame) {
    std::copy(frame.begin(), frame.end(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    size += frame.size();
  };
  const std::size_t limit = std::min(limits_.datagram, buffer.size());
  while (!frames_.empty() && size + frames_.front().size() <= limit) {
    add(frames_.front());
    frames_.pop_front();
  }
  while (state_ == State::kUp && frames_.empty()) {
    const Bytes frame = next_data_frame(limit - size);
    if (frame.empty()) break;
    add(frame);
  }
  if (size == 0) return {};
  spoke_ = now;
  ++statistics_.datagrams_sent;
  return {ByteView(buffer).first(size), size, quic::Ecn::kNotEct};
}

}  // namespace peersock::testing
