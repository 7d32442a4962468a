#include "wire/control_frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace peersock::wire {
namespace {

using Cause = control::Goodbye::Cause;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A frame by hand: the header for `body` in front of it.
Bytes raw(std::uint8_t type, std::string_view body) {
  Bytes octets{static_cast<std::uint8_t>(body.size() >> 8), static_cast<std::uint8_t>(body.size()),
               type};
  const ByteView view = as_bytes(body);
  octets.insert(octets.end(), view.begin(), view.end());
  return octets;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Reading {
  std::vector<ControlFrame> frames;
  std::string error;
  bool at_boundary = false;
};

/// Delivers `octets` in chunks, taking every frame before the next one.
Reading read(const Bytes& octets, std::size_t chunk = SIZE_MAX) {
  ControlFrameReader reader;
  Reading reading;
  ByteView rest = octets;
  while (!rest.empty() && reading.error.empty()) {
    reader.push(rest.first(std::min(chunk, rest.size())));
    rest = rest.subspan(std::min(chunk, rest.size()));
    for (;;) {
      auto next = reader.next();
      if (!next) {
        EXPECT_EQ(next.error().kind, ErrorKind::kConnectionLost);
        reading.error = next.error().message;
        break;
      }
      if (!*next) break;
      reading.frames.push_back(**std::move(next));
    }
  }
  reading.at_boundary = reader.at_boundary();
  return reading;
}

ControlFrame only(const Bytes& octets) {
  Reading reading = read(octets);
  EXPECT_EQ(reading.error, "");
  EXPECT_EQ(reading.frames.size(), 1U);
  EXPECT_TRUE(reading.at_boundary);
  return reading.frames.empty() ? control::Unknown{} : reading.frames.front();
}

TEST(ControlFrame, EncodesAsSpecified) {
  EXPECT_EQ(to_hex(encode(control::Smp{{0xaa, 0xbb}})), "000281aabb");
  EXPECT_EQ(encode(control::Hello{Mode::kListen, "peersock 0.1"}),
            raw(0x82, R"({"mode":"listen","name":"peersock 0.1"})"));
  EXPECT_EQ(to_hex(encode(control::Ping{0x0102030405060708})), "0008030102030405060708");
  EXPECT_EQ(to_hex(encode(control::Pong{1})), "0008040000000000000001");
  EXPECT_EQ(to_hex(encode(control::Drained{})), "000085");
  EXPECT_EQ(encode(control::Goodbye{Cause::kInterrupted, "bye"}), raw(0x86,
                                                                      "\x01"
                                                                      "bye"));
  EXPECT_EQ(to_hex(encode(control::Unknown{0x11})), "000011");
}

TEST(ControlFrame, CutsAndCleansTextsThatItWrites) {
  const auto hello =
      only(encode(control::Hello{Mode::kConnect, "a\n\xc3\xbc" + std::string(99, 'x')}));
  EXPECT_EQ(std::get<control::Hello>(hello).software, "a" + std::string(63, 'x'));
  const auto goodbye =
      only(encode(control::Goodbye{Cause::kError, "\x1b[2J" + std::string(999, 'y')}));
  EXPECT_EQ(std::get<control::Goodbye>(goodbye).reason, "[2J" + std::string(253, 'y'));
  // A character is never cut in two.
  const auto wide =
      only(encode(control::Goodbye{Cause::kError, "x" + std::string(255, 'y') + "ü"}));
  EXPECT_EQ(std::get<control::Goodbye>(wide).reason, "x" + std::string(255, 'y'));
}

TEST(ControlFrameReader, ToleratesWhatTheSpecificationAllows) {
  EXPECT_EQ(only(raw(0x82, R"( {"mode":"stdio-b","more":[{}]} )")),
            (ControlFrame{control::Hello{Mode::kStdioB, ""}}));
  EXPECT_EQ(only(raw(0x82, R"({"mode":"listen","name":7})")),
            (ControlFrame{control::Hello{Mode::kListen, ""}}));
  EXPECT_EQ(only(raw(0x82, R"({"mode":"listen","name":"a\u001b\u00fcb"})")),
            (ControlFrame{control::Hello{Mode::kListen, "ab"}}));
  EXPECT_EQ(only(raw(0x86, "\x09")), (ControlFrame{control::Goodbye{Cause::kError, ""}}));
  EXPECT_EQ(only(raw(0x86, std::string_view("\0no\nmore\xff\x1b[", 11))),
            (ControlFrame{control::Goodbye{Cause::kDone, "no more["}}));
  EXPECT_EQ(only(raw(0x00, "")), (ControlFrame{control::Unknown{0x00}}));
  EXPECT_EQ(only(raw(0x7f, std::string(kMaxControlBody, 'x'))),
            (ControlFrame{control::Unknown{0x7f}}));
  EXPECT_EQ(only(raw(0x81, std::string(kMaxSmpBody, 'x'))),
            (ControlFrame{control::Smp{Bytes(kMaxSmpBody, 'x')}}));
}

TEST(ControlFrameReader, RefusesMalformedFrames) {
  struct Case {
    Bytes octets;
    std::string_view says;
  };
  const Case cases[] = {
      {raw(0x80, ""), "does not know (0x80)"},
      {raw(0xff, "x"), "does not know (0xff)"},
      // What the header says is enough; the body need not arrive.
      {{0xff, 0xff, 0x90}, "does not know (0x90)"},
      {{0x00, 0x00, 0x81}, "frame 0x81 of 0 octets"},
      {{0x20, 0x01, 0x81}, "frame 0x81 of 8193 octets"},
      {{0x00, 0x00, 0x82}, "frame 0x82 of 0 octets"},
      {{0x10, 0x01, 0x82}, "frame 0x82 of 4097 octets"},
      {raw(0x03, "1234567"), "frame 0x03 of 7 octets"},
      {raw(0x03, "123456789"), "frame 0x03 of 9 octets"},
      {raw(0x03, ""), "frame 0x03 of 0 octets"},
      {raw(0x04, "1234567"), "frame 0x04 of 7 octets"},
      {{0xff, 0xff, 0x04}, "frame 0x04 of 65535 octets"},
      {raw(0x85, "x"), "frame 0x85 of 1 octets"},
      {raw(0x86, ""), "frame 0x86 of 0 octets"},
      {{0x01, 0x02, 0x86}, "frame 0x86 of 258 octets"},
      {raw(0x82, "listen"), "no JSON object"},
      {raw(0x82, "{"), "no JSON object"},
      {raw(0x82, "[]"), "no JSON object"},
      {raw(0x82, R"("listen")"), "no JSON object"},
      {raw(0x82, "{\"mode\":\"\xff\"}"), "no JSON object"},
      {raw(0x82, std::string(4096, '[')), "no JSON object"},
      {raw(0x82, "{}"), "without a mode"},
      {raw(0x82, R"({"mode":1})"), "without a mode"},
      {raw(0x82, R"({"mode":null})"), "without a mode"},
      {raw(0x82, R"({"mode":"Listen"})"), "without a mode"},
      {raw(0x82, R"({"mode":"proxy"})"), "without a mode"},
  };
  for (const Case& c : cases) {
    const Reading reading = read(c.octets);
    EXPECT_THAT(reading.error, HasSubstr(c.says)) << to_hex(c.octets).substr(0, 200);
    EXPECT_THAT(reading.frames, IsEmpty());
  }
}

TEST(ControlFrameReader, GivesTheFramesBeforeAnErrorAndNoneAfterIt) {
  const Bytes octets = encode(control::Ping{1}) + encode(control::Drained{}) + raw(0xee, "") +
                       encode(control::Ping{2});
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{5}, octets.size()}) {
    const Reading reading = read(octets, chunk);
    EXPECT_THAT(reading.frames,
                ElementsAre(ControlFrame{control::Ping{1}}, ControlFrame{control::Drained{}}));
    EXPECT_THAT(reading.error, HasSubstr("0xee"));
  }
}

