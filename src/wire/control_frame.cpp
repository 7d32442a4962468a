#include "wire/control_frame.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "wire/json_reader.hpp"
#include "wire/text.hpp"

namespace peersock::wire {
namespace {

using nlohmann::json;

constexpr std::uint8_t kCritical = 0x80;
constexpr std::size_t kTokenSize = 8;
constexpr std::size_t kCreditSize = 12;
constexpr JsonLimits kHelloLimits{.octets = kMaxHelloBody};

// --- writing

void append_u16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

Bytes frame(std::uint8_t type, ByteView body) {
  const ByteView kept = body.first(std::min(body.size(), kMaxControlBody));
  Bytes out;
  out.reserve(kControlHeaderSize + kept.size());
  append_u16(out, kept.size());
  out.push_back(type);
  out.insert(out.end(), kept.begin(), kept.end());
  return out;
}
Bytes frame(ControlType type, ByteView body) {
  return frame(static_cast<std::uint8_t>(type), body);
}

/// The low `size` octets of `value`, most significant first.
void append_number(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * (size - 1 - i))));
  }
}

Bytes token_frame(ControlType type, std::uint64_t token) {
  Bytes body;
  append_number(body, token, kTokenSize);
  return frame(type, body);
}

std::string ascii_only(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() == kMaxSoftwareLength) break;
    if (c >= ' ' && c <= '~') out.push_back(c);
  }
  return out;
}

Bytes encode_one(const control::Smp& f) {
  return frame(ControlType::kSmp, f.body);
}
Bytes encode_one(const control::Hello& f) {
  const json body = {{"mode", to_string(f.mode)}, {"name", ascii_only(f.software)}};
  return frame(ControlType::kHello, as_bytes(to_json_text(body)));
}
Bytes encode_one(const control::Ping& f) {
  return token_frame(ControlType::kPing, f.token);
}
Bytes encode_one(const control::Pong& f) {
  return token_frame(ControlType::kPong, f.token);
}
Bytes encode_one(const control::Drained& /*f*/) {
  return frame(ControlType::kDrained, {});
}
Bytes encode_one(const control::Credit& f) {
  Bytes body;
  append_number(body, f.stream, sizeof f.stream);
  append_number(body, f.octets, sizeof f.octets);
  return frame(ControlType::kCredit, body);
}
Bytes encode_one(const control::Ice& f) {
  return frame(ControlType::kIce, as_bytes(f.json));
}
Bytes encode_one(const control::Goodbye& f) {
  Bytes body{static_cast<std::uint8_t>(f.cause)};
  const std::string reason = printable(f.reason, kMaxGoodbyeReason);
  body.insert(body.end(), reason.begin(), reason.end());
  return frame(ControlType::kGoodbye, body);
}
Bytes encode_one(const control::PortOffer& f) {
  return frame(ControlType::kPortOffer, encode(f.offer));
}
Bytes encode_one(const control::Unknown& f) {
  return frame(f.type, {});
}

// --- reading

Error broken(std::string_view what) {
  return {ErrorKind::kConnectionLost,
          fmt::format("The other side broke the protocol: it sent {}; use the same version of "
                      "peersock on both sides",
                      what)};
}

struct Bounds {
  std::size_t least = 0;
  std::size_t most = kMaxControlBody;
};

/// How long the body of `type` may be; nothing for an unknown type that may not be skipped.
std::optional<Bounds> bounds_of(std::uint8_t type) {
  switch (static_cast<ControlType>(type)) {
    case ControlType::kSmp:
      return Bounds{1, kMaxSmpBody};
    case ControlType::kHello:
      return Bounds{1, kMaxHelloBody};
    case ControlType::kPing:
    case ControlType::kPong:
      return Bounds{kTokenSize, kTokenSize};
    case ControlType::kIce:
      return Bounds{1, kMaxIceBody};
    case ControlType::kDrained:
      return Bounds{0, 0};
    case ControlType::kCredit:
      return Bounds{kCreditSize, kCreditSize};
    case ControlType::kGoodbye:
      return Bounds{1, 1 + kMaxGoodbyeReason};
    case ControlType::kPortOffer:
      return Bounds{kMinOfferSize, kMaxOfferSize};
  }
  if ((type & kCritical) != 0) return std::nullopt;
  return Bounds{};
}

