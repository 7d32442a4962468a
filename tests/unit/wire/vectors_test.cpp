// The vectors of the specification: the code keeps to them, and the pages quote them.
#include "support/vectors.hpp"

#include <array>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include "wire/code.hpp"
#include "wire/control_frame.hpp"
#include "wire/ice_message.hpp"
#include "wire/stream_header.hpp"

namespace peersock::wire {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::octets_of;
using testing::read_specification;
using testing::read_vectors;

std::string text_of(const json& object, const std::string& key) {
  return object.at(key).get<std::string>();
}

/// How the pages show a string in a table.
std::string quoted(const std::string& text) {
  return text.empty() ? "(nothing)" : "`" + text + "`";
}

void expect_row(const std::string& page, const std::string& first, const std::string& second) {
  EXPECT_THAT(page, HasSubstr("\n| " + first + " | " + second + " |\n"));
}

TEST(CodeVectors, TheWordListIsTheOneThatIsSpecified) {
  const json list = read_vectors("code.json").at("word_list");
  std::string file;
  for (std::size_t i = 0; i < kWordCount; ++i) file += std::string(word_at(i)) + "\n";
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), as_bytes(file).data(), file.size());
  EXPECT_EQ(list.at("count"), kWordCount);
  EXPECT_EQ(list.at("first"), word_at(0));
  EXPECT_EQ(list.at("last"), word_at(kWordCount - 1));
  EXPECT_EQ(text_of(list, "sha256"), to_hex(digest));
  EXPECT_EQ(read_specification("words.txt"), file);
  EXPECT_THAT(read_specification("code.md"), HasSubstr(text_of(list, "sha256")));
}

TEST(CodeVectors, CodesAreMadeAndReadAsSpecified) {
  const json vectors = read_vectors("code.json");
  const std::string page = read_specification("code.md");
  for (const json& row : vectors.at("made")) {
    const auto indices = row.at("indices").get<std::array<std::uint16_t, kWordsPerCode>>();
    const auto server = row.at("server").get<std::size_t>();
    const Code code(text_of(row, "nameplate"), CodeWords{indices}, server);
    EXPECT_EQ(code.canonical().reveal_text(), text_of(row, "canonical"));
    EXPECT_EQ(code.spoken().reveal_text(), text_of(row, "spoken"));
    expect_row(page,
               fmt::format("{} | {} | {}, {}, {}", server, quoted(text_of(row, "nameplate")),
                           indices[0], indices[1], indices[2]),
               quoted(text_of(row, "canonical")) + " | " + quoted(text_of(row, "spoken")));
  }
  for (const json& row : vectors.at("read")) {
    const auto code = parse_code(text_of(row, "typed"));
    ASSERT_TRUE(code) << row;
    EXPECT_EQ(code->canonical().reveal_text(), text_of(row, "canonical"));
    EXPECT_EQ(code->server(), row.at("server").get<std::size_t>());
    expect_row(page, quoted(text_of(row, "typed")),
               fmt::format("{} | {}", code->server(), quoted(text_of(row, "canonical"))));
  }
  for (const json& row : vectors.at("refused")) {
    EXPECT_FALSE(parse_code(text_of(row, "typed"))) << row;
    expect_row(page, quoted(text_of(row, "typed")), text_of(row, "because"));
  }
}

TEST(IceVectors, CandidatesAreReadAsSpecified) {
  const json vectors = read_vectors("ice.json");
  const std::string page = read_specification("ice.md");
  for (const json& row : vectors.at("candidates")) {
    const auto candidate = parse_candidate(text_of(row, "line"));
    ASSERT_TRUE(candidate) << row;
    EXPECT_EQ(format_candidate(*candidate), text_of(row, "canonical"));
    expect_row(page, quoted(text_of(row, "line")), quoted(text_of(row, "canonical")));
  }
  for (const json& row : vectors.at("refused_candidates")) {
    EXPECT_FALSE(parse_candidate(text_of(row, "line"))) << row;
    expect_row(page, quoted(text_of(row, "line")), text_of(row, "because"));
  }
}

TEST(IceVectors, MessagesAreReadAsSpecified) {
  const json vectors = read_vectors("ice.json");
  const std::string page = read_specification("ice.md");
  for (const json& row : vectors.at("messages")) {
    const auto parsed = parse_ice_message(text_of(row, "text"));
    ASSERT_TRUE(parsed) << row;
    EXPECT_EQ(parsed->message.generation, row.at("generation"));
    EXPECT_EQ(parsed->message.ufrag.value_or(""), row.value("ufrag", ""));
    EXPECT_EQ(parsed->message.password.value_or(""), row.value("pwd", ""));
    EXPECT_EQ(parsed->message.end_of_candidates, row.at("end"));
    EXPECT_EQ(parsed->refused_candidates, row.at("refused"));
    std::vector<std::string> lines;
    for (const Candidate& c : parsed->message.candidates) lines.push_back(format_candidate(c));
    EXPECT_EQ(json(lines), row.at("candidates"));
    // What was understood, written again, means the same.
    EXPECT_EQ(parse_ice_message(encode(parsed->message))->message, parsed->message);
    EXPECT_THAT(page, HasSubstr("\n    " + text_of(row, "text") + "\n"));
  }
  for (const json& row : vectors.at("refused_messages")) {
    EXPECT_FALSE(parse_ice_message(text_of(row, "text"))) << row;
    expect_row(page, quoted(text_of(row, "text")), text_of(row, "because"));
  }
}