TEST(ControlFrameReader, StaysFailed) {
  ControlFrameReader reader;
  reader.push(raw(0xee, ""));
  const auto first = reader.next();
  ASSERT_FALSE(first);
  reader.push(encode(control::Ping{1}));
  const auto second = reader.next();
  ASSERT_FALSE(second);
  EXPECT_EQ(first.error(), second.error());
  EXPECT_TRUE(reader.at_boundary()) << "nothing is kept after an error";
}

TEST(ControlFrameReader, KnowsWhenAFrameIsCut) {
  const Bytes octets = encode(control::Goodbye{Cause::kDone, "bye"});
  for (std::size_t n = 1; n < octets.size(); ++n) {
    const Reading reading =
        read(Bytes(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(n)));
    EXPECT_THAT(reading.frames, IsEmpty());
    EXPECT_EQ(reading.error, "");
    EXPECT_FALSE(reading.at_boundary) << n;
  }
  EXPECT_TRUE(ControlFrameReader().at_boundary());
}

TEST(ControlFrameReader, TakesManyFramesInOnePush) {
  Bytes octets;
  for (std::uint64_t i = 0; i < 100000; ++i) octets = std::move(octets) + encode(control::Ping{i});
  const Reading reading = read(octets);
  ASSERT_EQ(reading.frames.size(), 100000U);
  EXPECT_EQ(std::get<control::Ping>(reading.frames.back()).token, 99999U);
}

