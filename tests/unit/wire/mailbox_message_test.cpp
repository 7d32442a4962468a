#include "wire/mailbox_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::wire {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename T>
T read(std::string_view frame) {
  const auto parsed = parse_reply(frame);
  if (!parsed) {
    ADD_FAILURE() << parsed.error().what;
    return {};
  }
  const T* found = std::get_if<T>(&*parsed);
  if (found == nullptr) {
    ADD_FAILURE() << "another type: index " << parsed->index();
    return {};
  }
  return *found;
}

TEST(MailboxRequest, EncodesEachType) {
  const auto check = [](const MailboxRequest& request, std::string_view expected) {
    EXPECT_EQ(json::parse(encode(request)), json::parse(expected));
  };
  check(request::Bind{"app", "s1"}, R"({"type":"bind","appid":"app","side":"s1"})");
  check(request::List{}, R"({"type":"list"})");
  check(request::Allocate{}, R"({"type":"allocate"})");
  check(request::Claim{"4"}, R"({"type":"claim","nameplate":"4"})");
  check(request::Release{}, R"({"type":"release"})");
  check(request::Release{"4"}, R"({"type":"release","nameplate":"4"})");
  check(request::Open{"mb"}, R"({"type":"open","mailbox":"mb"})");
  check(request::Add{"pake", "00ff"}, R"({"type":"add","phase":"pake","body":"00ff"})");
  check(request::Close{}, R"({"type":"close"})");
  check(request::Close{"mb", "happy"}, R"({"type":"close","mailbox":"mb","mood":"happy"})");
  check(request::Ping{7}, R"({"type":"ping","ping":7})");
}

TEST(MailboxRequest, EncodesOctetsThatAreNotUtf8WithoutThrowing) {
  EXPECT_THAT(encode(request::Open{"\xff\xfe"}), HasSubstr("open"));
}

TEST(MailboxRequest, MoodsHaveTheirProtocolNames) {
  EXPECT_EQ(to_string(Mood::kHappy), "happy");
  EXPECT_EQ(to_string(Mood::kLonely), "lonely");
  EXPECT_EQ(to_string(Mood::kScary), "scary");
  EXPECT_EQ(to_string(Mood::kErrory), "errory");
}

TEST(MailboxReply, ReadsEachTypeAndIgnoresWhatItDoesNotKnow) {
  const auto welcome = read<reply::Welcome>(
      R"({"type":"welcome","server_tx":1.5,"welcome":{"motd":"hi","current_cli_version":"0.1",
          "your-address":"192.0.2.1","more":[1,{"a":null}]}})");
  EXPECT_EQ(welcome.motd, "hi");
  EXPECT_EQ(welcome.error, std::nullopt);
  EXPECT_FALSE(welcome.permission_required);
  read<reply::Ack>(R"({"type":"ack","id":"x","server_tx":1})");
  read<reply::Ack>(R"({"type":"ack"})");
  EXPECT_THAT(read<reply::Nameplates>(
                  R"({"type":"nameplates","nameplates":[{"id":"1"},{"id":"22","x":0}]})")
                  .ids,
              ElementsAre("1", "22"));
  EXPECT_THAT(read<reply::Nameplates>(R"({"type":"nameplates","nameplates":[]})").ids, IsEmpty());
  EXPECT_EQ(read<reply::Allocated>(R"({"type":"allocated","nameplate":"007"})").nameplate, "007");
  EXPECT_EQ(read<reply::Claimed>(R"({"type":"claimed","mailbox":"qa2"})").mailbox, "qa2");
  read<reply::Released>(R"({"type":"released"})");
  read<reply::Closed>(R"({"type":"closed"})");
  read<reply::Pong>(R"({"type":"pong","pong":[1]})");
  const auto message = read<reply::Message>(
      R"({"type":"message","side":"s","phase":"0","body":"zz","id":null,"server_rx":2})");
  EXPECT_EQ(message.side, "s");
  EXPECT_EQ(message.phase, "0");
  EXPECT_EQ(message.body, "zz");
  EXPECT_EQ(read<reply::Unknown>(R"({"type":"shiny"})").type, "shiny");
  EXPECT_EQ(read<reply::Unknown>(R"({"type":""})").type, "");
}

