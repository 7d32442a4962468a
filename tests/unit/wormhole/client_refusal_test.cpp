// Conversations that must end: what the server or the peer did wrong, and what we say to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_driver.hpp"

namespace peersock::wormhole {
namespace {

using nlohmann::json;
using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string pake_frame(const std::string& text) {
  return message_frame(kPeerSide, "pake", to_hex(as_bytes(text)));
}

/// The client gave up with this kind, and no longer reacts to anything.
void expect_over(Driver& d, ErrorKind kind) {
  ASSERT_TRUE(d.error);
  EXPECT_EQ(d.error->kind, kind) << d.error->message;
  EXPECT_EQ(d.state(), "Done");
  EXPECT_EQ(d.client.deadline(), std::nullopt);
  static_cast<void>(d.take());
  d.say(welcome_frame());
  d.lose();
  d.up();
  d.queue("x");
  d.close();
  d.sleep(std::chrono::hours(1));
  EXPECT_THAT(d.take(), IsEmpty());
}

// ---- the peer ----

TEST(ClientRefusal, AnotherCodeIsAnAuthenticationFailureForBoth) {
  Driver d;
  FakePeer peer(kOtherCode);
  d.queue("secret");
  advance(d, peer, Step::kAwaitVersion);
  static_cast<void>(d.take());
  d.say(peer.version());
  EXPECT_THAT(d.take(), ElementsAre("close mailbox-1 scary", "CloseLink", "Failed authentication"));
  EXPECT_EQ(peer.read(d, "version"), std::nullopt);
  EXPECT_EQ(peer.read(d, "0"), std::nullopt);
  EXPECT_THAT(d.error->message, HasSubstr("another code"));
  expect_over(d, ErrorKind::kAuthentication);
}

TEST(ClientRefusal, AChangedVersionIsAnAuthenticationFailure) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  d.say(message_frame(kPeerSide, "version", "00"));
  expect_over(d, ErrorKind::kAuthentication);
}

TEST(ClientRefusal, AVersionUnderAnotherSideOrPhaseDoesNotOpen) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  const auto zero = json::parse(peer.sealed("0", R"({"app_versions":{}})"));
  d.say(message_frame(kPeerSide, "version", zero.at("body")));
  expect_over(d, ErrorKind::kAuthentication);
}

TEST(ClientRefusal, OurOwnVersionSentBackDoesNotOpen) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  d.say(message_frame(kPeerSide, "version", d.body_of("version")));
  expect_over(d, ErrorKind::kAuthentication);
}

TEST(ClientRefusal, AChangedMessageIsAnAuthenticationFailure) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  auto changed = json::parse(peer.sealed("0", "hello"));
  auto body = changed.at("body").get<std::string>();
  body.back() = body.back() == '0' ? '1' : '0';
  static_cast<void>(d.take());
  d.say(message_frame(kPeerSide, "0", body));
  EXPECT_THAT(d.take(), ElementsAre("close mailbox-1 scary", "CloseLink", "Failed authentication"));
  EXPECT_THAT(d.payloads, IsEmpty());
  expect_over(d, ErrorKind::kAuthentication);
}

TEST(ClientRefusal, AMessageThatWasHeldIsCheckedToo) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitVersion);
  d.say(message_frame(kPeerSide, "0", std::string(100, '0')));
  d.say(peer.version());
  expect_over(d, ErrorKind::kAuthentication);
}

TEST(ClientRefusal, UnreadablePakes) {
  const std::string nested = std::string(100, '[') + std::string(100, ']');
  for (const std::string& text :
       {std::string(), std::string("nonsense"), std::string("[]"), std::string("{}"),
        std::string(R"({"pake_v1":1})"), std::string(R"({"pake_v1":"5"})"),
        std::string(R"({"pake_v1":"zz"})"), std::string(R"({"pake_v1":""})"),
        std::string(R"({"pake_v1":"53)") + std::string(64, '0') + R"("})",
        R"({"pake_v1":")" + std::string(10000, '0') + R"("})", R"({"pake_v1":)" + nested + "}",
        std::string("\xff\xfe")}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, Step::kAwaitPake);
    static_cast<void>(d.take());
    d.say(pake_frame(text));
    EXPECT_THAT(d.take(), ElementsAre("release 8", "close mailbox-1 errory", "CloseLink",
                                      "Failed connection_lost"))
        << text;
    expect_over(d, ErrorKind::kConnectionLost);
  }
}

