#include "wire/code.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/seeded_rng.hpp"

namespace peersock::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string canonical(std::string_view typed) {
  const auto code = parse_code(typed);
  return code ? std::string(code->canonical().reveal_text()) : "error: " + code.error().message;
}

std::string message(std::string_view typed) {
  const auto code = parse_code(typed);
  if (code) return "no error";
  EXPECT_EQ(code.error().kind, ErrorKind::kUsage);
  return code.error().message;
}

TEST(WordList, IsSortedAndUniqueInItsFirstFourLetters) {
  std::set<std::string_view> prefixes;
  for (std::size_t i = 0; i < kWordCount; ++i) {
    const std::string_view word = word_at(i);
    EXPECT_GE(word.size(), 3U);
    EXPECT_LE(word.size(), 8U);
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string_view::npos);
    if (i > 0) {
      EXPECT_LT(word_at(i - 1), word);
    }
    EXPECT_TRUE(prefixes.insert(word.substr(0, 4)).second) << word;
  }
}

TEST(ParseCode, ReadsWhatPeopleType) {
  struct Case {
    std::string_view typed;
    std::string_view canonical;
  };
  constexpr Case kCases[] = {
      {"8-lab-name-blanket", "8-lab-name-blanket"},
      {"8-LAB-Name-blanKET", "8-lab-name-blanket"},
      {"8 lab name blanket", "8-lab-name-blanket"},
      {"8_lab_name_blanket", "8-lab-name-blanket"},
      {"  8 - lab --name__blanket\r\n", "8-lab-name-blanket"},
      {"\t8\tlab-name-blanket-", "8-lab-name-blanket"},
      {"--8-lab-name-blanket", "8-lab-name-blanket"},
      {"8-lab-name-blan", "8-lab-name-blanket"},
      {"8-lab-name-blank", "8-lab-name-blanket"},
      {"007-zoo-zero-zone", "007-zoo-zero-zone"},
      {"0-abandon-aban-zebr", "0-abandon-abandon-zebra"},
      // "act" is a word and begins others: exact wins, longer prefixes go on.
      {"1-act-actr-acti", "1-act-actress-action"},
  };
  for (const Case& c : kCases) EXPECT_EQ(canonical(c.typed), c.canonical) << c.typed;
  const std::string longest(kMaxNameplateLength, '9');
  EXPECT_EQ(canonical(longest + "-lab-name-zoo"), longest + "-lab-name-zoo");
}

TEST(ParseCode, KeepsTheNameplateAsTyped) {
  const auto code = parse_code("0042 lab name zoo");
  ASSERT_TRUE(code);
  EXPECT_EQ(code->nameplate(), "0042");
  EXPECT_EQ(code->clone().canonical().reveal_text(), "0042-lab-name-zoo");
  EXPECT_EQ(code->clone().nameplate(), "0042");
}

TEST(ParseCode, ReadsTheNumberOfTheServer) {
  struct Case {
    std::string_view typed;
    std::size_t server;
    std::string_view spoken;
  };
  constexpr Case kCases[] = {
      {"8-lab-name-blanket", 1, "8-lab-name-blanket"},
      {"1-8-lab-name-blanket", 1, "8-lab-name-blanket"},
      {"2-8-lab-name-blanket", 2, "2-8-lab-name-blanket"},
      {"9 8 LAB name blan", 9, "9-8-lab-name-blanket"},
      {"--2_8--lab name_blanket ", 2, "2-8-lab-name-blanket"},
      {"2-2-lab-name-blanket", 2, "2-2-lab-name-blanket"},
      {"3-0042-lab-name-blanket", 3, "3-0042-lab-name-blanket"},
  };
  for (const Case& c : kCases) {
    const auto code = parse_code(c.typed);
    ASSERT_TRUE(code) << c.typed;
    EXPECT_EQ(code->server(), c.server) << c.typed;
    EXPECT_EQ(code->spoken().reveal_text(), c.spoken) << c.typed;
    EXPECT_EQ(code->clone().spoken().reveal_text(), c.spoken) << c.typed;
    // The password is the same on every server.
    EXPECT_THAT(std::string(c.spoken),
                ::testing::EndsWith(std::string(code->canonical().reveal_text())));
    EXPECT_EQ(code->canonical().reveal_text().find(code->nameplate()), 0U);
  }
}

