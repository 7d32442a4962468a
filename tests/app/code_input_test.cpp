#include "app/code_input.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace peersock::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A pipe that holds `text` and is closed at the far end.
class Pipe {
 public:
  explicit Pipe(std::string_view text) {
    if (pipe(ends_.data()) != 0) ADD_FAILURE() << "no pipe";
    EXPECT_EQ(write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  Pipe(Pipe&&) = delete;
  Pipe& operator=(Pipe&&) = delete;
  ~Pipe() { close(ends_[0]); }
  [[nodiscard]] int descriptor() const { return ends_[0]; }
  [[nodiscard]] std::string rest() const {
    std::array<char, 64> buffer{};
    const ssize_t got = read(ends_[0], buffer.data(), buffer.size());
    return {buffer.data(), static_cast<std::size_t>(got)};
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(CodeLine, EndsAtTheLineAndLeavesTheRest) {
  const Pipe pipe("8-lab-name-blanket\ndata");
  EXPECT_EQ(read_code_line(pipe.descriptor())->reveal_text(), "8-lab-name-blanket");
  EXPECT_EQ(pipe.rest(), "data");
}

TEST(CodeLine, NeedsNoLineEnd) {
  const Pipe pipe("8-lab-name-blanket");
  EXPECT_EQ(read_code_line(pipe.descriptor())->reveal_text(), "8-lab-name-blanket");
}

TEST(CodeLine, IsBounded) {
  const Pipe pipe(std::string(5000, 'x'));
  EXPECT_EQ(read_code_line(pipe.descriptor())->size(), wire::kMaxTypedCodeLength + 1);
}

TEST(CodeLine, SaysWhatIsWrong) {
  EXPECT_THAT(read_code_line(Pipe("").descriptor()).error().message, HasSubstr("gave no code"));
  EXPECT_THAT(read_code_line(Pipe("\n").descriptor()).error().message, HasSubstr("gave no code"));
  EXPECT_THAT(read_code_line(987654).error().message,
              HasSubstr("--code-fd 987654 cannot be read: Bad file descriptor"));
}

Secret text(std::string_view code) {
  return Secret(code);
}
std::string canonical(const Result<std::optional<wire::Code>>& code) {
  if (!code) return code.error().message;
  return *code ? std::string((*code)->canonical().reveal_text()) : "none";
}

TEST(ChooseCode, ArgumentOverFileOverEnvironment) {
  const Pipe pipe("7 zoo name blan\n");
  Options options;
  Environment environment;
  EXPECT_EQ(canonical(choose_code(options, environment)), "none");
  environment.code = text("9-lab-name-blanket");
  EXPECT_EQ(canonical(choose_code(options, environment)), "9-lab-name-blanket");
  options.code_fd = pipe.descriptor();
  EXPECT_EQ(canonical(choose_code(options, environment)), "7-zoo-name-blanket");
  options.code = text("8 LAB name-blan");
  EXPECT_EQ(canonical(choose_code(options, environment)), "8-lab-name-blanket");
}

TEST(ChooseCode, RefusesABadOne) {
  Options options;
  options.code = text("8-lab-name");
  const auto code = choose_code(options, {});
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(code.error().message, Not(HasSubstr("lab")));
  options.code.reset();
  options.code_fd = -1;
  EXPECT_THAT(canonical(choose_code(options, {})), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace peersock::app