TEST(ClientRefusal, UnknownMembersOfThePakeAreIgnored) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  auto body = json::parse(
      as_text(from_hex(json::parse(peer.pake()).at("body").get<std::string>()).value()));
  body["pake_v2"] = {1, 2, 3};
  d.say(pake_frame(body.dump()));
  EXPECT_EQ(d.state(), "AwaitVersion");
}

TEST(ClientRefusal, OurOwnPakeReflected) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kAwaitPake);
  d.say(message_frame(kPeerSide, "pake", d.body_of("pake")));
  EXPECT_THAT(d.error->message, HasSubstr("copy of ours"));
  expect_over(d, ErrorKind::kConnectionLost);
}

TEST(ClientRefusal, TwoDifferentPakes) {
  for (const Step step : {Step::kAwaitVersion, Step::kVerified}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, step);
    d.say(pake_frame("{}"));
    EXPECT_THAT(d.error->message, HasSubstr("two different key exchange messages"));
    expect_over(d, ErrorKind::kConnectionLost);
  }
}

TEST(ClientRefusal, BodiesThatAreNotHexadecimal) {
  for (const char* phase : {"pake", "version", "0", "7"}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, Step::kAwaitPake);
    d.say(message_frame(kPeerSide, phase, "0g"));
    expect_over(d, ErrorKind::kConnectionLost);
  }
}

TEST(ClientRefusal, IntroductionsThatCannotBeRead) {
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("7"), std::string("{"),
        std::string(R"({"app_versions":[]})"), std::string(R"({"app_versions":"x"})"),
        R"({"app_versions":{"x":")" + std::string(70000, 'x') + R"("}})"}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, Step::kAwaitVersion);
    d.say(peer.sealed("version", text));
    expect_over(d, ErrorKind::kConnectionLost);
  }
}

TEST(ClientRefusal, AThirdSideInTheMailbox) {
  for (const Step step : {Step::kAwaitVersion, Step::kVerified}) {
    for (const char* phase : {"pake", "version", "0", "some other"}) {
      Driver d;
      FakePeer peer;
      advance(d, peer, step);
      static_cast<void>(d.take());
      d.say(message_frame("c0ffee", phase, "00"));
      EXPECT_THAT(d.error->message, HasSubstr("Someone else used this code"));
      expect_over(d, ErrorKind::kCodeInUse);
    }
  }
}

TEST(ClientRefusal, UnusableSideNames) {
  for (const auto& side : {std::string(), std::string(kMaxIdLength + 1, 's')}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, Step::kAwaitPake);
    d.say(message_frame(side, "pake", "00"));
    expect_over(d, ErrorKind::kConnectionLost);
  }
}

TEST(ClientRefusal, MoreEarlyPhasesThanAreKept) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.say(peer.sealed(std::to_string(kMaxPendingPhases - 1), "last that is kept"));
  EXPECT_EQ(d.state(), "Verified");
  d.say(peer.sealed(std::to_string(kMaxPendingPhases), "one too far"));
  expect_over(d, ErrorKind::kConnectionLost);

  Driver far;
  FakePeer far_peer;
  advance(far, far_peer, Step::kAwaitPake);
  far.say(message_frame(kPeerSide, "99999999999999999999999999", "00"));
  expect_over(far, ErrorKind::kConnectionLost);
}

TEST(ClientRefusal, MoreEarlyOctetsThanAreKept) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  const std::string mebibyte(std::size_t{1} << 21, 'a');
  for (int phase = 1; phase <= 4; ++phase) {
    EXPECT_EQ(d.state(), "Verified");
    d.say(message_frame(kPeerSide, std::to_string(phase), mebibyte));
  }
  EXPECT_EQ(d.state(), "Verified");
  d.say(message_frame(kPeerSide, "5", "aa"));
  expect_over(d, ErrorKind::kConnectionLost);
}

// ---- our own application ----

TEST(ClientRefusal, MorePayloadsThanTheServerConfirms) {
  for (const bool agreed : {true, false}) {
    Driver d;
    FakePeer peer;
    if (agreed) {
      advance(d, peer, Step::kAwaitVersion);
      d.echo("version");
    }
    for (std::size_t i = 0; i < kMaxPendingPhases; ++i) d.queue("x");
    EXPECT_FALSE(d.error);
    d.queue("x");
    expect_over(d, ErrorKind::kRendezvousUnreachable);
  }
}

