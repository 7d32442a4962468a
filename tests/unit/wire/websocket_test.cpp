#include "wire/websocket.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/machine.hpp"
#include "wire/text.hpp"

namespace peersock::wire {
namespace {

constexpr std::size_t kMaxMessage = 70'000;

/// A masked frame, as clients send it, written without the code under test.
std::string frame(int first, std::string_view payload, std::string_view mask = "\x12\x34\x56\x78") {
  std::string out(1, static_cast<char>(first));
  const std::size_t size = payload.size();
  if (size < 126) {
    out += static_cast<char>(0x80 | size);
  } else if (size < 65536) {
    out += {static_cast<char>(0xfe), static_cast<char>(size >> 8), static_cast<char>(size & 0xff)};
  } else {
    out += static_cast<char>(0xff);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((size >> shift) & 0xff);
  }
  out += mask;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

std::string describe(const WebSocketEvent& event) {
  return std::visit(Overloaded{
                        [](const WebSocketMessage& m) {
                          return "message " + (m.payload.size() > 20
                                                   ? std::to_string(m.payload.size()) + " octets"
                                                   : m.payload);
                        },
                        [](const WebSocketPing& p) { return "ping " + p.payload; },
                        [](const WebSocketPong&) { return std::string("pong"); },
                        [](const WebSocketClosed& c) {
                          return "closed " + std::to_string(static_cast<int>(c.code));
                        },
                        [](const WebSocketBroken& b) {
                          return "broken " + std::to_string(static_cast<int>(b.code));
                        },
                    },
                    event);
}

using Story = std::vector<std::string>;

/// What the reader makes of `octets` when they come in pieces of `piece`.
Story read(std::string_view octets, std::size_t piece) {
  WebSocketReader reader(kMaxMessage);
  Story story;
  while (!octets.empty()) {
    std::string_view now = octets.substr(0, piece);
    octets.remove_prefix(now.size());
    while (!now.empty()) {
      if (const auto event = reader.next(now)) story.push_back(describe(*event));
    }
  }
  return story;
}

struct Case {
  std::string octets;
  Story story;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{1'000'000}}) {
      EXPECT_EQ(read(c.octets, piece), c.story) << "pieces of " << piece;
    }
  }
}

TEST(WebSocketReader, MakesMessagesOfFrames) {
  check({
      {frame(0x81, "text"), {"message text"}},
      {frame(0x82, "binary"), {"message binary"}},
      {frame(0x81, ""), {"message "}},
      {frame(0x81, "a") + frame(0x82, "b"), {"message a", "message b"}},
      {frame(0x01, "a") + frame(0x00, "b") + frame(0x80, "c"), {"message abc"}},
      {frame(0x01, "") + frame(0x80, ""), {"message "}},
      {frame(0x81, std::string(125, 'x')), {"message 125 octets"}},
      {frame(0x81, std::string(126, 'x')), {"message 126 octets"}},
      {frame(0x81, std::string(65535, 'x')), {"message 65535 octets"}},
      {frame(0x81, std::string(65536, 'x')), {"message 65536 octets"}},
      {frame(0x81, std::string(kMaxMessage, 'x')), {"message 70000 octets"}},
      {frame(0x81, "gr\xc3\xbc\xc3\x9f"), {"message gr\xc3\xbc\xc3\x9f"}},
      // A character may be cut by a fragment's end.
      {frame(0x01, "\xc3") + frame(0x80, "\xbc"), {"message \xc3\xbc"}},
      {frame(0x82, "\xff"), {"message \xff"}},
  });
}

TEST(WebSocketReader, ControlFramesMayStandBetweenFragments) {
  check({
      {frame(0x89, "p"), {"ping p"}},
      {frame(0x8a, "p"), {"pong"}},
      {frame(0x89, std::string(125, 'x')), {"ping " + std::string(125, 'x')}},
      {frame(0x01, "a") + frame(0x89, "p") + frame(0x8a, "") + frame(0x80, "b"),
       {"ping p", "pong", "message ab"}},
  });
}

