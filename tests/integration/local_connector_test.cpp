// LocalConnector to real services.
#include "adapters/local_connector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "adapters/socket_address.hpp"
#include "adapters/wakeup.hpp"
#include "local_world.hpp"

namespace peersock::adapters::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Service {
 public:
  explicit Service(const SocketAddress& address, int backlog = 16)
      : fd_(open_socket(address.family())) {
    EXPECT_EQ(::bind(fd_.get(), address.get(), address.size), 0);
    EXPECT_EQ(::listen(fd_.get(), backlog), 0);
  }
  explicit Service(const std::string& host, std::uint16_t port = 0, int backlog = 16)
      : Service(*numeric_address(host, port), backlog) {}

  [[nodiscard]] std::uint16_t port() const { return port_of(bound_address(fd_.get())); }
  [[nodiscard]] UniqueFd accept() const {
    return UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  UniqueFd fd_;
};

/// A port at which every address of this machine refuses. It stays bound, or somebody else might
/// get it, and a connection to it might even meet itself.
class RefusingPort {
 public:
  RefusingPort() : fd_(open_socket(AF_INET)) {
    const auto address = *numeric_address("0.0.0.0", 0);
    EXPECT_EQ(::bind(fd_.get(), address.get(), address.size), 0);
  }
  [[nodiscard]] std::uint16_t number() const { return port_of(bound_address(fd_.get())); }

 private:
  UniqueFd fd_;
};

class LocalConnectorTest : public ::testing::Test {
 protected:
  std::unique_ptr<LocalConnector> connector(Endpoint target) {
    return std::make_unique<LocalConnector>(
        loop_.get(), std::move(target), resolver(),
        [this](tunnel::ConnectionId id, LocalConnector::Outcome outcome) {
          ids_.push_back(id);
          outcomes_.push_back(std::move(outcome));
        });
  }
  /// Answers with `addresses_` from the loop, or never when there is no answer.
  Resolver resolver() {
    return [this](const std::string& host, Duration, ResolveHandler handler) -> Lookup {
      asked_ = host;
      auto answer = std::make_shared<Wakeup>(
          loop_.get(), [this, handler = std::move(handler)] { handler(*addresses_); });
      if (addresses_) answer->soon();
      return answer;
    };
  }
  [[nodiscard]] bool answers(std::size_t count = 1) {
    return loop_.until([&] { return outcomes_.size() >= count; });
  }
  void expect_failure(CloseReason reason, const std::string& words) {
    ASSERT_TRUE(answers());
    ASSERT_FALSE(outcomes_.front());
    EXPECT_EQ(to_string(outcomes_.front().error().reason), to_string(reason));
    EXPECT_THAT(outcomes_.front().error().message, HasSubstr(words));
  }

  Loop loop_;
  TemporaryDirectory directory_;
  std::optional<ResolveResult> addresses_;
  std::string asked_;
  std::vector<tunnel::ConnectionId> ids_;
  std::vector<LocalConnector::Outcome> outcomes_;
};

TEST_F(LocalConnectorTest, ConnectsByTcp) {
  const Service service("127.0.0.1");
  const auto connector = this->connector(TcpEndpoint{"127.0.0.1", service.port()});
  connector->connect(7);
  EXPECT_TRUE(outcomes_.empty());  // never from inside the call
  ASSERT_TRUE(answers());
  EXPECT_EQ(ids_.front(), 7U);
  ASSERT_TRUE(outcomes_.front());
  put(outcomes_.front()->get(), "hello");
  EXPECT_EQ(drain(service.accept().get()).text, "hello");
  EXPECT_EQ(connector->pending(), 0U);
}

TEST_F(LocalConnectorTest, ConnectsToAUnixSocket) {
  const std::string path = directory_.path("service");
  const Service service(*unix_address(path));
  const auto connector = this->connector(UnixEndpoint{path});
  connector->connect(1);
  EXPECT_TRUE(outcomes_.empty());
  ASSERT_TRUE(answers());
  ASSERT_TRUE(outcomes_.front());
  put(outcomes_.front()->get(), "hello");
  EXPECT_EQ(drain(service.accept().get()).text, "hello");
}

TEST_F(LocalConnectorTest, ManyAtOnce) {
  const Service service("127.0.0.1", 0, 128);
  const auto connector = this->connector(TcpEndpoint{"127.0.0.1", service.port()});
  for (tunnel::ConnectionId id = 1; id <= 100; ++id) connector->connect(id);
  EXPECT_EQ(connector->pending(), 100U);
  ASSERT_TRUE(answers(100));
  for (const auto& outcome : outcomes_) EXPECT_TRUE(outcome);
}

TEST_F(LocalConnectorTest, RefusedByTcp) {
  const RefusingPort port;
  const auto connector = this->connector(TcpEndpoint{"127.0.0.1", port.number()});
  connector->connect(1);
  EXPECT_TRUE(outcomes_.empty());
  expect_failure(CloseReason::kRefused, "refused the connection");
}

TEST_F(LocalConnectorTest, RefusedByAStaleUnixSocket) {
  const std::string path = directory_.path("stale");
  { const Service gone(*unix_address(path)); }
  const auto connector = this->connector(UnixEndpoint{path});
  connector->connect(1);
  expect_failure(CloseReason::kRefused, "unix:" + path);
}

TEST_F(LocalConnectorTest, NoUnixSocket) {
  const auto connector = this->connector(UnixEndpoint{directory_.path("nothing")});
  connector->connect(1);
  expect_failure(CloseReason::kUnreachable, "No such file or directory");
}

TEST_F(LocalConnectorTest, WaitsForRoomInTheQueueOfAUnixSocket) {
  const std::string path = directory_.path("busy");
  const auto address = unix_address(path);
  const Service service(*address, 0);
  std::vector<UniqueFd> others;
  for (;;) {
    others.push_back(open_socket(AF_UNIX));
    if (::connect(others.back().get(), address->get(), address->size) != 0) break;
  }
  const auto connector = this->connector(UnixEndpoint{path});
  connector->connect(1);
  loop_.settle();
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_TRUE(service.accept());
  ASSERT_TRUE(answers());
  EXPECT_TRUE(outcomes_.front());
}

TEST_F(LocalConnectorTest, TriesEveryAddressOfAName) {
  const Service service("127.0.0.1");
  addresses_ = std::vector<std::string>{"::1", "127.0.0.9", "127.0.0.1"};
  const auto connector = this->connector(TcpEndpoint{"name.test", service.port()});
  connector->connect(1);
  loop_.settle();  // an address that refuses makes nobody wait
  ASSERT_FALSE(outcomes_.empty());
  EXPECT_EQ(asked_, "name.test");
  EXPECT_TRUE(outcomes_.front());
}

TEST_F(LocalConnectorTest, DoesNotWaitForAnAddressThatDoesNotAnswer) {
  const Service good("127.0.0.1");
  // With its queue full, a service drops further attempts without an answer.
  const Service silent("127.0.0.2", good.port(), 0);
  const auto address = numeric_address("127.0.0.2", good.port());
  std::vector<UniqueFd> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(open_socket(AF_INET));
    static_cast<void>(::connect(others.back().get(), address->get(), address->size));
  }
  addresses_ = std::vector<std::string>{"127.0.0.2", "127.0.0.1"};
  const auto connector = this->connector(TcpEndpoint{"name.test", good.port()});
  connector->connect(1);
  ASSERT_TRUE(answers());
  ASSERT_TRUE(outcomes_.front());
  put(outcomes_.front()->get(), "hello");
  EXPECT_EQ(drain(good.accept().get()).text, "hello");
}

