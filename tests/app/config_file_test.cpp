#include "app/config_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace peersock::app {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kEverything = R"(
# comment
[ice]
stun = stun.example.org
stun-port=3478
turn = [2001:db8::1]
turn-port = 5349
turn-user = me
turn-password = p\sw
turn-transport = tls,tcp
port-search = off
path = nice

[network]
proxy = http://me:secret@proxy.test:3128

[rendezvous]
url = wss://example.org/v1

[quic]
engine = ngtcp2
congestion = cubic
)";

TEST(Config, EveryKeyIsRead) {
  const auto layer = parse_config("f", kEverything);
  ASSERT_TRUE(layer) << layer.error().message;
  EXPECT_EQ(layer->stun_host, "stun.example.org");
  EXPECT_EQ(layer->stun_port, 3478);
  EXPECT_EQ(layer->turn_host, "2001:db8::1");
  EXPECT_EQ(layer->turn_port, 5349);
  EXPECT_EQ(layer->turn_user, "me");
  EXPECT_EQ(layer->turn_password->reveal_text(), "p w");
  EXPECT_EQ(layer->turn_transports, (TurnTransports{TurnTransport::kTls, TurnTransport::kTcp}));
  ASSERT_TRUE(layer->proxies && layer->proxies->secure);
  EXPECT_EQ(layer->proxies->secure->host, "proxy.test");
  EXPECT_EQ(layer->proxies->secure->credentials.reveal_text(), "me:secret");
  EXPECT_EQ(layer->port_search, false);
  EXPECT_EQ(layer->engine, adapters::QuicEngine::kNgtcp2);
  EXPECT_EQ(layer->congestion, adapters::Congestion::kCubic);
  EXPECT_EQ(layer->path, adapters::PathPolicy::kNice);
  EXPECT_EQ(layer->rendezvous_urls, std::vector<std::string>{"wss://example.org/v1"});
}

TEST(Config, SeveralRendezvousServersAreAList) {
  for (const char* value : {"ws://a/v1;wss://b/v1", " ws://a/v1 ; wss://b/v1 ; "}) {
    const auto layer = parse_config("f", std::string("[rendezvous]\nurl =") + value + "\n");
    ASSERT_TRUE(layer) << layer.error().message;
    EXPECT_EQ(layer->rendezvous_urls, (std::vector<std::string>{"ws://a/v1", "wss://b/v1"}));
  }
}

TEST(Config, AnEmptyFileSaysNothing) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "[ice]\n", "[ice]\n[rendezvous]"}) {
    const auto layer = parse_config("f", text);
    ASSERT_TRUE(layer) << text << layer.error().message;
    EXPECT_FALSE(layer->stun_host || layer->turn_password || layer->rendezvous_urls) << text;
  }
}

TEST(Config, AnEmptyServerIsAServerLeftOut) {
  const auto layer = parse_config("f", "[ice]\nstun =\nturn=\n");
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->stun_host, "");
  EXPECT_EQ(layer->turn_host, "");
}

TEST(Config, BlanksAtTheEndsAreNoPartOfAValue) {
  const auto layer = parse_config("f", "[ice]\r\nstun-port =  3478 \t\r\nstun = a  \r\n");
  ASSERT_TRUE(layer) << layer.error().message;
  EXPECT_EQ(layer->stun_port, 3478);
  EXPECT_EQ(layer->stun_host, "a");
}