TEST(WebSocketReader, NothingFollowsTheEnd) {
  using namespace std::string_literals;
  const std::string more = frame(0x81, "more");
  check({
      {frame(0x88, "") + more, {"closed 1000"}},
      {frame(0x88, "\x03\xe8 bye") + more, {"closed 1000"}},
      {frame(0x88, "\x03\xe9") + more, {"closed 1001"}},
      {frame(0x88, "\x0f\xa0") + more, {"closed 4000"}},
      {frame(0x01, "a") + frame(0x88, "\x03\xe8") + more, {"closed 1000"}},
      // Malformed closes.
      {frame(0x88, "\x03") + more, {"broken 1002"}},
      {frame(0x88, "\x03\xed") + more, {"broken 1002"}},
      {frame(0x88, "\x00\x01"s) + more, {"broken 1002"}},
      {frame(0x88, "\x13\x88") + more, {"broken 1002"}},
      {frame(0x88, "\x03\xe8\xff") + more, {"broken 1007"}},
      // Malformed frames.
      {"\x81\x02hi" + more, {"broken 1002"}},
      {frame(0x83, "x") + more, {"broken 1002"}},
      {frame(0x8b, "x") + more, {"broken 1002"}},
      {frame(0xc1, "x") + more, {"broken 1002"}},
      {frame(0x91, "x") + more, {"broken 1002"}},
      {frame(0x80, "x") + more, {"broken 1002"}},
      {frame(0x01, "x") + frame(0x81, "y") + more, {"broken 1002"}},
      {frame(0x09, "x") + more, {"broken 1002"}},
      {frame(0x89, std::string(126, 'x')) + more, {"broken 1002"}},
      {frame(0x81, "\xff") + more, {"broken 1007"}},
      {frame(0x81, "\xc3") + more, {"broken 1007"}},
      {frame(0x81, "\xed\xa0\x80") + more, {"broken 1007"}},
      // Too long, which its header tells.
      {frame(0x81, std::string(kMaxMessage + 1, 'x')).substr(0, 14), {"broken 1009"}},
      {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff____"s, {"broken 1009"}},
      {frame(0x02, "x") + frame(0x80, std::string(kMaxMessage, 'x')).substr(0, 14),
       {"broken 1009"}},
  });
}

TEST(WebSocketReader, SmallerLengthsMayBeWrittenLong) {
  using namespace std::string_literals;
  const std::string mask(4, '\0');
  check({
      {"\x82\xfe\x00\x02"s + mask + "hi", {"message hi"}},
      {"\x82\xff\x00\x00\x00\x00\x00\x00\x00\x02"s + mask + "hi", {"message hi"}},
  });
}

TEST(WebSocketFrames, AreUnmaskedAndOfTheShortestForm) {
  using namespace std::string_literals;
  std::string out;
  append_websocket_frame(out, WebSocketOpcode::kText, "hi");
  append_websocket_frame(out, WebSocketOpcode::kPong, "");
  append_websocket_close(out, WebSocketClose::kPolicyViolation);
  EXPECT_EQ(out, "\x81\x02hi\x8a\x00\x88\x02\x03\xf0"s);
  for (const auto& [size, head] : {std::pair(std::size_t{125}, "\x82\x7d"s),
                                   {126, "\x82\x7e\x00\x7e"s},
                                   {65535, "\x82\x7e\xff\xff"s},
                                   {65536, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s}}) {
    out.clear();
    append_websocket_frame(out, WebSocketOpcode::kBinary, std::string(size, 'x'));
    EXPECT_EQ(out, head + std::string(size, 'x'));
  }
}

RC_GTEST_PROP(WebSocketReaderProperty, PiecesMakeNoDifference, (const std::string& noise)) {
  std::string octets;
  const auto count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) {
    octets += frame(*rc::gen::element(0x01, 0x80, 0x81, 0x82, 0x89, 0x8a, 0x88),
                    *rc::gen::arbitrary<std::string>());
  }
  octets += noise;
  RC_ASSERT(read(octets, *rc::gen::inRange<std::size_t>(1, 9)) == read(octets, octets.size() + 1));
}

TEST(Utf8, IsWellFormedOrNot) {
  for (const char* text : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* text : {"\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

}  // namespace
}  // namespace peersock::wire
