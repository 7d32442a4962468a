#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "targets.hpp"
#include "wire/code.hpp"
#include "wire/control_frame.hpp"
#include "wire/http_proxy.hpp"
#include "wire/ice_message.hpp"
#include "wire/introduction.hpp"
#include "wire/json_reader.hpp"
#include "wire/mailbox_message.hpp"
#include "wire/stream_header.hpp"
#include "wire/stun.hpp"
#include "wire/stun_check.hpp"
#include "wire/tcp_frame.hpp"
#include "wire/text.hpp"
#include "wire/websocket.hpp"

namespace peersock::fuzz {
namespace {

std::vector<Bytes> texts(std::initializer_list<std::string_view> list) {
  std::vector<Bytes> out;
  for (const std::string_view text : list) out.push_back(to_bytes(text));
  return out;
}

/// Bounded, and without anything that drives a terminal.
std::string check_text(const std::string& text) {
  if (text.empty() || text.size() > 500) return "an error of a strange length";
  return wire::printable(text, text.size()) == text ? "" : "an error that is not printable";
}

/// An error is one sentence of a kind that its reader documents.
std::string check_error(const Error& error, std::initializer_list<ErrorKind> allowed) {
  if (std::find(allowed.begin(), allowed.end(), error.kind) == allowed.end()) {
    return "an error of an undocumented kind: " + error.message;
  }
  return check_text(error.message);
}

// --- code

std::vector<Bytes> code_seeds() {
  return texts({"8-lab-name-blanket", " 007 ACT acti__actr\n", "12-zoo-zone-zero", "8-lab-nmae-zoo",
                "8", "lab-name-blanket", "2-8-lab-name-blanket", "10-8-lab-name-zoo"});
}

std::string run_code(ByteView input) {
  const auto code = wire::parse_code(as_text(input));
  if (!code) return check_error(code.error(), {ErrorKind::kUsage});
  const auto again = wire::parse_code(code->spoken().reveal_text());
  if (!again) return "a code was refused as we would say it";
  if (again->canonical().reveal_text() != code->canonical().reveal_text() ||
      again->server() != code->server()) {
    return "a code is another one as we would say it";
  }
  if (code->server() < 1 || code->server() > wire::kMaxServers) return "a server that is none";
  return wire::is_nameplate(code->nameplate()) ? "" : "a nameplate that is none";
}

// --- mailbox replies

std::vector<Bytes> reply_seeds() {
  return texts({R"({"type":"welcome","welcome":{"motd":"h\u001bi","error":"no"},"server_tx":1.5})",
                R"({"type":"welcome","welcome":{"permission-required":{"none":{}}}})",
                R"({"type":"nameplates","nameplates":[{"id":"1"},{"id":"22"}]})",
                R"({"type":"allocated","nameplate":"4"})",
                R"({"type":"claimed","mailbox":"qyqyqy"})",
                R"({"type":"message","side":"s","phase":"pake","body":"00ff","id":"a"})",
                R"({"type":"error","error":"crowded","orig":{"type":"claim"}})",
                R"({"type":"ack","id":"x"})", R"({"type":"pong","pong":[[[1]]]})"});
}

bool is_shown_text(const std::optional<std::string>& text) {
  return !text || (text->size() <= 1000 && wire::printable(*text, 1000) == *text);
}

std::string run_reply(ByteView input) {
  const auto parsed = wire::parse_reply(as_text(input));
  if (!parsed) return check_text(parsed.error().what);
  namespace reply = wire::reply;
  if (const auto* welcome = std::get_if<reply::Welcome>(&*parsed)) {
    if (!is_shown_text(welcome->motd) || !is_shown_text(welcome->error)) return "a raw welcome";
  }
  if (const auto* error = std::get_if<reply::ServerError>(&*parsed)) {
    if (!is_shown_text(error->error) || !is_shown_text(error->orig_type)) return "a raw error";
  }
  if (const auto* unknown = std::get_if<reply::Unknown>(&*parsed)) {
    if (!is_shown_text(unknown->type)) return "a raw type";
  }
  if (const auto* allocated = std::get_if<reply::Allocated>(&*parsed)) {
    if (!wire::is_nameplate(allocated->nameplate)) return "a nameplate that is none";
  }
  return {};
}

// --- introductions

std::vector<Bytes> introduction_seeds() {
  const std::string fingerprint(64, 'a');
  return texts({R"({"peersock":{"version":1,"mode":"listen","fingerprint":")" + fingerprint +
                    R"(","capabilities":["once",7]}})",
                R"({"peersock":{"version":1,"mode":"stdio-a","fingerprint":")" + fingerprint +
                    R"(","smp":"00000001"}})",
                R"({"peersock":{"version":2}})", R"({"transfer":{}})"});
}