TEST(ParseCode, RefusesEachMistakeWithItsOwnSentence) {
  struct Case {
    std::string typed;
    std::string_view says;
  };
  const Case cases[] = {
      {"", "is empty"},
      {" \t\r\n ", "is empty"},
      {"---", "only dashes"},
      {"-", "only dashes"},
      {"lab-name-blanket", "number at the start of the code is missing"},
      {"-lab-name-blanket", "number at the start of the code is missing"},
      {"8a-lab-name-blanket", "does not start with a plain number"},
      {"8.5-lab-name-blanket", "does not start with a plain number"},
      {"8lab-name-blanket", "does not start with a plain number"},
      {"+8-lab-name-blanket", "number at the start of the code is missing"},
      {std::string(41, '1') + "-lab-name-zoo", "more than 40 digits"},
      {"8", "has no words"},
      {"8-", "has no words"},
      {"8-lab", "has 1 word where 3 are needed"},
      {"8-lab-name", "has 2 words where 3 are needed"},
      {"8-lab-name-zoo-zoo", "has 4 words where 3 are needed"},
      {"8-lab-name-zoo 8-lab-name-zoo", "has 7 words where 3 are needed"},
      {"0-8-lab-name-zoo", "no server from 1 to 9"},
      {"10-8-lab-name-zoo", "no server from 1 to 9"},
      {"02-8-lab-name-zoo", "no server from 1 to 9"},
      {"2-" + std::string(41, '1') + "-lab-name-zoo", "more than 40 digits"},
      {"2-8", "has no words"},
      {"2-8-lab", "has 1 word where 3 are needed"},
      {"2-8-lab-name-zoo-zoo", "has 4 words where 3 are needed"},
      {"1-2-8-lab-name-zoo", "has 4 words where 3 are needed"},
      {"2-8-lab-nome-zoo", "Word 2 of the code"},
      {"2-8-9-name-zoo", "Word 1 of the code"},
      {"8-lab-n\xc3\xa4me-zoo", "not ASCII"},
      {"\xd9\xa8-lab-name-zoo", "not ASCII"},
      {"8-lab-name-zoo\xff", "not ASCII"},
      {"8-lab\n-name-zoo", "control character"},
      {std::string("8-lab\0-name-zoo", 15), "control character"},
      {"8-lab-name-zoo\x1b[2J", "control character"},
      {"8-lab-\x7fname-zoo", "control character"},
      {std::string(257, '8'), "longer than 256"},
      {std::string(1 << 20, 'z'), "longer than 256"},
      {"8-lab-name-zo0", "Word 3 of the code"},
      {"8-la-name-zoo", "Word 1 of the code"},
      {"8-lab-nam-zoo", "Word 2 of the code"},
      {"8-lab-name-zoos", "Word 3 of the code"},
      {"8-lab-abandonned-zoo", "Word 2 of the code"},
  };
  for (const Case& c : cases) EXPECT_THAT(message(c.typed), HasSubstr(c.says)) << c.typed;
}

TEST(ParseCode, SuggestsTheNearestWords) {
  EXPECT_THAT(message("8-lab-nmae-zoo"), HasSubstr("did you mean \"name\"?"));
  EXPECT_THAT(message("8-lab-name-zo0"), HasSubstr("did you mean \"zoo\"?"));
  EXPECT_THAT(message("8-7th-name-zoo"), HasSubstr("check it against"));
  EXPECT_THAT(message("8-lab-blankt-zoo"), HasSubstr("did you mean \"blanket\""));
  EXPECT_EQ(message("8-lab-abandonned-zoo"),
            "Word 2 of the code, \"abandonned\", is not in the word list: did you mean "
            "\"abandon\"?");
  EXPECT_EQ(message("8-bla-name-zoo"),
            "Word 1 of the code, \"bla\", is not in the word list: did you mean \"black\", "
            "\"blade\" or \"blame\"?");
}

TEST(ParseCode, NeverRepeatsTheRightWordsAndBoundsTheWrongOne) {
  const std::string wrong = message("8-volcano-" + std::string(200, 'q') + "-umbrella");
  EXPECT_THAT(wrong, Not(HasSubstr("volcano")));
  EXPECT_THAT(wrong, Not(HasSubstr("umbrella")));
  EXPECT_THAT(wrong, Not(HasSubstr("8-")));
  EXPECT_THAT(wrong, HasSubstr(std::string(24, 'q') + "...\""));
  EXPECT_THAT(wrong, Not(HasSubstr(std::string(25, 'q'))));
  EXPECT_THAT(wrong, HasSubstr("check it against"));
}

TEST(RandomWords, ReachBothEndsOfTheListEvenly) {
  testing::SeededRng rng(7);
  std::vector<int> seen(kWordCount);
  constexpr int kDraws = 40000;
  for (int i = 0; i < kDraws; ++i) {
    for (const std::uint16_t index : random_words(rng).indices) ++seen.at(index);
  }
  const double expected = kDraws * 3.0 / kWordCount;
  double chi_square = 0;
  for (const int count : seen) {
    EXPECT_GT(count, 0);
    chi_square += (count - expected) * (count - expected) / expected;
  }
  // 2047 degrees of freedom: mean 2047, standard deviation 64. The seed is fixed.
  EXPECT_LT(chi_square, 2047 + 4 * 64);
}

RC_GTEST_PROP(CodeProperty, MadeCodesReadBack, ()) {
  testing::SeededRng rng(*rc::gen::arbitrary<std::uint64_t>());
  const Code made(std::to_string(*rc::gen::inRange<std::uint64_t>(0, 1000000)), random_words(rng),
                  *rc::gen::inRange<std::size_t>(1, kMaxServers + 1));
  const auto read = parse_code(made.spoken().reveal_text());
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->server() == made.server());
  RC_ASSERT(read->canonical().reveal_text() == made.canonical().reveal_text());
  RC_ASSERT(read->nameplate() == made.nameplate());
}

RC_GTEST_PROP(CodeProperty, ShortenedAndDecoratedCodesMeanTheSame, ()) {
  testing::SeededRng rng(*rc::gen::arbitrary<std::uint64_t>());
  const CodeWords words = random_words(rng);
  const Code made("12", words);
  std::string typed = "12";
  for (const std::uint16_t index : words.indices) {
    const std::string_view word = word_at(index);
    const std::size_t least = std::min<std::size_t>(4, word.size());
    typed += *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element(' ', '-', '_')));
    const std::size_t kept = *rc::gen::inRange(least, word.size() + 1);
    for (const char c : word.substr(0, kept)) {
      typed += *rc::gen::element(c, static_cast<char>(c - 'a' + 'A'));
    }
  }
  RC_PRE(typed.size() <= kMaxTypedCodeLength);
  RC_ASSERT(canonical(typed) == made.canonical().reveal_text());
}

}  // namespace
}  // namespace peersock::wire
