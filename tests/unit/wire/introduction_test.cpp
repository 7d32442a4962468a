#include "wire/introduction.hpp"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace peersock::wire {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr Mode kModes[] = {Mode::kConnect, Mode::kListen, Mode::kStdioA, Mode::kStdioB};

std::string hex64() {
  return std::string(62, '0') + "aB";  // 32 octets
}
json valid() {
  return {{"peersock",
           {{"version", 1},
            {"mode", "connect"},
            {"fingerprint", hex64()},
            {"capabilities", {"x"}},
            {"smp", "00aB"}}}};
}

TEST(Mode, NamesReadBack) {
  for (const Mode mode : kModes) EXPECT_EQ(parse_mode(to_string(mode)), mode);
  for (const std::string_view name : {"", "Listen", "listen ", "stdio", "mailbox"}) {
    EXPECT_EQ(parse_mode(name), std::nullopt) << name;
  }
}

TEST(Mode, ExactlyOneOpenerAndOneAcceptorFit) {
  std::string table;
  for (const Mode ours : kModes) {
    for (const Mode theirs : kModes) {
      if (mode_conflict(ours, theirs)) continue;
      table += std::string(to_string(ours)) + "+" + std::string(to_string(theirs)) + " ";
    }
  }
  EXPECT_EQ(table,
            "connect+listen connect+stdio-b listen+connect listen+stdio-a "
            "stdio-a+listen stdio-a+stdio-b stdio-b+connect stdio-b+stdio-a ");
}

TEST(Mode, ConflictsSayWhatRunsAndWhatToRunInstead) {
  EXPECT_EQ(mode_conflict(Mode::kListen, Mode::kListen),
            "This side and the other side both run \"peersock listen\", which cannot be joined: "
            "run \"peersock connect\" on one of the two");
  EXPECT_EQ(mode_conflict(Mode::kConnect, Mode::kConnect),
            "This side and the other side both run \"peersock connect\", which cannot be joined: "
            "run \"peersock listen\" on one of the two");
  EXPECT_EQ(mode_conflict(Mode::kStdioA, Mode::kStdioA),
            "This side and the other side both run \"peersock stdio-a\", which cannot be joined: "
            "run \"peersock stdio-b\" on one of the two");
  EXPECT_EQ(mode_conflict(Mode::kStdioB, Mode::kStdioB),
            "This side and the other side both run \"peersock stdio-b\", which cannot be joined: "
            "run \"peersock stdio-a\" on one of the two");
  EXPECT_EQ(mode_conflict(Mode::kListen, Mode::kStdioB),
            "This side runs \"peersock listen\" and the other side \"peersock stdio-b\", which "
            "cannot be joined: run \"peersock stdio-a\" on this side, or \"peersock connect\" on "
            "the other side");
  EXPECT_EQ(mode_conflict(Mode::kStdioA, Mode::kConnect),
            "This side runs \"peersock stdio-a\" and the other side \"peersock connect\", which "
            "cannot be joined: run \"peersock listen\" on this side, or \"peersock stdio-b\" on "
            "the other side");
}

/// The modes that a sentence names, in its order.
std::vector<Mode> named_modes(const std::string& sentence) {
  static const std::regex command("\"peersock ([a-z-]+)\"");
  std::vector<Mode> modes;
  for (std::sregex_iterator it(sentence.begin(), sentence.end(), command), end; it != end; ++it) {
    modes.push_back(parse_mode((*it)[1].str()).value());
  }
  return modes;
}

TEST(Mode, WhatAConflictAdvisesFits) {
  for (const Mode ours : kModes) {
    for (const Mode theirs : kModes) {
      const auto sentence = mode_conflict(ours, theirs);
      if (!sentence) continue;
      const auto modes = named_modes(*sentence);
      if (ours == theirs) {
        ASSERT_THAT(modes, SizeIs(2));
        EXPECT_EQ(mode_conflict(modes[1], theirs), std::nullopt) << *sentence;
      } else {
        ASSERT_THAT(modes, SizeIs(4));
        EXPECT_EQ(mode_conflict(modes[2], theirs), std::nullopt) << *sentence;
        EXPECT_EQ(mode_conflict(ours, modes[3]), std::nullopt) << *sentence;
      }
    }
  }
}

TEST(Introduction, EncodesAsSpecified) {
  Introduction introduction;
  introduction.mode = Mode::kConnect;
  introduction.fingerprint.back() = 0xab;
  introduction.capabilities = {"x"};
  introduction.smp = {0, 0xab};
  EXPECT_EQ(encode(introduction).dump(), R"({"peersock":{"capabilities":["x"],"fingerprint":")" +
                                             std::string(62, '0') +
                                             R"(ab","mode":"connect","smp":"00ab","version":1}})");
}

