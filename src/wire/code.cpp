#include "wire/code.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "wire/words.hpp"

namespace peersock::wire {
namespace {

static_assert(kWords.size() == kWordCount);

constexpr std::size_t kShortestPrefix = 4;
constexpr std::size_t kMaxShownWord = 24;
constexpr std::size_t kMaxSuggestions = 3;
/// Typed words are compared over this many letters; the longest of the list has eight.
constexpr std::size_t kMaxCompared = 16;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_separator(char c) {
  return c == ' ' || c == '\t' || c == '-' || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && !is_separator(text[end])) ++end;
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Secret lower_case(std::string_view text) {
  Bytes lowered;
  lowered.reserve(text.size());
  for (const char c : text) {
    lowered.push_back(static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
  }
  return Secret(std::move(lowered));
}

/// The word that `typed` names exactly or by a prefix that no other word shares.
std::optional<std::uint16_t> find_word(std::string_view typed) {
  const auto* found = std::lower_bound(kWords.begin(), kWords.end(), typed);
  if (found == kWords.end() || !found->starts_with(typed)) return std::nullopt;
  // No two words share their first four letters, so a prefix of that length fits one word only.
  if (*found != typed && typed.size() < kShortestPrefix) return std::nullopt;
  return static_cast<std::uint16_t>(found - kWords.begin());
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal
/// string alignment). Both have at most kMaxCompared letters.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kMaxCompared + 1>, kMaxCompared + 1> cost{};
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

/// At most three words, nearest first; words that begin with what was typed are nearest of all.
std::vector<std::string_view> nearest_words(std::string_view typed) {
  const std::string_view compared = typed.substr(0, kMaxCompared);
  // A word is no neighbour when a third of its letters would have to change.
  const std::size_t allowed = std::clamp<std::size_t>((compared.size() + 1) / 3, 1, 3);
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const std::string_view word : kWords) {
    const std::size_t distance = word.starts_with(typed) ? 0 : edit_distance(compared, word);
    if (distance <= allowed) ranked.emplace_back(distance, word);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < std::min(ranked.size(), kMaxSuggestions); ++i) {
    words.push_back(ranked[i].second);
  }
  return words;
}

Error usage(std::string message) {
  return {ErrorKind::kUsage, std::move(message)};
}

Error unknown_word(std::size_t position, std::string_view typed) {
  const auto near = nearest_words(typed);
  std::string advice = "check it against the code that the other side shows";
  if (!near.empty()) {
    advice = fmt::format("did you mean \"{}\"", near[0]);
    if (near.size() > 2) advice += fmt::format(", \"{}\"", near[1]);
    if (near.size() > 1) advice += fmt::format(" or \"{}\"", near.back());
    advice += '?';
  }
  const std::string_view shown = typed.substr(0, kMaxShownWord);
  return usage(fmt::format("Word {} of the code, \"{}{}\", is not in the word list: {}", position,
                           shown, shown.size() < typed.size() ? "..." : "", advice));
}

/// What is wrong with the octets, before any part is looked at.
std::optional<Error> check_octets(std::string_view typed) {
  if (typed.size() > kMaxTypedCodeLength) {
    return usage(
        fmt::format("The code is longer than {} characters: type a number and three words, like "
                    "8-lab-name-blanket",
                    kMaxTypedCodeLength));
  }
  const std::string_view text = trim(typed);
  if (text.empty()) return usage("The code is empty: type a number and three words");
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (octet >= 0x80) {
      return usage("The code holds a character that is not ASCII: type the plain letters a to z");
    }
    if ((octet < 0x20 && c != '\t') || octet == 0x7f) {
      return usage("The code holds a control character: type it on one line with spaces or dashes");
    }
  }
  return std::nullopt;
}

Error wrong_count(std::size_t words) {
  if (words == 0) return usage("The code has no words: type the three words after the number");
  if (words < kWordsPerCode) {
    return usage(fmt::format("The code is incomplete: it has {} word{} where {} are needed", words,
                             words == 1 ? "" : "s", kWordsPerCode));
  }
  return usage(fmt::format("The code has {} words where {} are needed: type only one code", words,
                           kWordsPerCode));
}

bool is_number(std::string_view part) {
  return std::ranges::all_of(part, is_digit);
}

/// What is wrong with a server's number.
std::optional<Error> check_server(std::string_view number) {
  if (number.size() == 1 && number.front() != '0') return std::nullopt;
  return usage(
      fmt::format("The code begins with two numbers, of which the first is no server from 1 to {}: "
                  "type it as the other side shows it",
                  kMaxServers));
}

/// What is wrong with the numbers or with how many parts there are. A code whose second part is a
/// number as well begins with the server's.
std::optional<Error> check_parts(const std::vector<std::string_view>& parts) {
  if (parts.empty()) return usage("The code is only dashes: type a number and three words");
  if (!is_digit(parts.front().front())) {
    return usage("The number at the start of the code is missing: type it in front of the words");
  }
  if (!is_number(parts.front())) {
    return usage(
        "The code does not start with a plain number: type digits, a dash, then the words");
  }
  const bool has_server = parts.size() > 1 && is_number(parts[1]);
  if (has_server) {
    if (auto error = check_server(parts.front())) return error;
  }
  const std::size_t numbers = has_server ? 2 : 1;
  if (!is_nameplate(parts[numbers - 1])) {
    return usage(
        fmt::format("The number at the start of the code has more than {} digits: type it "
                    "as the other side shows it",
                    kMaxNameplateLength));
  }
  const std::size_t words = parts.size() - numbers;
  if (words != kWordsPerCode) return wrong_count(words);
  return std::nullopt;
}

Secret join(std::string_view nameplate, const CodeWords& words) {
  // Reserved in full, so that no part of the code stays behind in a buffer that was outgrown.
  Bytes text;
  text.reserve(nameplate.size() + kWordsPerCode * (kMaxCompared + 1));
  text.insert(text.end(), nameplate.begin(), nameplate.end());
  for (const std::uint16_t index : words.indices) {
    const std::string_view word = word_at(index);
    text.push_back('-');
    text.insert(text.end(), word.begin(), word.end());
  }
  return Secret(std::move(text));
}

}  // namespace

std::string_view word_at(std::size_t index) {
  return kWords.at(index);
}

bool is_nameplate(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameplateLength && std::ranges::all_of(text, is_digit);
}

CodeWords random_words(Rng& rng) {
  CodeWords words;
  for (std::uint16_t& index : words.indices) {
    index = static_cast<std::uint16_t>(random_below(rng, kWordCount));
  }
  return words;
}

Code::Code(std::string nameplate, const CodeWords& words, std::size_t server)
    : nameplate_(std::move(nameplate)), canonical_(join(nameplate_, words)), server_(server) {}

Code::Code(std::string nameplate, Secret canonical, std::size_t server)
    : nameplate_(std::move(nameplate)), canonical_(std::move(canonical)), server_(server) {}

Code Code::clone() const {
  return Code(nameplate_, canonical_.clone(), server_);
}

Secret Code::spoken() const {
  if (server_ == 1) return canonical_.clone();
  const std::string_view canonical = canonical_.reveal_text();
  // Of its final size at once: what grows leaves copies behind.
  Bytes text(canonical.size() + 2);
  text[0] = static_cast<std::uint8_t>('0' + server_);
  text[1] = '-';
  std::copy(canonical.begin(), canonical.end(), text.begin() + 2);
  return Secret(std::move(text));
}

Result<Code> parse_code(std::string_view typed) {
  if (auto error = check_octets(typed)) return tl::unexpected(*std::move(error));
  const Secret lowered = lower_case(trim(typed));
  const auto parts = split(lowered.reveal_text());
  if (auto error = check_parts(parts)) return tl::unexpected(*std::move(error));

  const std::size_t numbers = parts.size() - kWordsPerCode;
  CodeWords words;
  for (std::size_t i = 0; i < kWordsPerCode; ++i) {
    const std::string_view part = parts[numbers + i];
    const auto index = find_word(part);
    if (!index) return tl::unexpected(unknown_word(i + 1, part));
    words.indices[i] = *index;
  }
  const std::size_t server =
      numbers == 1 ? 1 : static_cast<std::size_t>(parts.front().front() - '0');
  return Code(std::string(parts[numbers - 1]), words, server);
}

}  // namespace peersock::wire