/// What is wrong with a header. No body need be waited for to know it.
std::optional<Error> check_header(std::uint8_t type, std::size_t length) {
  const auto bounds = bounds_of(type);
  if (!bounds) {
    return broken(fmt::format("a control frame that this side does not know (0x{:02x})", type));
  }
  if (length < bounds->least || length > bounds->most) {
    return broken(fmt::format("a control frame 0x{:02x} of {} octets", type, length));
  }
  return std::nullopt;
}

std::uint64_t read_number(ByteView octets) {
  std::uint64_t value = 0;
  for (const std::uint8_t octet : octets) value = value << 8 | octet;
  return value;
}

Result<ControlFrame> read_hello(ByteView body) {
  const auto parsed = parse_json(as_text(body), kHelloLimits);
  if (!parsed || !parsed->is_object())
    return tl::unexpected(broken("a hello that is no JSON object"));
  const std::string* name = string_member(*parsed, "mode");
  const auto mode = name == nullptr ? std::nullopt : parse_mode(*name);
  if (!mode) return tl::unexpected(broken("a hello without a mode that this side knows"));
  // The name is for people; a strange one is no reason to part.
  const std::string* software = string_member(*parsed, "name");
  return control::Hello{*mode, software == nullptr ? "" : ascii_only(*software)};
}

control::Goodbye read_goodbye(ByteView body) {
  using Cause = control::Goodbye::Cause;
  // A cause that a later version adds is some kind of error to us.
  const bool known = body[0] <= static_cast<std::uint8_t>(Cause::kError);
  return {known ? static_cast<Cause>(body[0]) : Cause::kError,
          printable(as_text(body.subspan(1)), kMaxGoodbyeReason)};
}

Result<ControlFrame> read_offer(ByteView body) {
  auto offer = parse_port_offer(body);
  if (!offer) return tl::unexpected(broken("an offer of ports that can not be read"));
  return control::PortOffer{*std::move(offer)};
}

/// `body` has a length that check_header accepted for `type`.
Result<ControlFrame> read_body(std::uint8_t type, ByteView body) {
  switch (static_cast<ControlType>(type)) {
    case ControlType::kSmp:
      return control::Smp{Bytes(body.begin(), body.end())};
    case ControlType::kHello:
      return read_hello(body);
    case ControlType::kPing:
      return control::Ping{read_number(body)};
    case ControlType::kPong:
      return control::Pong{read_number(body)};
    case ControlType::kDrained:
      return control::Drained{};
    case ControlType::kCredit:
      return control::Credit{
          read_number(body.first(sizeof(std::uint64_t))),
          static_cast<std::uint32_t>(read_number(body.subspan(sizeof(std::uint64_t))))};
    case ControlType::kIce:
      return control::Ice{std::string(as_text(body))};
    case ControlType::kGoodbye:
      return read_goodbye(body);
    case ControlType::kPortOffer:
      return read_offer(body);
  }
  return control::Unknown{type};
}

}  // namespace

Bytes encode(const ControlFrame& frame) {
  return std::visit([](const auto& f) { return encode_one(f); }, frame);
}

void ControlFrameReader::push(ByteView bytes) {
  if (failed_) return;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void ControlFrameReader::take(std::size_t octets) {
  taken_ += octets;
  // Moving the rest to the front only when it is the smaller half keeps the whole linear.
  if (taken_ * 2 >= buffer_.size()) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }
}

tl::unexpected<Error> ControlFrameReader::fail_with(Error error) {
  buffer_ = Bytes();
  taken_ = 0;
  failed_ = std::move(error);
  return tl::unexpected(*failed_);
}

Result<std::optional<ControlFrame>> ControlFrameReader::next() {
  if (failed_) return tl::unexpected(*failed_);
  const ByteView waiting = pending();
  if (waiting.size() < kControlHeaderSize) return std::nullopt;
  const std::size_t length = std::size_t{waiting[0]} << 8 | waiting[1];
  const std::uint8_t type = waiting[2];
  if (auto error = check_header(type, length)) return fail_with(*std::move(error));
  if (waiting.size() - kControlHeaderSize < length) return std::nullopt;
  auto frame = read_body(type, waiting.subspan(kControlHeaderSize, length));
  if (!frame) return fail_with(std::move(frame).error());
  take(kControlHeaderSize + length);
  return std::optional<ControlFrame>(*std::move(frame));
}

}  // namespace peersock::wire