TEST(MailboxReply, WelcomeMayRefuseOrAskForPermission) {
  EXPECT_EQ(read<reply::Welcome>(R"({"type":"welcome","welcome":{"error":"go away"}})").error,
            "go away");
  EXPECT_EQ(read<reply::Welcome>(R"({"type":"welcome","welcome":{"motd":null}})").motd,
            std::nullopt);
  const auto permission = [](std::string_view methods) {
    return read<reply::Welcome>(R"({"type":"welcome","welcome":{"permission-required":)" +
                                std::string(methods) + "}}")
        .permission_required;
  };
  EXPECT_TRUE(permission(R"({"hashcash":{"bits":6,"resource":"r"}})"));
  EXPECT_TRUE(permission("{}"));
  EXPECT_FALSE(permission(R"({"none":{},"hashcash":{}})"));
  EXPECT_FALSE(permission("null"));
}

TEST(MailboxReply, ServerErrorsKeepTheTypeThatTheyAnswer) {
  const auto error = read<reply::ServerError>(
      R"({"type":"error","error":"crowded","orig":{"type":"claim","nameplate":"4"}})");
  EXPECT_EQ(error.error, "crowded");
  EXPECT_EQ(error.orig_type, "claim");
  for (const std::string_view orig : {"null", "[]", "3", "{}", R"({"type":4})"}) {
    const auto frame = R"({"type":"error","error":"e","orig":)" + std::string(orig) + "}";
    EXPECT_EQ(read<reply::ServerError>(frame).orig_type, std::nullopt) << orig;
  }
}

TEST(MailboxReply, TextForPeopleIsCleanAndBounded) {
  EXPECT_EQ(read<reply::Welcome>("{\"type\":\"welcome\",\"welcome\":{\"motd\":"
                                 "\"a\\u001b[31mb\\nc\\u0000\\u009b2J \\u202eüd\"}}")
                .motd,
            "a[31mb c2J üd");
  const std::string flood(5000, 'x');
  EXPECT_EQ(read<reply::Welcome>(R"({"type":"welcome","welcome":{"motd":")" + flood + "\"}}")
                .motd->size(),
            1000U);
  EXPECT_EQ(read<reply::ServerError>(R"({"type":"error","error":")" + flood + "\"}").error.size(),
            1000U);
  EXPECT_EQ(read<reply::Unknown>(R"({"type":")" + flood + "\"}").type.size(), 64U);
}

struct BadCase {
  std::string frame;
  std::string_view says;
};

