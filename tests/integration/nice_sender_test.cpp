// Sending when the system takes only some of it. This executable defines the few functions of
// libnice that the sender calls, because a real socket on loopback is never full.
#include "adapters/nice_sender.hpp"

#include <array>
#include <deque>

#include <gio/gunixconnection.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace peersock::testing {
namespace {

using quic::SendOutcome;
using ::testing::IsEmpty;

/// What libnice answers to one call: datagrams taken, 0 for "would block", less for an error.
struct Script {
  std::deque<int> answers;  ///< when it is empty, everything is taken
  Bytes sent;
  GSocket* selected = nullptr;
};
Script* script = nullptr;

}  // namespace
}  // namespace peersock::testing

extern "C" gint nice_agent_send_messages_nonblocking(NiceAgent* /*agent*/, guint /*stream*/,
                                                     guint /*component*/,
                                                     const NiceOutputMessage* messages, guint count,
                                                     GCancellable* /*cancellable*/,
                                                     GError** error) {
  auto& script = *peersock::testing::script;
  int taken = static_cast<int>(count);
  if (!script.answers.empty()) {
    taken = std::min(taken, script.answers.front());
    script.answers.pop_front();
  }
  if (taken <= 0) {
    g_set_error_literal(error, G_IO_ERROR, taken == 0 ? G_IO_ERROR_WOULD_BLOCK : G_IO_ERROR_FAILED,
                        "scripted");
    return -1;
  }
  for (int i = 0; i < taken; ++i) {
    const auto* octets = static_cast<const std::uint8_t*>(messages[i].buffers[0].buffer);
    script.sent.insert(script.sent.end(), octets, octets + messages[i].buffers[0].size);
  }
  return taken;
}

extern "C" GSocket* nice_agent_get_selected_socket(NiceAgent* /*agent*/, guint /*stream*/,
                                                   guint /*component*/) {
  GSocket* selected = peersock::testing::script->selected;
  return selected == nullptr ? nullptr : G_SOCKET(g_object_ref(selected));
}

extern "C" gboolean nice_agent_get_selected_pair(NiceAgent* /*agent*/, guint /*stream*/,
                                                 guint /*component*/, NiceCandidate** /*local*/,
                                                 NiceCandidate** /*remote*/) {
  return FALSE;
}

namespace peersock::testing {
namespace {

class NiceSenderTest : public ::testing::Test {
 protected:
  NiceSenderTest() {
    script = &script_;
    for (std::size_t i = 0; i < train_.size(); ++i) train_[i] = static_cast<std::uint8_t>(i / 100);
  }
  ~NiceSenderTest() override { script = nullptr; }
  NiceSenderTest(const NiceSenderTest&) = delete;
  NiceSenderTest& operator=(const NiceSenderTest&) = delete;
  NiceSenderTest(NiceSenderTest&&) = delete;
  NiceSenderTest& operator=(NiceSenderTest&&) = delete;

  SendOutcome send() { return sender_.send({train_, 100}); }
  /// Runs the loop until the sender has called libnice, or its owner, once more.
  void turn() {
    const auto calls = sender_.statistics().calls;
    const int writable = writable_;
    while (sender_.statistics().calls == calls && writable_ == writable) {
      g_main_context_iteration(context_.get(), TRUE);
    }
  }

  adapters::ContextPtr context_{g_main_context_new()};
  Script script_;
  Bytes train_ = Bytes(1050);  // ten datagrams and a half
  int writable_ = 0;
  adapters::NiceSender sender_{nullptr, 1, context_.get(), [this] { ++writable_; }};
};

TEST_F(NiceSenderTest, EverythingIsTaken) {
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(script_.sent, train_);
  EXPECT_EQ(sender_.statistics().datagrams, 11U);
  EXPECT_EQ(sender_.statistics().calls, 1U);
}

TEST_F(NiceSenderTest, ALongTrainTakesSeveralCalls) {
  const Bytes small(150, 7);
  EXPECT_EQ(sender_.send({small, 1}), SendOutcome::kSent);
  EXPECT_EQ(script_.sent, small);
  EXPECT_EQ(sender_.statistics().calls, 3U);
}

TEST_F(NiceSenderTest, NothingIsTaken) {
  script_.answers = {0};
  EXPECT_EQ(send(), SendOutcome::kWouldBlock);
  EXPECT_THAT(script_.sent, IsEmpty());
  EXPECT_EQ(writable_, 0) << "never from inside a call";
  turn();
  EXPECT_EQ(writable_, 1);
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(script_.sent, train_);
}

TEST_F(NiceSenderTest, TheRestOfATrainWaitsAndFollows) {
  script_.answers = {3, 0};
  EXPECT_EQ(send(), SendOutcome::kSent) << "all or nothing: the rest is kept";
  EXPECT_EQ(script_.sent.size(), 300U);
  turn();
  EXPECT_EQ(script_.sent, train_);
  EXPECT_EQ(writable_, 0) << "nobody has been told to wait";
}

TEST_F(NiceSenderTest, WhoComesWhileARestWaitsWaitsToo) {
  script_.answers = {3, 0, 2, 0};
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(send(), SendOutcome::kWouldBlock);
  turn();
  EXPECT_EQ(script_.sent.size(), 500U);
  EXPECT_EQ(writable_, 0);
  turn();
  EXPECT_EQ(script_.sent, train_);
  EXPECT_EQ(writable_, 1);
}

TEST_F(NiceSenderTest, AnErrorIsReportedAndCounted) {
  script_.answers = {-1};
  EXPECT_EQ(send(), SendOutcome::kError);
  EXPECT_EQ(sender_.statistics().lost, 11U);
}

TEST_F(NiceSenderTest, AnErrorAfterAPartIsALossOfTheRest) {
  script_.answers = {4, -1};
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(sender_.statistics().lost, 7U);
  EXPECT_EQ(sender_.statistics().datagrams, 4U);
}

TEST_F(NiceSenderTest, ALostPairLosesTheRestAndFreesWhoWaits) {
  script_.answers = {3, 0};
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(send(), SendOutcome::kWouldBlock);
  sender_.reset();
  turn();
  EXPECT_EQ(writable_, 1);
  EXPECT_EQ(script_.sent.size(), 300U);
}

TEST_F(NiceSenderTest, TheSocketTellsWhenThereIsRoom) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  const adapters::GObjectPtr<GSocket> socket(g_socket_new_from_fd(ends[0], nullptr));
  const Bytes filler(65536);
  while (write(ends[0], filler.data(), filler.size()) > 0) {
  }
  script_.selected = socket.get();
  script_.answers = {0};
  EXPECT_EQ(send(), SendOutcome::kWouldBlock);
  for (int i = 0; i < 5; ++i) g_main_context_iteration(context_.get(), FALSE);
  EXPECT_EQ(writable_, 0) << "the socket is full";
  Bytes drained(65536);
  while (read(ends[1], drained.data(), drained.size()) > 0) {
  }
  turn();
  EXPECT_EQ(writable_, 1);
  close(ends[1]);
}

}  // namespace
}  // namespace peersock::testing
