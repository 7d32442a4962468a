// StdioChannel over everything that standard streams may be.
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "adapters/stdio_channel.hpp"
#include "local_world.hpp"

namespace peersock::adapters::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class StdioChannelTest : public ::testing::Test {
 protected:
  StdioChannelTest() { std::signal(SIGPIPE, SIG_IGN); }

  void open(int in, int out) {
    channel_ =
        std::make_unique<StdioChannel>(loop_.get(), in, out, [this](bool readable, bool writable) {
          seen_readable_ |= readable;
          seen_writable_ |= writable;
        });
  }
  /// Reads until the end or until it would block.
  std::string read_all(bool* end = nullptr) {
    Bytes into(1 << 16);
    std::string text;
    for (;;) {
      const auto got = channel_->read(into);
      EXPECT_FALSE(got.failed) << *got.failed;
      text += as_text(ByteView(into).first(got.octets));
      if (got.octets > 0) continue;
      if (end != nullptr) *end = got.end;
      return text;
    }
  }
  /// Writes until it would block.
  std::size_t write_all(std::string_view text) {
    std::size_t taken = 0;
    while (taken < text.size()) {
      const auto told = channel_->write(as_bytes(text.substr(taken)));
      EXPECT_FALSE(told.failed) << *told.failed;
      if (told.octets == 0) break;
      taken += told.octets;
    }
    return taken;
  }

  static UniqueFd null() { return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

  Loop loop_;
  TemporaryDirectory directory_;
  std::unique_ptr<StdioChannel> channel_;
  bool seen_readable_ = false;
  bool seen_writable_ = false;
};

TEST_F(StdioChannelTest, PipesStayBlockingForOthers) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  open(in.out.get(), out.in.get());
  bool end = true;
  EXPECT_EQ(read_all(&end), "");  // empty, and it does not block
  EXPECT_FALSE(end);
  put(in.in.get(), "line\n");
  channel_->watch(true, false);
  EXPECT_EQ(loop_.settle(2), 2);
  EXPECT_TRUE(seen_readable_);
  EXPECT_EQ(read_all(), "line\n");

  const std::string all = pattern(1 << 20);
  const std::size_t taken = write_all(all);
  EXPECT_LT(taken, all.size());
  EXPECT_FALSE(is_non_blocking(in.out.get()));
  EXPECT_FALSE(is_non_blocking(out.in.get()));
  channel_->watch(false, true);
  EXPECT_EQ(loop_.settle(), 0);
  std::string got = drain(out.out.get()).text;
  EXPECT_EQ(loop_.settle(2), 2);
  EXPECT_TRUE(seen_writable_);
  std::size_t rest = taken;
  while (rest < all.size()) {
    rest += write_all(std::string_view(all).substr(rest));
    got += drain(out.out.get()).text;
  }
  EXPECT_TRUE(got == all);

  in.in.reset();
  EXPECT_EQ(read_all(&end), "");
  EXPECT_TRUE(end);
}

TEST_F(StdioChannelTest, FinishingEndsAPipeAtOnce) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  open(in.out.get(), out.in.get());
  EXPECT_EQ(write_all("tail"), 4U);
  channel_->watch(true, true);
  channel_->finish();
  Drained got = drain(out.out.get());
  EXPECT_EQ(got.text, "tail");
  EXPECT_TRUE(got.end);
  // The other direction goes on, and a stray write does no harm.
  put(in.in.get(), "more");
  EXPECT_EQ(read_all(), "more");
  EXPECT_EQ(::write(out.in.get(), "x", 1), -1);
  channel_->abort();
}

TEST_F(StdioChannelTest, WithoutASecondOpeningItAsksBeforeEachCall) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  {
    const NoMoreDescriptors limit;
    open(in.out.get(), out.in.get());
  }
  bool end = true;
  EXPECT_EQ(read_all(&end), "");
  EXPECT_FALSE(end);
  put(in.in.get(), "line\n");
  in.in.reset();
  EXPECT_EQ(read_all(&end), "line\n");
  EXPECT_TRUE(end);

  const std::string all = pattern(1 << 20);
  std::string got;
  for (std::size_t taken = 0; taken < all.size();) {
    const std::size_t more = write_all(std::string_view(all).substr(taken));
    ASSERT_GT(more, 0U);
    taken += more;
    got += drain(out.out.get()).text;
  }
  EXPECT_TRUE(got == all);
  EXPECT_FALSE(is_non_blocking(out.in.get()));
}

TEST_F(StdioChannelTest, AReaderThatHasGoneIsReported) {
  for (const bool gone_before : {true, false}) {
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    if (gone_before) out.out.reset();
    open(in.out.get(), out.in.get());
    out.out.reset();
    channel_->watch(false, true);
    EXPECT_EQ(loop_.settle(1), 1);
    const auto told = channel_->write(as_bytes("x"));
    ASSERT_TRUE(told.failed);
    EXPECT_THAT(*told.failed, HasSubstr("has gone"));
    EXPECT_TRUE(told.input_too);
  }
}

TEST_F(StdioChannelTest, AFullDiskIsReported) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const UniqueFd in = null();
  open(in.get(), full.get());
  const auto told = channel_->write(as_bytes("x"));
  ASSERT_TRUE(told.failed);
  EXPECT_THAT(*told.failed, AllOf(HasSubstr("No space left"), HasSubstr("make room")));
  EXPECT_TRUE(told.input_too);
}

