#include "bench/mailbox_party.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace peersock::bench {
namespace {

/// The phases in their order, and the hexadecimal digits that a peersock session sends in each.
struct Phase {
  std::string_view name;
  std::size_t digits;
};
constexpr std::array<Phase, 3> kPhases{{{"pake", 162}, {"version", 580}, {"0", 880}}};

std::string body_of(std::string_view side, std::size_t phase) {
  std::string body = fmt::format("{}{:02x}", side, phase);
  body.resize(kPhases[phase].digits, 'a');
  return body;
}

std::string add(std::string_view side, std::size_t phase) {
  return fmt::format(R"({{"type":"add","phase":"{}","body":"{}"}})", kPhases[phase].name,
                     body_of(side, phase));
}

/// Keeps the strings of the outermost object. A tree of every message would be the dearest part of
/// the load generator.
class Reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  ServerMessage message;

  bool key(string_t& value) override {
    if (depth_ == 1) member_ = find(value);
    return true;
  }
  bool string(string_t& value) override {
    if (depth_ == 1 && member_ != nullptr) *member_ = std::move(value);
    return true;
  }
  bool start_object(std::size_t /*size*/) override { return ++depth_ > 0; }
  bool start_array(std::size_t /*size*/) override { return ++depth_ > 1; }
  bool end_object() override { return --depth_ >= 0; }
  bool end_array() override { return --depth_ >= 0; }
  bool null() override { return depth_ > 0; }
  bool boolean(bool /*value*/) override { return depth_ > 0; }
  bool number_integer(number_integer_t /*value*/) override { return depth_ > 0; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return depth_ > 0; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return depth_ > 0;
  }
  bool binary(binary_t& /*value*/) override { return false; }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  std::string* find(std::string_view name) {
    if (name == "type") return &message.type;
    if (name == "side") return &message.side;
    if (name == "phase") return &message.phase;
    if (name == "body") return &message.body;
    if (name == "nameplate") return &message.nameplate;
    if (name == "mailbox") return &message.mailbox;
    if (name == "error") return &message.error;
    return nullptr;
  }

  int depth_ = 0;
  std::string* member_ = nullptr;
};

}  // namespace

std::optional<ServerMessage> read_message(std::string_view frame) {
  Reader reader;
  if (!nlohmann::json::sax_parse(frame, &reader)) return std::nullopt;
  return std::move(reader.message);
}

Party::Party(Role role, std::uint64_t exchange, std::string nameplate)
    : role_(role), nameplate_(std::move(nameplate)) {
  side_ = fmt::format("{:09x}{}", exchange, role == Role::kTaker ? 'b' : 'a');
  peer_ = fmt::format("{:09x}{}", exchange, role == Role::kTaker ? 'a' : 'b');
}

Party Party::maker(std::uint64_t exchange) {
  return {Role::kMaker, exchange, {}};
}
Party Party::taker(std::uint64_t exchange, std::string nameplate) {
  return {Role::kTaker, exchange, std::move(nameplate)};
}
Party Party::idler(std::uint64_t number) {
  return {Role::kIdler, number, {}};
}

Party::Frames Party::fail(std::string why) {
  if (error_.empty()) error_ = std::move(why);
  return {};
}

Party::Frames Party::on_frame(std::string_view frame) {
  auto message = read_message(frame);
  if (!message) return fail("the server sent what is no JSON object");
  if (message->type == "ack") {
    if (role_ == Role::kIdler) done_ = true;
    return {};
  }
  if (message->type == "message") return on_message(*message);
  if (message->type == "welcome") return bind();
  if (message->type == "allocated") {
    nameplate_ = std::move(message->nameplate);
    return {fmt::format(R"({{"type":"claim","nameplate":"{}"}})", nameplate_)};
  }
  if (message->type == "claimed") {
    return {fmt::format(R"({{"type":"open","mailbox":"{}"}})", message->mailbox), add(side_, 0)};
  }
  if (message->type == "released") {
    released_ = true;
    return close_if_finished();
  }
  if (message->type == "closed") {
    done_ = true;
    return {};
  }
  return fail(fmt::format("the server said \"{}\" {}", message->type, message->error));
}

Party::Frames Party::bind() const {
  Frames frames{fmt::format(R"({{"type":"bind","appid":"peersock/bench","side":"{}"}})", side_)};
  if (role_ == Role::kMaker) frames.emplace_back(R"({"type":"allocate"})");
  if (role_ == Role::kTaker) {
    frames.push_back(fmt::format(R"({{"type":"claim","nameplate":"{}"}})", nameplate_));
  }
  return frames;
}

Party::Frames Party::on_message(const ServerMessage& message) {
  if (message.side == side_) return {};
  if (message.side != peer_ || phase_ == kPhases.size() || message.phase != kPhases[phase_].name ||
      message.body != body_of(peer_, phase_)) {
    return fail(
        fmt::format("the message \"{}\" of {} is not what was due", message.phase, message.side));
  }
  ++phase_;
  if (phase_ == kPhases.size()) return close_if_finished();
  Frames frames{add(side_, phase_)};
  // The nameplate has done its work as soon as both have met.
  if (phase_ == 1) {
    frames.insert(frames.begin(),
                  fmt::format(R"({{"type":"release","nameplate":"{}"}})", nameplate_));
  }
  return frames;
}

Party::Frames Party::close_if_finished() const {
  if (!released_ || phase_ < kPhases.size()) return {};
  return {R"({"type":"close","mood":"happy"})"};
}

}  // namespace peersock::bench