TEST(ClientRefusal, ConfirmedPayloadsMakeRoom) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  d.echo("version");
  for (std::size_t i = 0; i < 3 * kMaxPendingPhases; ++i) {
    d.queue("x");
    d.echo(std::to_string(i));
  }
  EXPECT_EQ(d.state(), "Verified");
}

TEST(ClientRefusal, APayloadThatIsTooLarge) {
  Driver d;
  d.queue(std::string(kMaxPendingOctets + 1, 'x'));
  expect_over(d, ErrorKind::kRendezvousUnreachable);
}

// ---- the server ----

struct ServerCase {
  std::string frame;
  ErrorKind kind;
  std::string says;
};

TEST(ClientRefusal, WhatAServerMaySayToEndIt) {
  const std::vector<ServerCase> cases = {
      {error_frame("crowded", "claim"), ErrorKind::kCodeInUse, "Someone else used this code"},
      {error_frame("crowded", "open"), ErrorKind::kCodeInUse, "make a new code"},
      {error_frame("reclaimed", "claim"), ErrorKind::kCodeInUse, "used before"},
      {error_frame("only one \x1b[2Jclaim", "claim"), ErrorKind::kRendezvousUnreachable,
       "refused \"claim\" (only one [2Jclaim)"},
      {R"({"type":"error","error":"out of tea"})", ErrorKind::kRendezvousUnreachable,
       "reported an error (out of tea)"},
      {R"({"type":"welcome","welcome":{"error":"closed on sundays"}})",
       ErrorKind::kRendezvousUnreachable, "(closed on sundays)"},
      {R"({"type":"welcome","welcome":{"permission-required":{"hashcash":{"bits":20}}}})",
       ErrorKind::kRendezvousUnreachable, "permission"},
      {"GET / HTTP/1.1", ErrorKind::kRendezvousUnreachable, "not JSON"},
      {"[]", ErrorKind::kRendezvousUnreachable, "object"},
      {"{}", ErrorKind::kRendezvousUnreachable, "type"},
      {R"({"type":"claimed"})", ErrorKind::kRendezvousUnreachable, "mailbox"},
      {R"({"type":"message","side":"x"})", ErrorKind::kRendezvousUnreachable, "phase"},
      {std::string(wire::kMaxMailboxFrame + 1, ' '), ErrorKind::kRendezvousUnreachable, "too long"},
  };
  for (const Step step : {Step::kClaiming, Step::kAwaitPake, Step::kVerified}) {
    for (const auto& row : cases) {
      Driver d;
      FakePeer peer;
      advance(d, peer, step);
      static_cast<void>(d.take());
      d.say(row.frame);
      const auto did = d.take();
      ASSERT_TRUE(d.error) << row.frame;
      EXPECT_THAT(d.error->message, HasSubstr(row.says));
      EXPECT_EQ(
          std::ranges::count(did, step == Step::kClaiming ? "release 8" : "close mailbox-1 errory"),
          1);
      EXPECT_EQ(did.at(did.size() - 2), "CloseLink");
      expect_over(d, row.kind);
    }
  }
}

TEST(ClientRefusal, MailboxNamesThatCannotBeUsed) {
  for (const auto& name : {std::string(), std::string(kMaxIdLength + 1, 'm')}) {
    Driver d;
    FakePeer peer;
    advance(d, peer, Step::kClaiming);
    d.say(claimed_frame(name));
    expect_over(d, ErrorKind::kRendezvousUnreachable);
  }
}

TEST(ClientRefusal, AnUnreleasableNameplateOrAnUnknownPingIsNoReason) {
  Driver d;
  FakePeer peer;
  advance(d, peer, Step::kVerified);
  static_cast<void>(d.take());
  d.say(error_frame("no such nameplate", "release"));
  d.say(error_frame("unknown type", "ping"));
  EXPECT_THAT(d.take(), IsEmpty());
  EXPECT_EQ(d.state(), "Verified");
}

TEST(ClientRefusal, NoErrorRepeatsTheCode) {
  Driver d;
  FakePeer peer(kOtherCode);
  advance(d, peer, Step::kAwaitVersion);
  d.say(peer.version());
  for (const char* word : {"cabin", "naive", "zebra"}) {
    EXPECT_THAT(d.error->message, Not(HasSubstr(word)));
  }
}

}  // namespace
}  // namespace peersock::wormhole
