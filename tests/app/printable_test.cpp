#include "app/printable.hpp"

#include <gtest/gtest.h>

namespace peersock::app {
namespace {

TEST(Printable, KeepsTextOfAnyLanguage) {
  EXPECT_EQ(printable("plain, größer, 日本語, 👍"), "plain, größer, 日本語, 👍");
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable({}), "");
}

TEST(Printable, IsOneLineWithoutControls) {
  EXPECT_EQ(printable("a\nb\r\nc\td"), "a b  c d");
  EXPECT_EQ(printable("\x1b[2Jx\x07\x7f"), "\uFFFD[2Jx\uFFFD\uFFFD");
  EXPECT_EQ(printable("\u009b2J"), "\uFFFD2J") << "C1 control";
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\uFFFDb");
}

TEST(Printable, ReplacesWhatReordersAndWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\u202eb\u2066c"), "a\uFFFDb\uFFFDc");
  EXPECT_EQ(printable("a\xff\xc3"), "a\uFFFD\uFFFD");
}

TEST(Excerpt, CutsAtACharacter) {
  EXPECT_EQ(excerpt("äöü", 3), "äöü");
  EXPECT_EQ(excerpt("äöüß", 3), "äöü...");
}

}  // namespace
}  // namespace peersock::app