TEST_F(StdioChannelTest, Files) {
  const std::string all = pattern(3'000'000);
  std::ofstream(directory_.path("in")) << all;
  const UniqueFd in(::open(directory_.path("in").c_str(), O_RDONLY | O_CLOEXEC));
  const UniqueFd out(::open(directory_.path("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  open(in.get(), out.get());
  channel_->watch(true, true);
  EXPECT_EQ(loop_.settle(2), 2);
  EXPECT_TRUE(seen_readable_);
  EXPECT_TRUE(seen_writable_);
  bool end = false;
  const std::string got = read_all(&end);
  EXPECT_TRUE(end);
  EXPECT_EQ(write_all(got), all.size());
  channel_->finish();
  std::ostringstream written;
  written << std::ifstream(directory_.path("out")).rdbuf();
  EXPECT_TRUE(written.str() == all);
}

TEST_F(StdioChannelTest, NullDevices) {
  const UniqueFd in = null();
  const UniqueFd out = null();
  open(in.get(), out.get());
  bool end = false;
  EXPECT_EQ(read_all(&end), "");
  EXPECT_TRUE(end);
  EXPECT_EQ(write_all(pattern(100'000)), 100'000U);
}

TEST_F(StdioChannelTest, OneSocketForBoth) {
  SocketPair pair = unix_pair();
  const UniqueFd out(::dup(pair.ours.get()));
  open(pair.ours.get(), out.get());
  EXPECT_EQ(read_all(), "");
  EXPECT_EQ(write_all("hello"), 5U);
  channel_->finish();
  const Drained got = drain(pair.theirs.get());
  EXPECT_EQ(got.text, "hello");
  EXPECT_TRUE(got.end);
  put(pair.theirs.get(), "bye");
  pair.theirs.reset();
  bool end = false;
  EXPECT_EQ(read_all(&end), "bye");
  EXPECT_TRUE(end);
  EXPECT_FALSE(is_non_blocking(pair.ours.get()));
}

TEST_F(StdioChannelTest, AnOutputSocketStaysUsableForItsOtherHolders) {
  SocketPair pair = unix_pair();
  const UniqueFd shell(::dup(pair.ours.get()));
  const UniqueFd in = null();
  open(in.get(), pair.ours.get());
  EXPECT_LT(write_all(pattern(1 << 22)), std::size_t{1} << 22);  // full, and it does not block
  channel_->finish();
  static_cast<void>(drain(pair.theirs.get()));
  put(shell.get(), "exit=0");
  EXPECT_EQ(drain(pair.theirs.get()).text, "exit=0");
}

TEST_F(StdioChannelTest, Terminals) {
  const UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master);
  ASSERT_EQ(::grantpt(master.get()), 0);
  ASSERT_EQ(::unlockpt(master.get()), 0);
  std::array<char, 128> name{};
  ASSERT_EQ(::ptsname_r(master.get(), name.data(), name.size()), 0);
  const UniqueFd terminal(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal);
  open(terminal.get(), terminal.get());
  bool end = true;
  EXPECT_EQ(read_all(&end), "");
  EXPECT_FALSE(end);
  put(master.get(), "typed\n");
  EXPECT_EQ(read_all(&end), "typed\n");
  EXPECT_FALSE(end);
  EXPECT_EQ(write_all("shown"), 5U);
  EXPECT_THAT(drain(master.get()).text, HasSubstr("shown"));
  put(master.get(), "\x04");
  EXPECT_EQ(read_all(&end), "");
  EXPECT_TRUE(end);
  EXPECT_FALSE(is_non_blocking(terminal.get()));
}

TEST_F(StdioChannelTest, DescriptorsThatAreNotOpen) {
  int in = -1;
  int out = -1;
  {
    Pipe pipe = make_pipe();
    in = pipe.out.get();
    out = pipe.in.get();
  }
  open(in, out);
  bool end = false;
  EXPECT_EQ(read_all(&end), "");
  EXPECT_TRUE(end);
  const auto told = channel_->write(as_bytes("x"));
  ASSERT_TRUE(told.failed);
  EXPECT_THAT(*told.failed, HasSubstr("not open"));
}

TEST_F(StdioChannelTest, InputThatCanNotBeReadIsReported) {
  const UniqueFd in(::open("/", O_RDONLY | O_CLOEXEC));
  const UniqueFd out = null();
  open(in.get(), out.get());
  Bytes into(10);
  const auto got = channel_->read(into);
  ASSERT_TRUE(got.failed);
  EXPECT_THAT(*got.failed, HasSubstr("standard input"));
}

TEST(StandardStreams, ThoseThatAreNotOpenAreFilledIn) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (const int fd : {0, 1, 2}) ::close(fd);
    prepare_standard_streams();
    char octet = 'x';
    const bool as_promised =
        ::read(0, &octet, 1) == 0 && ::write(1, &octet, 1) == -1 && ::write(2, &octet, 1) == 1;
    ::_exit(as_promised ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(StandardStreams, ThoseThatAreOpenAreLeftAlone) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Pipe pipe = make_pipe();
    ::dup2(pipe.in.get(), 1);
    prepare_standard_streams();
    char octet = 'x';
    const bool written = ::write(1, &octet, 1) == 1 && ::read(pipe.out.get(), &octet, 1) == 1;
    ::_exit(written ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace peersock::adapters::testing