struct Malformed {
  std::string text;
  std::string message;  ///< its beginning, after "f: "
};
class MalformedConfig : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedConfig, NamesFileGroupKeyAndWhatIsExpected) {
  const auto layer = parse_config("f", GetParam().text);
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(layer.error().message, StartsWith("f: " + GetParam().message));
  EXPECT_THAT(layer.error().message, HasSubstr("expected"));
  EXPECT_THAT(layer.error().message, Not(HasSubstr("hunter2")));
  EXPECT_THAT(layer.error().message, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    Config, MalformedConfig,
    ::testing::Values(
        Malformed{"[ice]\nstun-port = abc\n",
                  "[ice] stun-port is \"abc\"; expected is a port number from 1 to 65535"},
        Malformed{"[ice]\nstun-port =\n", "[ice] stun-port is empty; expected"},
        Malformed{"[ice]\nstun-port = 0\n", "[ice] stun-port is \"0\"; expected"},
        Malformed{"[ice]\nstun = a:3478\n", "[ice] stun is \"a:3478\"; expected"},
        Malformed{"[ice]\nturn-transport = ssl\n",
                  "[ice] turn-transport is \"ssl\"; expected is auto, or one or more of udp, "
                  "tcp and tls with commas between"},
        Malformed{"[ice]\nturn-user =\n", "[ice] turn-user is empty; expected"},
        Malformed{"[ice]\nturn-password =\n", "[ice] turn-password is not valid; expected"},
        Malformed{"[ice]\nturn-password = hunter2\\q\n",
                  "[ice] turn-password is not valid; expected is UTF-8"},
        Malformed{"[ice]\nturn-password = hunter2\xff\n",
                  "[ice] turn-password is not valid; expected is UTF-8"},
        Malformed{"[quic]\nengine = quiche\n",
                  "[quic] engine is \"quiche\"; expected is openssl or ngtcp2"},
        Malformed{"[quic]\ncongestion = vegas\n",
                  "[quic] congestion is \"vegas\"; expected is bbr, cubic or reno"},
        Malformed{"[rendezvous]\nurl = http://a/\n", "[rendezvous] url is not valid; expected"},
        Malformed{"[rendezvous]\nurl =\n", "[rendezvous] url is empty; expected is at least one"},
        Malformed{"[rendezvous]\nurl = ws://a/;;ws://b/\n",
                  "[rendezvous] url is not valid; expected"},
        Malformed{"[rendezvous]\nurl = ws://a/;b\n", "[rendezvous] url is not valid; expected"},
        Malformed{"[rendezvous]\nurl = ws://a/\\x\n",
                  "[rendezvous] url is not valid; expected is UTF-8"},
        Malformed{"[ice]\nstunport = 1\n",
                  "[ice] stunport is not a known key; expected is one of port-search, stun, "
                  "stun-port, turn, "
                  "turn-port, turn-user, turn-password, turn-transport"},
        Malformed{"[ice]\nstun[de] = a\n", "[ice] stun[de] is not a known key"},
        Malformed{"[rendezvous]\nstun = a\n",
                  "[rendezvous] stun is not a known key; expected is one of url"},
        Malformed{"[Ice]\nstun = a\n",
                  "[Ice] is not a known group; expected is [ice] or [network] or "
                  "[quic] or [rendezvous]"},
        Malformed{"[relay]\n", "[relay] is not a known group"},
        Malformed{"turn-password = hunter2\n", "line 1 comes before any group; expected"},
        Malformed{"[ice]\nturn-password hunter2\n", "line 2 is not understood; expected"},
        Malformed{"[ice]\n\n= hunter2\n", "line 3 is not understood; expected"},
        Malformed{"[ice\nstun = a\n", "line 1 begins a group that does not end; expected"},
        Malformed{"\x7f"
                  "ELF\x01\x02",
                  "line 1 is not understood; expected"},
        Malformed{std::string("[ice]\nstun = a\0b\n", 17), "it is not a configuration file"}));

/// A directory of its own for each test, gone with it.
class ConfigOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "peersock-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string write(const std::string& text, mode_t mode = 0600) {
    std::string path = directory_ / "peersock.conf";
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  [[nodiscard]] std::string absent() const { return directory_ / "absent.conf"; }
  [[nodiscard]] std::string directory() const { return directory_; }

 private:
  std::filesystem::path directory_;
};

TEST_F(ConfigOnDisk, IsReadFromTheNamedPlace) {
  const auto config = read_config_file(write("[ice]\nstun = a\n"), Presence::kRequired);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->layer.stun_host, "a");
}

TEST_F(ConfigOnDisk, ErrorsBeginWithThePath) {
  const std::string path = write("[ice]\nstun-port = x\n");
  const auto config = read_config_file(path, Presence::kOptional);
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, StartsWith(path + ": [ice] stun-port is \"x\""));
}

TEST_F(ConfigOnDisk, MayBeAbsentInTheDefaultPlaceOnly) {
  const auto config = read_config_file(absent(), Presence::kOptional);
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->layer.stun_host);
  EXPECT_TRUE(read_config_file(absent() + "/below", Presence::kOptional));
  const auto required = read_config_file(absent(), Presence::kRequired);
  ASSERT_FALSE(required);
  EXPECT_EQ(required.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(required.error().message,
            absent() + ": the configuration file cannot be read: No such file or directory");
}

TEST_F(ConfigOnDisk, ThatCannotBeReadIsAnError) {
  EXPECT_FALSE(read_config_file(directory(), Presence::kOptional)) << "a directory";
}

TEST_F(ConfigOnDisk, IsBounded) {
  const std::string longest(kMaxConfigFile - 1, '#');
  EXPECT_TRUE(read_config_file(write(longest + "\n"), Presence::kRequired));
  const auto config = read_config_file(write(longest + "##"), Presence::kRequired);
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("longer than 65536 octets"));
}

TEST_F(ConfigOnDisk, WarnsOfAPasswordThatOthersCanRead) {
  const std::string proxy = "[network]\nproxy = http://me:hunter2@proxy.test\n";
  EXPECT_THAT(read_config_file(write(proxy, 0644), Presence::kRequired)->warnings, SizeIs(1));
  const std::string secret = "[ice]\nturn-password = hunter2\n";
  EXPECT_THAT(read_config_file(write(secret, 0600), Presence::kRequired)->warnings, IsEmpty());
  for (const mode_t mode : {0640, 0604, 0644}) {
    const auto warnings = read_config_file(write(secret, mode), Presence::kRequired)->warnings;
    ASSERT_THAT(warnings, SizeIs(1)) << mode;
    EXPECT_THAT(warnings[0], HasSubstr("holds a password and can be read by others"));
    EXPECT_THAT(warnings[0], Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(read_config_file(write("[ice]\nstun = a\n", 0644), Presence::kRequired)->warnings,
              IsEmpty());
}

}  // namespace
}  // namespace peersock::app
