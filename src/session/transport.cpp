#include "session/transport.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/machine.hpp"

namespace peersock::session {
namespace {

constexpr std::size_t kTransmitBuffer = 65536;
/// Repetitions until something comes back; the first at once, each wait twice as long.
constexpr int kRepeats = 5;
constexpr Duration kFirstRepeat = 100ms;

}  // namespace

Transport::Transport(Host& host) : host_(host), buffer_(kTransmitBuffer) {}

std::optional<Error> Transport::start(const quic::ConnectionConfig& config, Instant now) {
  auto made = host_.engine().connect(config, now);
  if (!made) return made.error();
  connection_ = std::move(*made);
  connection_->set_datagram_limit(datagram_limit_, now);
  role_ = config.role;
  return std::nullopt;
}

void Transport::set_datagram_limit(std::size_t octets, Instant now) {
  datagram_limit_ = octets;
  if (connection_) connection_->set_datagram_limit(octets, now);
}

void Transport::receive(const quic::DatagramTrain& train, Instant now) {
  if (connection_) connection_->receive(train, now);
}

void Transport::close(std::uint64_t code, std::string_view reason, Instant now) {
  if (!connection_) return;
  write_control();
  connection_->close(code, reason, now);
}

std::optional<Transport::Fact> Transport::poll() {
  if (!connection_) return std::nullopt;
  // Frames are taken one at a time, so that what one causes is done before the next is seen.
  if (auto fact = next_control()) return fact;
  if (streams_released_ && held_at_ < held_.size()) {
    return StreamFact{std::move(held_[held_at_++])};
  }
  while (auto fact = connection_->poll_event()) {
    if (auto translated = translate(std::move(*fact))) return translated;
  }
  return next_control();
}

std::optional<Transport::Fact> Transport::translate(quic::ConnectionFact fact) {
  return std::visit(Overloaded{
                        [&](quic::fact::Established&) -> std::optional<Fact> {
                          // The client's first bidirectional stream is number 0 (RFC 9000
                          // section 2.1).
                          if (role_ == quic::Role::kClient) {
                            control_open_ = connection_->open_stream() == kControlStream;
                            if (!control_open_)
                              return break_control("the control stream could not be opened");
                          }
                          return Established{};
                        },
                        [&](quic::fact::Closed& closed) -> std::optional<Fact> {
                          return Closed{std::move(closed)};
                        },
                        [&](quic::fact::StreamsAvailable& available) -> std::optional<Fact> {
                          if (streams_released_) return StreamFact{available};
                          return std::nullopt;
                        },
                        [&](auto& about_stream) -> std::optional<Fact> {
                          if (about_stream.stream != kControlStream) {
                            if (streams_released_) return StreamFact{about_stream};
                            held_.emplace_back(about_stream);
                            return std::nullopt;
                          }
                          using Kind = std::decay_t<decltype(about_stream)>;
                          if constexpr (std::is_same_v<Kind, quic::fact::StreamStopped>) {
                            return break_control("the other side stopped the control stream");
                          } else {
                            control_open_ = true;
                            control_readable_ = true;
                            write_control();
                            return std::nullopt;
                          }
                        },
                    },
                    fact);
}

Transport::Fact Transport::break_control(std::string message) {
  control_broken_ = true;
  control_readable_ = false;
  return ControlBroken{Error{
      ErrorKind::kConnectionLost,
      "The session broke: " + std::move(message) + "; start both sides again with a new code"}};
}

std::optional<Transport::Fact> Transport::next_control() {
  if (control_broken_ || !control_open_) return std::nullopt;
  if (overflowed_) return break_control("the other side does not read the control stream");
  for (;;) {
    auto frame = reader_.next();
    if (!frame) {
      control_broken_ = true;
      return ControlBroken{frame.error()};
    }
    if (*frame) return ControlFrame{std::move(**frame)};
    if (!control_readable_) return std::nullopt;
    std::array<std::uint8_t, 4096> chunk{};
    const quic::ReadOutcome read = connection_->read(kControlStream, chunk);
    if (read.end) return break_control("the other side ended the control stream");
    if (read.reset) return break_control("the other side reset the control stream");
    if (read.octets == 0) {
      control_readable_ = false;
      return std::nullopt;
    }
    reader_.push(ByteView(chunk).first(read.octets));
  }
}

void Transport::release_streams() {
  streams_released_ = true;
}

void Transport::send_control(const wire::ControlFrame& frame) {
  if (control_broken_) return;
  const Bytes encoded = wire::encode(frame);
  if (control_backlog_.size() + encoded.size() > kMaxControlBacklog) {
    overflowed_ = true;
    return;
  }
  control_backlog_.insert(control_backlog_.end(), encoded.begin(), encoded.end());
  write_control();
}

void Transport::write_control() {
  if (!connection_ || !control_open_ || control_backlog_.empty()) return;
  const std::size_t taken = connection_->write(kControlStream, control_backlog_);
  control_backlog_.erase(control_backlog_.begin(),
                         control_backlog_.begin() + static_cast<std::ptrdiff_t>(taken));
}

bool Transport::send_pending(Instant now) {
  if (unsent_.bytes.empty()) return true;
  if (blocked_) return false;
  switch (host_.send_batch(unsent_)) {
    case quic::SendOutcome::kWouldBlock:
      blocked_ = true;
      return false;
    case quic::SendOutcome::kTooBig:
      connection_->on_too_big(unsent_.segment, now);
      break;
    case quic::SendOutcome::kSent:
    case quic::SendOutcome::kError:
      break;
  }
  unsent_ = {};
  return true;
}

void Transport::path_replaced(Instant now) {
  blocked_ = false;
  path_doubted(now);
}

void Transport::path_doubted(Instant now) {
  if (!path_open_) return;
  repeating_since_ = now;
  repeat_at_ = now;
  repeats_left_ = kRepeats;
}

void Transport::remember(const quic::DatagramTrain& train) {
  const std::size_t count = (train.bytes.size() + train.segment - 1) / train.segment;
  const std::size_t skipped = count > kRemembered ? count - kRemembered : 0;
  for (ByteView rest = train.bytes.subspan(skipped * train.segment); !rest.empty();) {
    const ByteView datagram = rest.first(std::min(rest.size(), train.segment));
    latest_.at(latest_at_).assign(datagram.begin(), datagram.end());
    latest_at_ = (latest_at_ + 1) % kRemembered;
    rest = rest.subspan(datagram.size());
  }
}

void Transport::repeat(Instant now) {
  if (!repeat_at_ || *repeat_at_ > now) return;
  const auto heard = connection_->statistics().last_heard;
  if (repeats_left_ == 0 || (heard && *heard > repeating_since_)) return repeat_at_.reset();
  --repeats_left_;
  repeat_at_ = now + kFirstRepeat * (1 << (kRepeats - 1 - repeats_left_));
  for (std::size_t i = 0; i < kRemembered; ++i) {
    const Bytes& datagram = latest_.at((latest_at_ + i) % kRemembered);
    if (datagram.empty()) continue;
    static_cast<void>(host_.send_batch({datagram, datagram.size(), quic::Ecn::kNotEct}));
  }
}

void Transport::flush(Instant now) {
  if (!connection_) return;
  repeat(now);
  const auto due = connection_->deadline();
  if (due && *due <= now) connection_->on_deadline(now);
  if (!path_open_) return;
  while (send_pending(now)) {
    unsent_ = connection_->transmit(buffer_, now);
    if (unsent_.bytes.empty()) return;
    remember(unsent_);
  }
}

std::optional<Instant> Transport::deadline() const {
  if (!connection_) return std::nullopt;
  return earliest(connection_->deadline(), repeat_at_);
}

}  // namespace peersock::session