std::string run_introduction(ByteView input) {
  const auto json = wire::parse_json(as_text(input), {.octets = 65536});
  if (!json) return {};
  const auto parsed = wire::parse_introduction(*json);
  if (!parsed) {
    return check_error(parsed.error(), {ErrorKind::kIncompatible, ErrorKind::kConnectionLost});
  }
  const auto again = wire::parse_introduction(wire::encode(*parsed));
  if (!again || again->mode != parsed->mode || again->fingerprint != parsed->fingerprint ||
      again->capabilities != parsed->capabilities || again->smp != parsed->smp) {
    return "an introduction that does not survive its own encoding";
  }
  return {};
}

// --- ICE messages

std::vector<Bytes> ice_seeds() {
  return texts(
      {R"({"ice":{"generation":0,"ufrag":"abcd","pwd":"0123456789abcdefghijkl","end":true}})",
       R"({"ice":{"generation":1,"candidates":["candidate:1 1 udp 1 192.0.2.1 9 typ host"]}})",
       R"({"ice":{"generation":0,"candidates":["a=candidate:2 1 TCP 7 2001:DB8::1 9 typ srflx )"
       R"(raddr 0.0.0.0 rport 0 generation 0 tcptype so"]}})"});
}

std::string run_ice(ByteView input) {
  const auto parsed = wire::parse_ice_message(as_text(input));
  if (!parsed) return check_error(parsed.error(), {ErrorKind::kConnectionLost});
  if (parsed->message.candidates.size() > wire::kMaxCandidates) return "too many candidates";
  const auto again = wire::parse_ice_message(wire::encode(parsed->message));
  if (!again || again->message != parsed->message || again->refused_candidates != 0) {
    return "an ICE message that does not survive its own encoding";
  }
  return {};
}

std::vector<Bytes> candidate_seeds() {
  return texts(
      {"candidate:aB+/9 1 udp 1694498815 198.51.100.7 40000 typ srflx raddr 10.0.0.2 rport 5",
       "a=candidate:3 1 TCP 1015021823 fe80::1 9 typ host tcptype active generation 0\r\n",
       "candidate:1 1 udp 1 192.0.2.1 9 typ relay raddr :: rport 0"});
}

std::string run_candidate(ByteView input) {
  const auto parsed = wire::parse_candidate(as_text(input));
  if (!parsed) return check_error(parsed.error(), {ErrorKind::kConnectionLost});
  const auto again = wire::parse_candidate(wire::format_candidate(*parsed));
  return again && *again == *parsed ? "" : "a candidate that does not survive its own encoding";
}

// --- control frames

std::vector<Bytes> control_seeds() {
  namespace control = wire::control;
  const wire::ControlFrame frames[] = {
      control::Smp{{1, 2, 3}},
      control::Hello{wire::Mode::kListen, "peersock 0.1"},
      control::Ping{1},
      control::Pong{2},
      control::Drained{},
      control::Goodbye{control::Goodbye::Cause::kError, "disk full"},
      control::PortOffer{
          {wire::PortMapping::kEndpointDependent, {}, {"198.51.100.7", 40000}, {1, 2}}},
      control::Ice{R"({"ice":{"generation":1,"end":true}})"},
      control::Unknown{0x11}};
  std::vector<Bytes> seeds;
  Bytes all{3};
  for (const wire::ControlFrame& frame : frames) {
    // The first octet of an input says how the rest is cut.
    Bytes one{0};
    const Bytes octets = wire::encode(frame);
    one.insert(one.end(), octets.begin(), octets.end());
    all.insert(all.end(), octets.begin(), octets.end());
    seeds.push_back(std::move(one));
  }
  seeds.push_back(std::move(all));
  return seeds;
}

struct Reading {
  std::vector<wire::ControlFrame> frames;
  std::optional<Error> error;
  friend bool operator==(const Reading&, const Reading&) = default;
};

Reading read_frames(ByteView octets, std::size_t chunk) {
  Reading reading;
  wire::ControlFrameReader reader;
  while (!octets.empty() && !reading.error) {
    const std::size_t size = std::min(chunk, octets.size());
    reader.push(octets.first(size));
    octets = octets.subspan(size);
    auto next = reader.next();
    for (; next && *next; next = reader.next()) reading.frames.push_back(**std::move(next));
    if (!next) reading.error = next.error();
  }
  return reading;
}