TEST(Introduction, ReadsAndIgnoresWhatItDoesNotKnow) {
  json text = valid();
  text["other"] = 1;
  text["peersock"]["more"] = {1, 2};
  text["peersock"]["capabilities"] = {"one",
                                      2,
                                      nullptr,
                                      "",
                                      "two",
                                      "not printable\n",
                                      "a b",
                                      std::string(65, 'x'),
                                      std::string(64, 'y')};
  const auto read = parse_introduction(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->mode, Mode::kConnect);
  EXPECT_EQ(read->fingerprint.back(), 0xab);
  EXPECT_EQ(read->smp, (Bytes{0, 0xab}));
  EXPECT_THAT(read->capabilities, ElementsAre("one", "two", std::string(64, 'y')));
  text["peersock"].erase("capabilities");
  EXPECT_THAT(parse_introduction(text)->capabilities, SizeIs(0));
}

TEST(Introduction, BoundsTheCapabilities) {
  json text = valid();
  text["peersock"]["capabilities"] = std::vector<std::string>(10000, "x");
  EXPECT_THAT(parse_introduction(text)->capabilities, SizeIs(32));
}

TEST(Introduction, AnOpenerHasNoFirstMessageOfTheProof) {
  json text = valid();
  text["peersock"]["mode"] = "listen";
  EXPECT_EQ(parse_introduction(text)->smp, Bytes());
  text["peersock"].erase("smp");
  EXPECT_TRUE(parse_introduction(text));
  text["peersock"]["mode"] = "connect";
  EXPECT_FALSE(parse_introduction(text));
}

TEST(Introduction, RefusesBadFields) {
  struct Case {
    std::string key;
    json value;
    ErrorKind kind;
    std::string_view says;
  };
  const auto lost = ErrorKind::kConnectionLost;
  const auto other = ErrorKind::kIncompatible;
  const Case cases[] = {
      {"version", nullptr, lost, "unusable \"version\""},
      {"version", "1", lost, "unusable \"version\""},
      {"version", 1.0, lost, "unusable \"version\""},
      {"version", -1, lost, "unusable \"version\""},
      {"version", 1e30, lost, "unusable \"version\""},
      {"version", 5000000000, lost, "unusable \"version\""},
      {"version", 2, other,
       "version 2 of the protocol and this side version 1: update peersock on "
       "this side"},
      {"version", 0, other, "update peersock on the other side"},
      {"mode", nullptr, lost, "unusable \"mode\""},
      {"mode", 3, lost, "unusable \"mode\""},
      {"mode", "proxy\x1b[2J", other, "runs \"proxy[2J\", which this side does not know"},
      {"fingerprint", nullptr, lost, "unusable \"fingerprint\""},
      {"fingerprint", "", lost, "unusable \"fingerprint\""},
      {"fingerprint", std::string(62, '0'), lost, "unusable \"fingerprint\""},
      {"fingerprint", std::string(66, '0'), lost, "unusable \"fingerprint\""},
      {"fingerprint", std::string(64, 'g'), lost, "unusable \"fingerprint\""},
      {"fingerprint", json::array(), lost, "unusable \"fingerprint\""},
      {"capabilities", "x", lost, "unusable \"capabilities\""},
      {"capabilities", json::object(), lost, "unusable \"capabilities\""},
      {"smp", nullptr, lost, "unusable \"smp\""},
      {"smp", json::array(), lost, "unusable \"smp\""},
      {"smp", "", lost, "unusable \"smp\""},
      {"smp", "abc", lost, "unusable \"smp\""},
      {"smp", "0g", lost, "unusable \"smp\""},
      {"smp", std::string(kMaxFirstMessage * 2 + 2, '0'), lost, "unusable \"smp\""},
  };
  for (const Case& c : cases) {
    json text = valid();
    text["peersock"][c.key] = c.value;
    const auto read = parse_introduction(text);
    ASSERT_FALSE(read) << text.dump();
    EXPECT_EQ(read.error().kind, c.kind) << text.dump();
    EXPECT_THAT(read.error().message, HasSubstr(c.says));
  }
}

TEST(Introduction, ANewerVersionMayLookDifferent) {
  const auto read = parse_introduction({{"peersock", {{"version", 7}, {"mode", 12}}}});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kIncompatible);
}

TEST(Introduction, SaysWhenThePeerIsAnotherProgram) {
  for (const char* text : {"{}", "[]", "null", "3", R"({"transfer":{}})", R"({"peersock":null})"}) {
    const auto read = parse_introduction(json::parse(text));
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::kIncompatible);
    EXPECT_THAT(read.error().message, HasSubstr("another program"));
  }
  EXPECT_THAT(parse_introduction({{"peersock", 1}}).error().message,
              HasSubstr("unusable \"peersock\""));
}

RC_GTEST_PROP(IntroductionProperty, ReadsBackWhatItWrote, ()) {
  Introduction made;
  made.mode = *rc::gen::elementOf(std::vector<Mode>(std::begin(kModes), std::end(kModes)));
  for (auto& octet : made.fingerprint) octet = *rc::gen::arbitrary<std::uint8_t>();
  if (!is_opener(made.mode)) {
    const auto size = *rc::gen::inRange<std::size_t>(1, kMaxFirstMessage + 1);
    made.smp = *rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>());
  }
  const auto read = parse_introduction(json::parse(encode(made).dump()));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->mode == made.mode);
  RC_ASSERT(read->fingerprint == made.fingerprint);
  RC_ASSERT(read->smp == made.smp);
}

}  // namespace
}  // namespace peersock::wire
