#include "wire/ice_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kPassword = "0123456789abcdefghijkl";  // 22 characters, the fewest

std::string host_line(int number) {
  return "candidate:" + std::to_string(number) + " 1 udp 1 192.0.2.1 9 typ host";
}

std::string message_with_lines(int count) {
  std::string text = R"({"ice":{"generation":0,"candidates":[)";
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    text += '"' + host_line(i) + '"';
  }
  return text + "]}}";
}

TEST(IceMessage, EncodesAsSpecified) {
  IceMessage message;
  message.generation = 2;
  message.ufrag = "abcd";
  message.password = kPassword;
  message.candidates.push_back(*parse_candidate(host_line(1)));
  message.end_of_candidates = true;
  EXPECT_EQ(encode(message),
            R"({"ice":{"candidates":["candidate:1 1 udp 1 192.0.2.1 9 typ host"],"end":true,)"
            R"("generation":2,"pwd":"0123456789abcdefghijkl","ufrag":"abcd"}})");
  EXPECT_EQ(encode(IceMessage{}), R"({"ice":{"generation":0}})");
}

TEST(IceMessage, ReadsBackWhatItWrote) {
  IceMessage message;
  message.generation = 4294967295;
  message.ufrag = std::string(256, '+');
  message.password = std::string(256, '/');
  for (int i = 0; i < 5; ++i) message.candidates.push_back(*parse_candidate(host_line(i)));
  const auto read = parse_ice_message(encode(message));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->message, message);
  EXPECT_EQ(read->refused_candidates, 0U);
}

TEST(IceMessage, IgnoresWhatItDoesNotKnow) {
  const auto read = parse_ice_message(
      R"({"ice":{"generation":1,"lite":true,"more":{"a":[1]},"end":false,"ufrag":null},"x":0})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->message.generation, 1U);
  EXPECT_EQ(read->message.ufrag, std::nullopt);
  EXPECT_THAT(read->message.candidates, IsEmpty());
  EXPECT_FALSE(read->message.end_of_candidates);
}

TEST(IceMessage, SkipsAndCountsBadCandidates) {
  const auto read = parse_ice_message(
      R"({"ice":{"generation":0,"candidates":["candidate:1 1 udp 1 192.0.2.1 9 typ host",17,null,)"
      R"(["candidate:1 1 udp 1 192.0.2.1 9 typ host"],"","candidate:2 1 udp 1 x.local 9 typ host",)"
      R"("candidate:3 1 udp 1 192.0.2.3 9 typ host"]}})");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_THAT(read->message.candidates, SizeIs(2));
  EXPECT_EQ(read->message.candidates[1].address, "192.0.2.3");
  EXPECT_EQ(read->refused_candidates, 5U);
}

TEST(IceMessage, KeepsTheFirstOfThousandsOfCandidates) {
  const auto read = parse_ice_message(message_with_lines(10000));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_THAT(read->message.candidates, SizeIs(kMaxCandidates));
  EXPECT_EQ(read->message.candidates.back().foundation, "63");
  EXPECT_EQ(read->refused_candidates, 10000 - kMaxCandidates);
  EXPECT_THAT(parse_ice_message(message_with_lines(100000)).error().message, HasSubstr("too long"));
}

TEST(IceMessage, RefusesWhatIsNotOfThisForm) {
  struct Case {
    std::string text;
    std::string_view says;
  };
  const auto with = [](std::string_view members) {
    return R"({"ice":{"generation":0,)" + std::string(members) + "}}";
  };
  const std::string pwd(kPassword);
  const Case cases[] = {
      {"", "not JSON"},
      {"nonsense", "not JSON"},
      {R"({"ice":)", "not JSON"},
      {"{\"ice\":{\"generation\":0,\"ufrag\":\"\xff\xff\xff\xff\"}}", "not JSON"},
      {std::string(100, '['), "not JSON"},
      {R"({"ice":{"generation":0,"x":)" + std::string(31, '[') + std::string(31, ']') + "}}",
       "too deeply nested"},
      {std::string(kMaxIceMessage + 1, ' '), "too long"},
      {"{}", "without \"ice\""},
      {"[]", "without \"ice\""},
      {"7", "without \"ice\""},
      {R"({"ice":null})", "without \"ice\""},
      {R"({"ice":[]})", "without \"ice\""},
      {R"({"ice":{}})", "\"generation\""},
      {R"({"ice":{"generation":"0"}})", "\"generation\""},
      {R"({"ice":{"generation":-1}})", "\"generation\""},
      {R"({"ice":{"generation":0.5}})", "\"generation\""},
      {R"({"ice":{"generation":4294967296}})", "\"generation\""},
      {with(R"("ufrag":"abcd")"), "\"pwd\""},
      {with(R"("pwd":")" + pwd + '"'), "\"ufrag\""},
      {with(R"("ufrag":7,"pwd":")" + pwd + '"'), "\"ufrag\""},
      {with(R"("ufrag":"abc","pwd":")" + pwd + '"'), "\"ufrag\""},
      {with(R"("ufrag":"ab cd","pwd":")" + pwd + '"'), "\"ufrag\""},
      {with(R"("ufrag":")" + std::string(257, 'a') + R"(","pwd":")" + pwd + '"'), "\"ufrag\""},
      {with(R"("ufrag":"abcd","pwd":[])"), "\"pwd\""},
      {with(R"("ufrag":"abcd","pwd":")" + std::string(21, 'a') + '"'), "\"pwd\""},
      {with(R"("ufrag":"abcd","pwd":")" + std::string(257, 'a') + '"'), "\"pwd\""},
      {with(R"("ufrag":"abcd","pwd":")" + std::string(22, '-') + '"'), "\"pwd\""},
      {with(R"("candidates":"candidate:1")"), "\"candidates\""},
      {with(R"("candidates":{})"), "\"candidates\""},
      {with(R"("end":1)"), "\"end\""},
      {with(R"("end":"true")"), "\"end\""},
  };
  for (const Case& c : cases) {
    const auto read = parse_ice_message(c.text);
    ASSERT_FALSE(read) << c.text.substr(0, 200);
    EXPECT_EQ(read.error().kind, ErrorKind::kConnectionLost);
    EXPECT_THAT(read.error().message, HasSubstr(c.says)) << c.text.substr(0, 200);
  }
}

TEST(IceMessage, ErrorsNeverRepeatThePassword) {
  const auto read = parse_ice_message(
      R"({"ice":{"generation":0,"ufrag":"abcd","pwd":"hidden-hidden-hidden-x"}})");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.find("hidden"), std::string::npos);
}

}  // namespace
}  // namespace peersock::wire