std::string run_control(ByteView input) {
  if (input.empty()) return {};
  const ByteView octets = input.subspan(1);
  const Reading whole = read_frames(octets, SIZE_MAX);
  if (whole != read_frames(octets, std::size_t{input[0]} + 1)) return "it matters how it is cut";
  if (whole.error) {
    auto broken = check_error(*whole.error, {ErrorKind::kConnectionLost});
    if (!broken.empty()) return broken;
  }
  for (const wire::ControlFrame& frame : whole.frames) {
    const Reading again = read_frames(wire::encode(frame), SIZE_MAX);
    if (again.error || again.frames.size() != 1 || again.frames.front() != frame) {
      return "a frame that does not survive its own encoding";
    }
  }
  return {};
}

// --- stream headers

std::vector<Bytes> header_seeds() {
  return {
      {0}, {0, 'G', 'E', 'T'}, {4, 1, 2, 0xff, 0xff, 'x'}, {5, 1, 0, 0x7f, 1, 0xaa}, {2, 0x80, 0}};
}

std::string run_header(ByteView input) {
  const auto parsed = wire::parse_stream_header(input);
  if (!parsed) return check_error(parsed.error(), {ErrorKind::kConnectionLost});
  if (!*parsed) return input.size() < wire::kMaxStreamHeader ? "" : "it waits for ever";
  const std::size_t size = (*parsed)->size;
  if (size == 0 || size > input.size()) return "a header longer than its stream";
  const auto shorter = wire::parse_stream_header(input.first(size - 1));
  return shorter && !*shorter ? "" : "a header that ends too soon";
}

// --- WebSocket frames

constexpr std::size_t kMaxMessage = 300;

std::vector<Bytes> websocket_seeds() {
  using namespace std::string_view_literals;
  return texts({"\x81\x82mask\x05\x05"sv, "\x01\x81maskx\x89\x81maskp\x80\x81maskx"sv,
                "\x82\xfe\x00\x03mask123\x8a\x80mask"sv, "\x88\x82mask\x6e\x89"sv,
                "\x82\xff\x00\x00\x00\x00\x00\x00\x00\x02maskxy\x88\x80mask"sv});
}

/// What the reader makes of `input` in pieces of `piece`, as text; or which property did not hold.
struct WebSocketStory {
  std::string events;
  std::string fault;
};
WebSocketStory read_websocket(std::string_view input, std::size_t piece) {
  wire::WebSocketReader reader(kMaxMessage);
  WebSocketStory story;
  bool over = false;
  while (!input.empty()) {
    std::string_view now = input.substr(0, piece);
    input.remove_prefix(now.size());
    while (!now.empty()) {
      const auto event = reader.next(now);
      if (!event && !now.empty()) story.fault = "octets were left over without an event";
      if (!event) break;
      if (over) story.fault = "something came after the end";
      story.events += std::to_string(event->index());
      if (const auto* message = std::get_if<wire::WebSocketMessage>(&*event)) {
        if (message->payload.size() > kMaxMessage) story.fault = "a message that is too long";
        story.events += message->payload;
      }
      if (const auto* ping = std::get_if<wire::WebSocketPing>(&*event)) {
        if (ping->payload.size() > 125) story.fault = "a ping that is too long";
        story.events += ping->payload;
      }
      over = over || std::holds_alternative<wire::WebSocketClosed>(*event) ||
             std::holds_alternative<wire::WebSocketBroken>(*event);
    }
  }
  return story;
}

std::string run_websocket(ByteView input) {
  const auto whole = read_websocket(as_text(input), input.size() + 1);
  const auto pieces = read_websocket(as_text(input), 1 + input.size() % 7);
  if (!whole.fault.empty()) return whole.fault;
  return whole.events == pieces.events ? pieces.fault : "pieces make a difference";
}

// --- STUN answers

std::vector<Bytes> stun_seeds() {
  const std::string id = "2112a442b7e7a701bc34d686fa87dfae";
  std::vector<Bytes> seeds;
  for (const std::string& hex :
       {"0101000c" + id + "002000080001a147e112a643",
        "01010018" + id + "0020001400020000a147e112a64300000000000000000000",
        "01010018" + id + "0001000800010d96cb007101802c000800010d97cb007102",
        "0111000c" + id + "0009000700000414556e6b00", "00010008" + id + "0003000400000006"}) {
    seeds.push_back(from_hex(hex).value_or(Bytes{}));
  }
  return seeds;
}

std::string check_address(const std::optional<wire::StunAddress>& address) {
  if (!address) return {};
  if (address->port == 0) return "an address without a port";
  const bool shaped = !address->address.empty() && address->address.size() <= 45 &&
                      address->address.find_first_not_of("0123456789abcdef:.") == std::string::npos;
  return shaped ? "" : "an address that is none";
}