rc::Gen<ControlFrame> any_frame() {
  const auto token = rc::gen::arbitrary<std::uint64_t>();
  const auto text = rc::gen::container<std::string>(rc::gen::inRange(' ', '~'));
  const auto cut = [](const std::string& s, std::size_t most) { return s.substr(0, most); };
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::nonEmpty(rc::gen::arbitrary<Bytes>()),
                   [](Bytes body) { return ControlFrame{control::Smp{std::move(body)}}; }),
      rc::gen::map(
          rc::gen::pair(
              rc::gen::element(Mode::kConnect, Mode::kListen, Mode::kStdioA, Mode::kStdioB), text),
          [cut](const auto& p) {
            return ControlFrame{control::Hello{p.first, cut(p.second, kMaxSoftwareLength)}};
          }),
      rc::gen::map(token, [](std::uint64_t t) { return ControlFrame{control::Ping{t}}; }),
      rc::gen::map(token, [](std::uint64_t t) { return ControlFrame{control::Pong{t}}; }),
      rc::gen::just(ControlFrame{control::Drained{}}),
      rc::gen::map(
          rc::gen::pair(rc::gen::element(Cause::kDone, Cause::kInterrupted, Cause::kError), text),
          [cut](const auto& p) {
            return ControlFrame{control::Goodbye{p.first, cut(p.second, kMaxGoodbyeReason)}};
          }),
      rc::gen::map(rc::gen::nonEmpty(text),
                   [](std::string json) { return ControlFrame{control::Ice{std::move(json)}}; }),
      rc::gen::map(rc::gen::inRange<std::uint8_t>(10, 0x80),
                   [](std::uint8_t type) { return ControlFrame{control::Unknown{type}}; }));
}

RC_GTEST_PROP(ControlFrameProperty, ReadsBackWhatWasWrittenHoweverItIsCut, ()) {
  const auto frames = *rc::gen::container<std::vector<ControlFrame>>(any_frame());
  const auto chunk = *rc::gen::inRange<std::size_t>(1, 64);
  Bytes octets;
  for (const ControlFrame& frame : frames) octets = std::move(octets) + encode(frame);
  const Reading reading = read(octets, chunk);
  RC_ASSERT(reading.error.empty());
  RC_ASSERT(reading.at_boundary);
  RC_ASSERT(reading.frames == frames);
}

}  // namespace
}  // namespace peersock::wire