ControlFrame offer_of(const json& row) {
  PortOffer offer;
  offer.mapping = row.at("mapping");
  const Bytes key = octets_of(row, "key");
  std::copy(key.begin(), key.end(), offer.key.begin());
  offer.external = {text_of(row, "address"), row.at("port")};
  offer.likely = row.at("likely").get<std::vector<std::uint16_t>>();
  return control::PortOffer{offer};
}

ControlFrame frame_of(const json& row) {
  const std::string type = text_of(row, "type");
  if (type == "smp") return control::Smp{octets_of(row, "body")};
  if (type == "hello") return control::Hello{*parse_mode(text_of(row, "mode")), row.at("name")};
  if (type == "ping") return control::Ping{row.at("token")};
  if (type == "pong") return control::Pong{row.at("token")};
  if (type == "drained") return control::Drained{};
  if (type == "ice") return control::Ice{row.at("json")};
  if (type == "credit") return control::Credit{row.at("stream"), row.at("octets")};
  if (type == "port offer") return offer_of(row);
  if (type == "goodbye") return control::Goodbye{row.at("cause"), row.at("reason")};
  return control::Unknown{row.at("number")};
}

Result<std::optional<ControlFrame>> read_one(const Bytes& octets) {
  ControlFrameReader reader;
  reader.push(octets);
  return reader.next();
}

TEST(ControlVectors, FramesAreWrittenAndReadAsSpecified) {
  const json vectors = read_vectors("control.json");
  const std::string page = read_specification("control.md");
  const std::pair<std::string, ControlType> types[] = {{"smp", ControlType::kSmp},
                                                       {"hello", ControlType::kHello},
                                                       {"ping", ControlType::kPing},
                                                       {"pong", ControlType::kPong},
                                                       {"drained", ControlType::kDrained},
                                                       {"goodbye", ControlType::kGoodbye},
                                                       {"credit", ControlType::kCredit},
                                                       {"ice", ControlType::kIce},
                                                       {"port offer", ControlType::kPortOffer}};
  for (const auto& [name, type] : types) {
    EXPECT_EQ(vectors.at("types").at(name), fmt::format("0x{:02x}", static_cast<int>(type)));
    EXPECT_THAT(page, HasSubstr(fmt::format("\n| 0x{:02x} | {} |", static_cast<int>(type), name)));
  }
  for (const json& row : vectors.at("written")) {
    EXPECT_EQ(to_hex(encode(frame_of(row))), text_of(row, "hex"));
    EXPECT_EQ(read_one(octets_of(row, "hex")).value(), frame_of(row)) << row;
    expect_row(page, quoted(text_of(row, "hex")), text_of(row, "because"));
  }
  for (const json& row : vectors.at("tolerated")) {
    EXPECT_EQ(read_one(octets_of(row, "hex")).value(), frame_of(row)) << row;
    expect_row(page, quoted(text_of(row, "hex")), text_of(row, "because"));
  }
  for (const json& row : vectors.at("refused")) {
    EXPECT_FALSE(read_one(octets_of(row, "hex"))) << row;
    expect_row(page, quoted(text_of(row, "hex")), text_of(row, "because"));
  }
}

TEST(TunnelVectors, StreamHeadersAreReadAsSpecified) {
  const json vectors = read_vectors("tunnel.json");
  const std::string page = read_specification("tunnel.md");
  EXPECT_EQ(to_hex(encode(StreamHeader{})), text_of(vectors.at("headers").at(0), "hex"));
  for (const json& row : vectors.at("headers")) {
    const auto parsed = parse_stream_header(octets_of(row, "hex"));
    ASSERT_TRUE(parsed && *parsed) << row;
    EXPECT_EQ((*parsed)->size, row.at("size"));
    expect_row(page, quoted(text_of(row, "hex")) + " | " + row.at("size").dump(),
               text_of(row, "because"));
  }
  for (const json& row : vectors.at("incomplete")) {
    const auto parsed = parse_stream_header(octets_of(row, "hex"));
    ASSERT_TRUE(parsed) << row;
    EXPECT_FALSE(*parsed) << row;
    expect_row(page, quoted(text_of(row, "hex")), text_of(row, "because"));
  }
  for (const json& row : vectors.at("refused")) {
    EXPECT_FALSE(parse_stream_header(octets_of(row, "hex"))) << row;
    expect_row(page, quoted(text_of(row, "hex")), text_of(row, "because"));
  }
}

TEST(TunnelVectors, ErrorCodesAreTheOnesSpecified) {
  const json vectors = read_vectors("tunnel.json");
  const std::string page = read_specification("tunnel.md");
  const auto check = [&](const char* table, const std::string& name, auto code) {
    const auto number = static_cast<std::uint64_t>(code);
    EXPECT_EQ(vectors.at(table).at(name), number) << name;
    EXPECT_THAT(page, HasSubstr(fmt::format("\n| {} | {} |", number, name)));
  };
  check("stream_errors", "none", StreamError::kNone);
  check("stream_errors", "aborted", StreamError::kAborted);
  check("stream_errors", "refused", StreamError::kRefused);
  check("stream_errors", "unreachable", StreamError::kUnreachable);
  check("stream_errors", "busy", StreamError::kBusy);
  check("stream_errors", "protocol", StreamError::kProtocol);
  check("session_errors", "done", SessionError::kDone);
  check("session_errors", "authentication_failed", SessionError::kAuthenticationFailed);
  check("session_errors", "protocol", SessionError::kProtocol);
  check("session_errors", "interrupted", SessionError::kInterrupted);
  check("session_errors", "internal", SessionError::kInternal);
}

}  // namespace
}  // namespace peersock::wire