std::string nested(std::size_t depth) {
  return R"({"type":"ack","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

TEST(MailboxReply, RefusesBadFramesWithASentence) {
  const BadCase cases[] = {
      {"", "not JSON"},
      {"hello", "not JSON"},
      {"{", "not JSON"},
      {R"({"type":"ack"} x)", "not JSON"},
      {R"({"type":"ack",})", "not JSON"},
      {R"({'type':'ack'})", "not JSON"},
      {"{\"type\":\"ac\xff\"}", "not JSON"},
      {std::string("{\"type\":\"ack\"}\0", 15), "not JSON"},
      {R"({"type":"ack","x":1e999})", "not JSON"},
      {R"({"type":"ack","x":"\ud800"})", "not JSON"},
      {"[]", "not an object"},
      {"null", "not an object"},
      {"\"ack\"", "not an object"},
      {"17", "not an object"},
      {"{}", "without a type"},
      {R"({"type":null})", "without a type"},
      {R"({"type":5})", "without a type"},
      {R"({"type":["ack"]})", "without a type"},
      {R"({"type":"welcome"})", "\"welcome\" without a usable \"welcome\""},
      {R"({"type":"welcome","welcome":null})", "usable \"welcome\""},
      {R"({"type":"welcome","welcome":"hi"})", "usable \"welcome\""},
      {R"({"type":"welcome","welcome":{"motd":5}})", "usable \"motd\""},
      {R"({"type":"welcome","welcome":{"error":{}}})", "usable \"error\""},
      {R"({"type":"welcome","welcome":{"permission-required":true}})",
       "usable \"permission-required\""},
      {R"({"type":"nameplates"})", "usable \"nameplates\""},
      {R"({"type":"nameplates","nameplates":{}})", "usable \"nameplates\""},
      {R"({"type":"nameplates","nameplates":["4"]})", "usable \"id\""},
      {R"({"type":"nameplates","nameplates":[{"id":4}]})", "usable \"id\""},
      {R"({"type":"nameplates","nameplates":[{}]})", "usable \"id\""},
      {R"({"type":"allocated"})", "usable \"nameplate\""},
      {R"({"type":"allocated","nameplate":4})", "usable \"nameplate\""},
      {R"({"type":"allocated","nameplate":""})", "usable \"nameplate\""},
      {R"({"type":"allocated","nameplate":"4\n"})", "usable \"nameplate\""},
      {R"({"type":"allocated","nameplate":"\u0664"})", "usable \"nameplate\""},
      {R"({"type":"allocated","nameplate":")" + std::string(41, '1') + "\"}",
       "usable \"nameplate\""},
      {R"({"type":"claimed"})", "usable \"mailbox\""},
      {R"({"type":"claimed","mailbox":{}})", "usable \"mailbox\""},
      {R"({"type":"message","phase":"0","body":""})", "usable \"side\""},
      {R"({"type":"message","side":"s","body":""})", "usable \"phase\""},
      {R"({"type":"message","side":"s","phase":0,"body":""})", "usable \"phase\""},
      {R"({"type":"message","side":"s","phase":"0"})", "usable \"body\""},
      {R"({"type":"message","side":"s","phase":"0","body":{"a":1}})", "usable \"body\""},
      {R"({"type":"error"})", "usable \"error\""},
      {R"({"type":"error","error":[]})", "usable \"error\""},
      {std::string(kMaxMailboxFrame + 1, ' '), "too long"},
      {nested(32), "too deeply nested"},
      {nested(1000000), "too deeply nested"},
      {std::string(1000000, '['), "too deeply nested"},
  };
  for (const BadCase& c : cases) {
    const auto parsed = parse_reply(c.frame);
    ASSERT_FALSE(parsed) << c.frame.substr(0, 100);
    EXPECT_THAT(parsed.error().what, HasSubstr(c.says)) << c.frame.substr(0, 100);
  }
}

TEST(MailboxReply, AcceptsWhatIsJustWithinTheLimits) {
  read<reply::Ack>(nested(31));
  // Brackets inside strings are no nesting, escaped quotes do not end a string.
  const std::string brackets(100, '[');
  read<reply::Ack>(R"({"type":"ack","x":")" + brackets + R"(\")" + brackets + R"(\\"})");
  std::string large = R"({"type":"message","side":"s","phase":"0","body":")";
  large += std::string(kMaxMailboxFrame - large.size() - 2, 'a') + "\"}";
  EXPECT_EQ(large.size(), kMaxMailboxFrame);
  EXPECT_GT(read<reply::Message>(large).body.size(), 4'000'000U);
}

TEST(MailboxReply, RefusesMoreValuesThanAnyServerSendsInGoodFaith) {
  std::string flood = R"({"type":"ack","x":[0)";
  for (int i = 0; i < 100000; ++i) flood += ",0";
  EXPECT_FALSE(parse_reply(flood + "]}"));
}

}  // namespace
}  // namespace peersock::wire