std::string run_stun(ByteView input) {
  const auto parsed = wire::parse_stun(input);
  if (!parsed) return {};
  if (input.size() > wire::kMaxStunMessage) return "a message that is too long";
  if (parsed->error_code != 0 && (parsed->error_code < 300 || parsed->error_code > 699)) {
    return "an error code that is none";
  }
  const std::string wrong = check_address(parsed->mapped);
  return wrong.empty() ? check_address(parsed->other) : wrong;
}

// --- checks with integrity

std::vector<Bytes> check_seeds() {
  wire::StunCheck request;
  request.nominates = true;
  const wire::StunCheck answer{{}, true, false, wire::StunAddress{"198.51.100.7", 40000}};
  return {wire::encode(request, {}), wire::encode(answer, {})};
}

std::string run_check(ByteView input) {
  const auto parsed = wire::parse_check(input, {});
  if (!parsed) return {};
  if (parsed->answer && parsed->nominates) return "an answer that nominates";
  return check_address(parsed->mapped);
}

// --- frames on a TCP connection, wherever it is cut

std::vector<Bytes> frames_seeds() {
  Bytes two;
  wire::append_tcp_frame(two, Bytes{1, 2, 3});
  wire::append_tcp_frame(two, Bytes(300, 7));
  return {two, Bytes{0, 0, 0, 1, 9, 0xff, 0xff}};
}

std::vector<Bytes> frames_in(ByteView input, std::size_t piece) {
  std::vector<Bytes> found;
  wire::TcpFrameReader reader;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    reader.add(input.subspan(at, std::min(piece, input.size() - at)));
    while (const auto frame = reader.next()) found.emplace_back(frame->begin(), frame->end());
  }
  return found;
}

std::string run_frames(ByteView input) {
  const std::vector<Bytes> whole = frames_in(input, std::max<std::size_t>(input.size(), 1));
  if (frames_in(input, 1) != whole) return "frames that depend on where the stream was cut";
  for (const Bytes& frame : whole) {
    if (frame.empty() || frame.size() > wire::kMaxTcpFrame) return "a frame of a wrong size";
  }
  return {};
}

// --- an HTTP proxy: its answer, its address, and the hosts that go without it

std::vector<Bytes> proxy_seeds() {
  return texts({"HTTP/1.1 200 Connection established\r\nVia: a\r\n\r\n",
                "HTTP/1.0 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n",
                "http://a%20b:c%40d@proxy.test:3128/", "http://[2001:db8::1]:1", "proxy.test",
                "localhost, .example.org 192.0.2.0/24,2001:db8::/32,*"});
}

std::string run_proxy(ByteView input) {
  const std::string_view text = as_text(input);
  const auto status = wire::parse_connect_answer(text);
  if (status && (*status < 100 || *status > 599)) return "a status out of its range";
  static_cast<void>(wire::NoProxy(text).covers("www.example.org"));
  static_cast<void>(wire::NoProxy("example.org,192.0.2.0/24").covers(text));
  const auto proxy = wire::parse_http_proxy(text);
  if (!proxy) return "";
  if (proxy->host.empty() || proxy->port == 0) return "a proxy that is nowhere";
  const Secret request = wire::make_connect_request("a", 1, proxy->credentials);
  // Whatever the credentials hold, they cannot end their line.
  const std::string_view lines = request.reveal_text();
  const auto count = std::count(lines.begin(), lines.end(), '\n');
  return count == (proxy->credentials.empty() ? 3 : 4) ? "" : "a request with a line too many";
}

constexpr std::array kTargets{
    Target{"code", code_seeds, run_code},
    Target{"reply", reply_seeds, run_reply},
    Target{"introduction", introduction_seeds, run_introduction},
    Target{"ice", ice_seeds, run_ice},
    Target{"candidate", candidate_seeds, run_candidate},
    Target{"check", check_seeds, run_check},
    Target{"frames", frames_seeds, run_frames},
    Target{"control", control_seeds, run_control},
    Target{"header", header_seeds, run_header},
    Target{"stun", stun_seeds, run_stun},
    Target{"proxy", proxy_seeds, run_proxy},
    Target{"websocket", websocket_seeds, run_websocket},
};

}  // namespace

std::span<const Target> wire_targets() {
  return kTargets;
}

std::vector<Target> all_targets() {
  std::vector<Target> all(wire_targets().begin(), wire_targets().end());
  all.insert(all.end(), machine_targets().begin(), machine_targets().end());
  return all;
}

}  // namespace peersock::fuzz
