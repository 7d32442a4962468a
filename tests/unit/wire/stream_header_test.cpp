#include "wire/stream_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace peersock::wire {
namespace {

using ::testing::HasSubstr;

/// "more" for a header that is not complete, "error: …", or the header's size.
std::string read(const Bytes& prefix) {
  const auto parsed = parse_stream_header(prefix);
  if (!parsed) {
    EXPECT_EQ(parsed.error().kind, ErrorKind::kConnectionLost);
    return "error: " + parsed.error().message;
  }
  return *parsed ? std::to_string((*parsed)->size) : "more";
}

TEST(StreamHeader, VersionOneIsOneZeroOctet) {
  EXPECT_EQ(encode(StreamHeader{}), Bytes{0});
  EXPECT_EQ(read({0}), "1");
  EXPECT_EQ(read({0, 'G', 'E', 'T'}), "1");
}

TEST(StreamHeader, SkipsUnknownFieldsThatAreNotCritical) {
  EXPECT_EQ(read({2, 0x00, 0}), "3");
  EXPECT_EQ(read({4, 0x7f, 2, 0xff, 0xff, 'x'}), "5");
  EXPECT_EQ(read({7, 0x01, 1, 9, 0x01, 2, 8, 7}), "8");
  Bytes longest{255, 0x01, 253};
  longest.resize(kMaxStreamHeader);
  EXPECT_EQ(read(longest), "256");
}

TEST(StreamHeader, RefusesWhatIsMalformedOrCritical) {
  struct Case {
    Bytes prefix;
    std::string_view says;
  };
  const Case cases[] = {
      {{1, 0x01}, "cut short"},
      {{2, 0x01, 1}, "cut short"},
      {{3, 0x01, 255, 0}, "cut short"},
      {{3, 0x01, 0, 0x01}, "cut short"},
      {{1, 0x80}, "cut short"},
      {{2, 0x80, 0}, "does not know (0x80)"},
      {{5, 0x01, 1, 9, 0xff, 0}, "does not know (0xff)"},
  };
  for (const Case& c : cases) EXPECT_THAT(read(c.prefix), HasSubstr(c.says)) << to_hex(c.prefix);
}

RC_GTEST_PROP(StreamHeaderProperty, WaitsForTheWholeHeaderAndNoMore, ()) {
  Bytes fields;
  const auto count = *rc::gen::inRange(0, 20);
  for (int i = 0; i < count; ++i) {
    const auto value = *rc::gen::arbitrary<Bytes>();
    if (value.size() > 255 || fields.size() + 2 + value.size() > 255) break;
    fields.push_back(*rc::gen::inRange<std::uint8_t>(0, 0x80));
    fields.push_back(static_cast<std::uint8_t>(value.size()));
    fields.insert(fields.end(), value.begin(), value.end());
  }
  Bytes stream{static_cast<std::uint8_t>(fields.size())};
  stream.insert(stream.end(), fields.begin(), fields.end());
  const std::size_t size = stream.size();
  for (std::size_t n = 0; n < size; ++n) {
    RC_ASSERT(read(Bytes(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(n))) ==
              "more");
  }
  const auto tail = *rc::gen::arbitrary<Bytes>();
  stream.insert(stream.end(), tail.begin(), tail.end());
  RC_ASSERT(read(stream) == std::to_string(size));
}

}  // namespace
}  // namespace peersock::wire
