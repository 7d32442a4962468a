// The task that GSocketClient of GLib 2.74 never lets go of, and others that are none of our
// business.
#include "adapters/forgotten_task.hpp"

#include <array>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "adapters/unique_fd.hpp"
#include "support/glib_loop.hpp"

namespace peersock::testing {
namespace {

using adapters::ErrorPtr;
using adapters::GObjectPtr;
using adapters::release_forgotten_task;

/// Whether an object has been freed.
class Fate {
 public:
  Fate() = default;
  Fate(const Fate&) = delete;
  Fate& operator=(const Fate&) = delete;
  Fate(Fate&&) = delete;
  Fate& operator=(Fate&&) = delete;
  ~Fate() {
    if (object_ != nullptr) g_object_weak_unref(object_, &freed, this);
  }
  void follow(gpointer object) {
    object_ = G_OBJECT(object);
    g_object_weak_ref(object_, &freed, this);
  }
  [[nodiscard]] bool is_freed() const { return object_ == nullptr; }

 private:
  static void freed(gpointer self, GObject* /*object*/) noexcept {
    static_cast<Fate*>(self)->object_ = nullptr;
  }
  GObject* object_ = nullptr;
};

/// A port of loopback at which nothing is accepted and nothing refused: its queue is full.
class FullPort {
 public:
  FullPort() : listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address_;
    EXPECT_EQ(bind(listening_.get(), raw(), length), 0);
    EXPECT_EQ(listen(listening_.get(), 0), 0);
    EXPECT_EQ(getsockname(listening_.get(), raw(), &length), 0);
    for (adapters::UniqueFd& client : clients_) {
      client = adapters::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      static_cast<void>(connect(client.get(), raw(), length));
    }
  }
  [[nodiscard]] std::uint16_t number() const { return ntohs(address_.sin_port); }

 private:
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&address_); }
  sockaddr_in address_{};
  adapters::UniqueFd listening_;
  std::array<adapters::UniqueFd, 4> clients_;
};

/// An attempt to connect whose result is followed.
struct Attempt {
  void begin(GlibLoop& loop, std::uint16_t port, bool release) {
    context = loop.context();
    released = release;
    GObjectPtr<GSocketClient> client(g_socket_client_new());
    // Whole seconds, and so more than the 250 ms after which the task is forgotten.
    g_socket_client_set_timeout(client.get(), 1);
    const GObjectPtr<GSocketAddress> address(
        g_inet_socket_address_new_from_string("127.0.0.1", port));
    const adapters::ThreadDefault scope(context);
    g_socket_client_connect_async(client.get(), G_SOCKET_CONNECTABLE(address.get()), nullptr, ended,
                                  this);
  }
  static void ended(GObject* client, GAsyncResult* result, gpointer data) noexcept {
    auto* self = static_cast<Attempt*>(data);
    GError* raw = nullptr;
    const GObjectPtr<GSocketConnection> connection(
        g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &raw));
    const ErrorPtr error(raw);
    self->failed = error != nullptr;
    self->task.follow(result);
    if (self->released) release_forgotten_task(result, self->context);
  }
  GMainContext* context = nullptr;
  bool released = false;
  bool failed = false;
  Fate task;
};

TEST(ForgottenTask, OfALateFailureIsReleasedASecondLater) {
  GlibLoop loop;
  const FullPort port;
  Attempt attempt;
  attempt.begin(loop, port.number(), true);
  ASSERT_TRUE(loop.until([&] { return attempt.failed; }));
  EXPECT_TRUE(loop.until([&] { return attempt.task.is_freed(); }, 3s));
}

TEST(ForgottenTask, OfAnEarlyFailureIsNoneAndNothingIsReleasedTwice) {
  GlibLoop loop;
  std::uint16_t nobody = 0;
  {
    const FullPort port;
    nobody = port.number();
  }
  Attempt attempt;
  attempt.begin(loop, nobody, true);
  ASSERT_TRUE(loop.until([&] { return attempt.failed; }));
  EXPECT_TRUE(loop.until([&] { return attempt.task.is_freed(); }, 500ms)) << "by GLib itself";
  // The look a second later must find nothing; an address sanitizer would tell.
  static_cast<void>(loop.until([] { return false; }, 1200ms));
}

TEST(ForgottenTask, ThatSomebodyElseHoldsIsLeftAlone) {
  GlibLoop loop;
  const GObjectPtr<GCancellable> owner(g_cancellable_new());
  GTask* task = g_task_new(owner.get(), nullptr, nullptr, nullptr);
  Fate fate;
  fate.follow(task);
  const GObjectPtr<GTask> ours(task);
  const GObjectPtr<GTask> theirs(G_TASK(g_object_ref(task)));
  release_forgotten_task(G_ASYNC_RESULT(task), loop.context());
  static_cast<void>(loop.until([] { return false; }, 1200ms));
  EXPECT_FALSE(fate.is_freed());
  EXPECT_EQ(g_atomic_int_get(&G_OBJECT(task)->ref_count), 2);
}

TEST(ForgottenTask, KeepsNothingWhenTheLoopEndsFirst) {
  Fate fate;
  const GObjectPtr<GCancellable> owner(g_cancellable_new());
  {
    GlibLoop loop;
    GTask* task = g_task_new(owner.get(), nullptr, nullptr, nullptr);
    fate.follow(task);
    release_forgotten_task(G_ASYNC_RESULT(task), loop.context());
    g_object_unref(task);
  }
  EXPECT_TRUE(fate.is_freed());
}

}  // namespace
}  // namespace peersock::testing
