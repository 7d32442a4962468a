#include "wire/tcp_frame.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/vectors.hpp"

namespace peersock::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> frames_of(TcpFrameReader& reader) {
  std::vector<std::string> found;
  while (const auto frame = reader.next()) found.emplace_back(as_text(*frame));
  return found;
}

Bytes framed(const std::vector<std::string>& contents) {
  Bytes out;
  for (const auto& content : contents) append_tcp_frame(out, as_bytes(content));
  return out;
}

TEST(TcpFrame, HasItsLengthInFront) {
  EXPECT_EQ(to_hex(framed({"ab"})), "00026162");
  EXPECT_EQ(to_hex(framed({std::string(0x0123, 'x')})).substr(0, 6), "012378");
}

RC_GTEST_PROP(TcpFrame, ComesOutWholeWhereverTheStreamIsCut, ()) {
  const auto contents = *rc::gen::container<std::vector<std::string>>(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>())));
  const Bytes stream = framed(contents);
  TcpFrameReader reader;
  std::vector<std::string> found;
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t count = std::min(*rc::gen::inRange<std::size_t>(1, 9), stream.size() - at);
    reader.add(ByteView(stream).subspan(at, count));
    at += count;
    for (auto& each : frames_of(reader)) found.push_back(std::move(each));
  }
  RC_ASSERT(found == contents);
  RC_ASSERT(!reader.broken());
}

TEST(TcpFrame, ThatIsEmptyIsSkipped) {
  TcpFrameReader reader;
  reader.add(framed({"", "one", "", "", "two", ""}));
  EXPECT_THAT(frames_of(reader), ElementsAre("one", "two"));
}

TEST(TcpFrame, ThatIsTooLongBreaksTheStream) {
  TcpFrameReader reader;
  reader.add(framed({"one", std::string(kMaxTcpFrame, 'x')}));
  EXPECT_EQ(frames_of(reader).size(), 2U);
  EXPECT_FALSE(reader.broken());
  // No octet of what is too long is waited for.
  constexpr std::size_t kTooLong = kMaxTcpFrame + 1;
  reader.add(Bytes{static_cast<std::uint8_t>(kTooLong >> 8), kTooLong & 0xff});
  EXPECT_THAT(frames_of(reader), IsEmpty());
  EXPECT_TRUE(reader.broken());
  reader.add(framed({"three"}));
  EXPECT_THAT(frames_of(reader), IsEmpty()) << "where it would begin, nobody knows";
}

TEST(TcpCheckKey, IsMadeFromBothCredentialsAsSpecified) {
  // Made with Python's hashlib.
  const std::string key = to_hex(tcp_check_key("a1B2", "abcdefghijklmnopqrstuv"));
  EXPECT_EQ(key, "296c1cd7da69ad738e08cf2c917cff1e48cb1073453c37dedb40d051e21fddf2");
  EXPECT_THAT(testing::read_specification("ice.md"), HasSubstr(key));
  EXPECT_NE(tcp_check_key("a1B", "2abcdefghijklmnopqrstuv"),
            tcp_check_key("a1B2", "abcdefghijklmnopqrstuv"));
}

}  // namespace
}  // namespace peersock::wire
