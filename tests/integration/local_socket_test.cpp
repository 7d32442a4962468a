// FdChannel over real sockets.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "adapters/fd_channel.hpp"
#include "local_world.hpp"

namespace peersock::adapters::testing {
namespace {

using ::testing::HasSubstr;

/// A channel, the program at its other end, and what the loop has reported.
struct Ends {
  explicit Ends(SocketPair pair)
      : theirs(std::move(pair.theirs)),
        channel(std::make_unique<FdChannel>(loop.get(), std::move(pair.ours),
                                            [this](bool readable, bool writable) {
                                              ++calls;
                                              seen_readable |= readable;
                                              seen_writable |= writable;
                                            })) {}

  std::string read(std::size_t limit = 100) {
    Bytes into(limit);
    const auto got = channel->read(into);
    EXPECT_FALSE(got.end);
    EXPECT_FALSE(got.failed) << *got.failed;
    return std::string(as_text(ByteView(into).first(got.octets)));
  }
  tunnel::LocalRead read_end() {
    Bytes into(100);
    return channel->read(into);
  }
  std::size_t write(std::string_view text) {
    const auto told = channel->write(as_bytes(text));
    EXPECT_FALSE(told.failed) << *told.failed;
    return told.octets;
  }

  Loop loop;
  UniqueFd theirs;
  int calls = 0;
  bool seen_readable = false;
  bool seen_writable = false;
  std::unique_ptr<FdChannel> channel;
};

class FdChannelTest : public ::testing::TestWithParam<bool> {
 protected:
  static bool tcp() { return GetParam(); }
  static SocketPair pair() { return tcp() ? tcp_pair() : unix_pair(); }
};

TEST_P(FdChannelTest, CarriesOctetsAndEndsOneDirectionAtATime) {
  Ends ends(pair());
  EXPECT_EQ(ends.read(), "");
  put(ends.theirs.get(), "question");
  EXPECT_EQ(ends.read(), "question");
  EXPECT_EQ(ends.write("ans"), 3U);
  ends.channel->finish();
  const Drained got = drain(ends.theirs.get());
  EXPECT_EQ(got.text, "ans");
  EXPECT_TRUE(got.end);
  put(ends.theirs.get(), "still here");
  ::shutdown(ends.theirs.get(), SHUT_WR);
  EXPECT_EQ(ends.read(), "still here");
  EXPECT_TRUE(ends.read_end().end);
}

TEST_P(FdChannelTest, NeverBlocksAndLosesNoTailWhenItGoes) {
  Ends ends(pair());
  const std::string all = pattern(1 << 25);
  const std::size_t taken = ends.write(all);
  ASSERT_GT(taken, 0U);
  ASSERT_LT(taken, all.size());
  EXPECT_EQ(ends.write(std::string_view(all).substr(taken)), 0U);
  ends.channel.reset();
  // TCP goes on sending what it holds while the program reads.
  std::string got;
  ASSERT_TRUE(ends.loop.until([&] {
    const Drained more = drain(ends.theirs.get());
    got += more.text;
    EXPECT_EQ(more.error, 0);
    return more.end || more.error != 0 || (g_main_context_wakeup(ends.loop.get()), false);
  }));
  EXPECT_TRUE(got == all.substr(0, taken));
}

TEST_P(FdChannelTest, ReportsReadinessForAsLongAsItIsAskedFor) {
  Ends ends(pair());
  EXPECT_EQ(ends.loop.settle(), 0);
  put(ends.theirs.get(), "x");
  EXPECT_EQ(ends.loop.settle(), 0);
  ends.channel->watch(true, false);
  EXPECT_EQ(ends.loop.settle(7), 7);
  EXPECT_EQ(ends.calls, 7);
  EXPECT_TRUE(ends.seen_readable);
  EXPECT_FALSE(ends.seen_writable);
  EXPECT_EQ(ends.read(), "x");
  EXPECT_EQ(ends.loop.settle(), 0);
  ends.channel->watch(true, true);
  EXPECT_EQ(ends.loop.settle(3), 3);
  EXPECT_TRUE(ends.seen_writable);
  ends.channel->watch(false, false);
  EXPECT_EQ(ends.loop.settle(), 0);
}

TEST_P(FdChannelTest, AProgramThatHasGoneCostsNothingWhileNobodyAsks) {
  Ends ends(pair());
  ends.channel->watch(true, false);
  ends.theirs.reset();
  EXPECT_EQ(ends.loop.settle(3), 3);
  EXPECT_TRUE(ends.read_end().end);
  ends.channel->watch(false, false);
  EXPECT_EQ(ends.loop.settle(), 0);
}

TEST_P(FdChannelTest, ItsHandlerMayDestroyIt) {
  auto ends = pair();
  const Loop loop;
  std::unique_ptr<FdChannel> channel;
  channel = std::make_unique<FdChannel>(loop.get(), std::move(ends.ours),
                                        [&](bool, bool) { channel.reset(); });
  channel->watch(false, true);
  EXPECT_EQ(loop.settle(), 1);
  EXPECT_FALSE(channel);
  EXPECT_TRUE(drain(ends.theirs.get()).end);
}

TEST_P(FdChannelTest, AProgramThatClosedIsNoticedWhenWriting) {
  Ends ends(pair());
  ends.theirs.reset();
  std::optional<std::string> failed;
  // TCP learns of it by the answer to the first octet.
  for (int i = 0; i < 3 && !failed; ++i) failed = ends.channel->write(as_bytes("x")).failed;
  ASSERT_TRUE(failed);
  EXPECT_THAT(*failed, HasSubstr("local program"));
}

INSTANTIATE_TEST_SUITE_P(Sockets, FdChannelTest, ::testing::Values(true, false),
                         [](const auto& kind) { return kind.param ? "Tcp" : "Unix"; });

TEST(FdChannelTcp, AbortIsAResetForTheProgram) {
  Ends ends(tcp_pair());
  ends.write("lost");
  ends.channel->abort();
  EXPECT_EQ(drain(ends.theirs.get()).error, ECONNRESET);
}

TEST(FdChannelUnix, AbortIsACloseOrAResetForTheProgram) {
  Ends silent(unix_pair());
  silent.channel->abort();
  EXPECT_TRUE(drain(silent.theirs.get()).end);
  Ends unread(unix_pair());
  put(unread.theirs.get(), "unread");
  unread.channel->abort();
  EXPECT_EQ(drain(unread.theirs.get()).error, ECONNRESET);
}

TEST(FdChannelTcp, AResetIsNoticedWhenReadingEvenIfNobodyWatched) {
  Ends ends(tcp_pair());
  put(ends.theirs.get(), "last words");
  close_with_reset(std::move(ends.theirs));
  EXPECT_EQ(ends.loop.settle(), 0);
  // Linux still gives what had been received.
  EXPECT_EQ(ends.read(), "last words");
  const auto got = ends.read_end();
  ASSERT_TRUE(got.failed);
  EXPECT_THAT(*got.failed, HasSubstr("reset"));
}

TEST(FdChannelTcp, AResetThatWritingMetIsNoEndForReading) {
  Ends ends(tcp_pair());
  put(ends.theirs.get(), "last words");
  close_with_reset(std::move(ends.theirs));
  EXPECT_TRUE(ends.channel->write(as_bytes("x")).failed);
  EXPECT_EQ(ends.read(), "last words");
  const auto got = ends.read_end();
  EXPECT_FALSE(got.end);
  EXPECT_TRUE(got.failed);
}

TEST(FdChannelTcp, AnEndBeforeAResetStaysAnEnd) {
  Ends ends(tcp_pair());
  put(ends.theirs.get(), "all I had to say");
  ends.theirs.reset();
  for (int i = 0; i < 3; ++i) static_cast<void>(ends.channel->write(as_bytes("x")));
  EXPECT_EQ(ends.read(), "all I had to say");
  EXPECT_TRUE(ends.read_end().end);
}

TEST(FdChannelTcp, SendsAtOnceAndProbesSilentPrograms) {
  auto pair = tcp_pair();
  const UniqueFd same(::dup(pair.ours.get()));
  const Ends ends(std::move(pair));
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(same.get(), level, name, &value, &size), 0);
    return value;
  };
  EXPECT_NE(option(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(option(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 120);
  EXPECT_FALSE(is_non_blocking(same.get()));
}

}  // namespace
}  // namespace peersock::adapters::testing