TEST_F(LocalConnectorTest, AllAddressesRefuse) {
  const RefusingPort port;
  addresses_ = std::vector<std::string>{"127.0.0.8", "127.0.0.9"};
  const auto connector = this->connector(TcpEndpoint{"name.test", port.number()});
  connector->connect(1);
  expect_failure(CloseReason::kRefused, "name.test");
}

TEST_F(LocalConnectorTest, UnknownNames) {
  addresses_ = tl::unexpected<std::string>("no such name");
  const auto connector = this->connector(TcpEndpoint{"name.test", 1});
  connector->connect(1);
  expect_failure(CloseReason::kUnreachable, "no such name");
}

TEST_F(LocalConnectorTest, TheSystemsResolverKnowsLocalhost) {
  const Service service("127.0.0.1");
  LocalConnector connector(loop_.get(), TcpEndpoint{"localhost", service.port()},
                           make_system_resolver(loop_.get()),
                           [this](tunnel::ConnectionId, LocalConnector::Outcome outcome) {
                             outcomes_.push_back(std::move(outcome));
                           });
  connector.connect(1);
  ASSERT_TRUE(answers());
  EXPECT_TRUE(outcomes_.front());
}

TEST_F(LocalConnectorTest, NoDescriptorsLeft) {
  const Service service("127.0.0.1");
  const auto connector = this->connector(TcpEndpoint{"127.0.0.1", service.port()});
  connector->connect(1);
  const NoMoreDescriptors limit;
  expect_failure(CloseReason::kUnreachable, "Too many open files");
}

TEST_F(LocalConnectorTest, CancelledAttemptsAreSilent) {
  const Service service("127.0.0.1");
  const auto by_address = connector(TcpEndpoint{"127.0.0.1", service.port()});
  by_address->connect(1);
  by_address->cancel(1);
  by_address->connect(2);
  ASSERT_TRUE(answers());
  EXPECT_THAT(ids_, ::testing::ElementsAre(2));

  const auto by_name = connector(TcpEndpoint{"never.answers", 1});
  by_name->connect(3);
  by_name->cancel(3);
  by_name->cancel(99);
  EXPECT_EQ(by_name->pending(), 0U);
  loop_.settle();
  EXPECT_THAT(ids_, ::testing::ElementsAre(2));
}

TEST_F(LocalConnectorTest, TheHandlerMayDestroyIt) {
  const Service service("127.0.0.1");
  const RefusingPort refusing;
  std::unique_ptr<LocalConnector> connector;
  const auto handler = [&](tunnel::ConnectionId, const LocalConnector::Outcome&) {
    connector.reset();
  };
  for (const std::uint16_t port : {service.port(), refusing.number()}) {
    connector = std::make_unique<LocalConnector>(loop_.get(), TcpEndpoint{"127.0.0.1", port},
                                                 resolver(), handler);
    connector->connect(1);
    connector->connect(2);
    EXPECT_TRUE(loop_.until([&] { return connector == nullptr; }));
  }
}

}  // namespace
}  // namespace peersock::adapters::testing
