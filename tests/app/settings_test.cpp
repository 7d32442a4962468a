#include "app/settings.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// What getenv would know.
std::map<std::string, std::string>& variables() {
  static std::map<std::string, std::string> all;
  return all;
}
char* get(const char* name) {
  const auto found = variables().find(name);
  return found == variables().end() ? nullptr : found->second.data();
}

class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override { variables().clear(); }
};

TEST_F(SettingsTest, DefaultsAreTheDocumentedOnes) {
  const Settings settings = merge({});
  EXPECT_THAT(settings.rendezvous_urls, ElementsAre("ws://relay.magic-wormhole.io:4000/v1"));
  EXPECT_EQ(settings.stun_host, "freestun.net");
  EXPECT_EQ(settings.stun_port, 3479);
  EXPECT_EQ(settings.turn_host, "freestun.net");
  EXPECT_EQ(settings.turn_port, 3479);
  EXPECT_EQ(settings.turn_user, "free");
  EXPECT_EQ(settings.turn_password.reveal_text(), "free");
  EXPECT_TRUE(settings.turn_transports.empty()) << "those that fit";
  EXPECT_EQ(settings.engine, adapters::kDefaultQuicEngine);
  EXPECT_EQ(settings.engine, adapters::QuicEngine::kNgtcp2);
  EXPECT_EQ(settings.congestion, adapters::Congestion::kBbr);
  EXPECT_TRUE(settings.port_search);
  EXPECT_EQ(settings.path, adapters::PathPolicy::kAuto);
}

SettingsLayer layer_named(const std::string& name, std::uint16_t port) {
  SettingsLayer layer;
  layer.rendezvous_urls = {"ws://" + name + "/v1", "ws://other/v1"};
  layer.stun_host = name + "-stun";
  layer.stun_port = port;
  layer.turn_host = name + "-turn";
  layer.turn_port = static_cast<std::uint16_t>(port + 1);
  layer.turn_user = name + "-user";
  layer.turn_password = Secret(std::string_view(name));
  layer.turn_transports = {TurnTransport::kTls, TurnTransport::kTcp};
  layer.engine = port == 10 ? adapters::QuicEngine::kNgtcp2 : adapters::QuicEngine::kOpenSsl;
  layer.port_search = port != 10;
  layer.congestion = port == 10 ? adapters::Congestion::kReno : adapters::Congestion::kCubic;
  layer.path = port == 10 ? adapters::PathPolicy::kNice : adapters::PathPolicy::kAuto;
  return layer;
}

TEST_F(SettingsTest, TheStrongestLayerWinsInEverySetting) {
  std::vector<SettingsLayer> layers;
  layers.push_back(layer_named("strong", 10));
  layers.push_back(layer_named("weak", 20));
  const Settings settings = merge(std::move(layers));
  EXPECT_THAT(settings.rendezvous_urls, ElementsAre("ws://strong/v1", "ws://other/v1"));
  EXPECT_EQ(settings.stun_host, "strong-stun");
  EXPECT_EQ(settings.stun_port, 10);
  EXPECT_EQ(settings.turn_host, "strong-turn");
  EXPECT_EQ(settings.turn_port, 11);
  EXPECT_EQ(settings.turn_user, "strong-user");
  EXPECT_EQ(settings.turn_password.reveal_text(), "strong");
  EXPECT_EQ(settings.turn_transports, (TurnTransports{TurnTransport::kTls, TurnTransport::kTcp}));
  EXPECT_EQ(settings.engine, adapters::QuicEngine::kNgtcp2);
  EXPECT_EQ(settings.congestion, adapters::Congestion::kReno);
  EXPECT_FALSE(settings.port_search);
  EXPECT_EQ(settings.path, adapters::PathPolicy::kNice);
}

TEST_F(SettingsTest, LayersFillEachOthersGaps) {
  std::vector<SettingsLayer> layers(3);
  layers[0].stun_port = 1;
  layers[1].stun_host = "";
  layers[2].stun_host = "file";
  layers[2].turn_host = "file";
  const Settings settings = merge(std::move(layers));
  EXPECT_EQ(settings.stun_port, 1);
  EXPECT_EQ(settings.stun_host, "") << "an empty server is a value, not a gap";
  EXPECT_EQ(settings.turn_host, "file");
  EXPECT_EQ(settings.turn_port, 3479);
}

TEST_F(SettingsTest, SecretVariablesAreTakenOutOfTheEnvironment) {
  variables() = {{"PEERSOCK_CODE", "8-lab-name-blanket"},
                 {"PEERSOCK_TURN_PASSWORD", "hunter2"},
                 {"PEERSOCK_RENDEZVOUS", "ws://h/v1"},
                 {"PEERSOCK_ENGINE", "ngtcp2"},
                 {"PEERSOCK_CONGESTION", "cubic"},
                 {"PEERSOCK_PATH", "nice"},
                 {"HOME", "/home/me"}};
  const Environment environment = take_environment(&get);
  EXPECT_EQ(environment.code->reveal_text(), "8-lab-name-blanket");
  EXPECT_EQ(environment.turn_password->reveal_text(), "hunter2");
  EXPECT_EQ(environment.rendezvous, "ws://h/v1");
  EXPECT_EQ(environment.engine, "ngtcp2");
  EXPECT_EQ(environment.congestion, "cubic");
  EXPECT_EQ(environment.path, "nice");
  EXPECT_EQ(environment.home, "/home/me");
  EXPECT_EQ(environment.config_home, std::nullopt);
  EXPECT_EQ(variables().at("PEERSOCK_CODE"), std::string(18, '\0'));
  EXPECT_EQ(variables().at("PEERSOCK_TURN_PASSWORD"), std::string(7, '\0'));
  EXPECT_EQ(variables().at("PEERSOCK_RENDEZVOUS"), "ws://h/v1");
}

/// "plain secure" of the hosts of the proxies that follow from the variables.
std::string proxies_of(std::map<std::string, std::string> set, SettingsLayer command_line = {}) {
  variables() = std::move(set);
  variables()["XDG_CONFIG_HOME"] = "/nonexistent";
  const auto loaded = load_settings(std::move(command_line), std::nullopt, take_environment(&get));
  if (!loaded) return loaded.error().message;
  const auto& proxies = loaded->settings.proxies;
  std::string text = proxies.plain ? proxies.plain->host : "-";
  text += " " + (proxies.secure ? proxies.secure->host : "-");
  for (const auto& warning : loaded->warnings) text += " | " + warning;
  return text;
}

TEST_F(SettingsTest, ProxiesOfOthersAreReadAsCurlReadsThem) {
  EXPECT_EQ(proxies_of({}), "- -");
  EXPECT_EQ(proxies_of({{"http_proxy", "http://a:1"}}), "a -");
  EXPECT_EQ(proxies_of({{"HTTP_PROXY", "http://a:1"}}), "- -");
  EXPECT_EQ(proxies_of({{"https_proxy", "a:1"}}), "- a");
  EXPECT_EQ(proxies_of({{"HTTPS_PROXY", "a:1"}}), "- a");
  EXPECT_EQ(proxies_of({{"HTTPS_PROXY", "a:1"}, {"https_proxy", "b:1"}}), "- b");
  EXPECT_EQ(proxies_of({{"all_proxy", "a"}}), "a a");
  EXPECT_EQ(proxies_of({{"ALL_PROXY", "a"}, {"http_proxy", "b"}}), "b a");
  EXPECT_EQ(proxies_of({{"all_proxy", "socks5://a"}}),
            "- - | all_proxy holds no proxy of a kind that peersock can use (http://HOST:PORT); "
            "going on without it");
}

TEST_F(SettingsTest, OurOwnProxyCountsOverThoseOfOthers) {
  EXPECT_EQ(proxies_of({{"PEERSOCK_PROXY", "http://a"}, {"all_proxy", "b"}}), "a a");
  SettingsLayer none;
  none.proxies.emplace();
  EXPECT_EQ(proxies_of({{"PEERSOCK_PROXY", "http://a"}, {"all_proxy", "b"}}, std::move(none)),
            "- -")
      << "an empty proxy is a value, not a gap";
  EXPECT_THAT(
      proxies_of({{"PEERSOCK_PROXY", "ftp://me:hunter2@a"}}),
      ::testing::AllOf(HasSubstr("PEERSOCK_PROXY is not valid"), Not(HasSubstr("hunter2"))));
}

TEST_F(SettingsTest, ExceptionsCountForEveryProxy) {
  variables() = {{"PEERSOCK_PROXY", "http://a"},
                 {"NO_PROXY", "inside.test"},
                 {"XDG_CONFIG_HOME", "/nonexistent"}};
  const auto loaded = load_settings({}, std::nullopt, take_environment(&get));
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->settings.proxies.choose("www.inside.test", true));
  EXPECT_TRUE(loaded->settings.proxies.choose("outside.test", true));
}

TEST_F(SettingsTest, ProxiesAreTakenOutOfTheEnvironment) {
  variables() = {{"PEERSOCK_PROXY", "http://a:b@c"}, {"https_proxy", "http://d:e@f"}};
  const Environment environment = take_environment(&get);
  EXPECT_EQ(environment.proxy->reveal_text(), "http://a:b@c");
  EXPECT_EQ(environment.https_proxy->name, "https_proxy");
  for (const auto& [name, value] : variables()) EXPECT_EQ(value, std::string(12, '\0')) << name;
}

TEST_F(SettingsTest, EmptyVariablesCountAsNotSet) {
  variables() = {{"PEERSOCK_CODE", ""},   {"PEERSOCK_RENDEZVOUS", ""}, {"XDG_CONFIG_HOME", ""},
                 {"PEERSOCK_ENGINE", ""}, {"PEERSOCK_CONGESTION", ""}, {"PEERSOCK_PATH", ""}};
  const Environment environment = take_environment(&get);
  EXPECT_FALSE(environment.code || environment.rendezvous || environment.config_home);
  EXPECT_FALSE(environment.engine || environment.congestion || environment.path);
}

TEST_F(SettingsTest, BadVariablesAreNamed) {
  Environment environment;
  environment.rendezvous = "http://h/";
  const auto url = environment_layer(environment);
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(url.error().message, HasSubstr("PEERSOCK_RENDEZVOUS is not valid; expected"));
  environment.rendezvous.reset();
  environment.turn_password = Secret(std::string_view("hunter2\n"));
  const auto password = environment_layer(environment);
  ASSERT_FALSE(password);
  EXPECT_THAT(password.error().message, HasSubstr("PEERSOCK_TURN_PASSWORD is not valid"));
  EXPECT_THAT(password.error().message, Not(HasSubstr("hunter2")));
}

TEST_F(SettingsTest, TheEnvironmentMayChooseHowQuicIsCarriedOut) {
  Environment environment;
  environment.engine = "ngtcp2";
  environment.congestion = "reno";
  environment.path = "nice";
  const auto layer = environment_layer(environment);
  ASSERT_TRUE(layer) << layer.error().message;
  EXPECT_EQ(layer->engine, adapters::QuicEngine::kNgtcp2);
  EXPECT_EQ(layer->congestion, adapters::Congestion::kReno);
  EXPECT_EQ(layer->path, adapters::PathPolicy::kNice);
  environment.engine = "quiche";
  const auto engine = environment_layer(environment);
  ASSERT_FALSE(engine);
  EXPECT_THAT(engine.error().message, HasSubstr("PEERSOCK_ENGINE is \"quiche\"; expected is"));
  environment.engine.reset();
  environment.congestion = "vegas";
  const auto congestion = environment_layer(environment);
  ASSERT_FALSE(congestion);
  EXPECT_THAT(congestion.error().message, HasSubstr("PEERSOCK_CONGESTION is \"vegas\""));
  environment.congestion.reset();
  environment.path = "split";
  const auto path = environment_layer(environment);
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("PEERSOCK_PATH is \"split\"; expected is auto or"));
}

TEST_F(SettingsTest, TheEnvironmentMayNameSeveralServers) {
  Environment environment;
  environment.rendezvous = " ws://a/v1,wss://b/v1 ws://c/v1, ";
  const auto layer = environment_layer(environment);
  ASSERT_TRUE(layer) << layer.error().message;
  EXPECT_THAT(*layer->rendezvous_urls, ElementsAre("ws://a/v1", "wss://b/v1", "ws://c/v1"));
  environment.rendezvous = " , ";
  const auto none = environment_layer(environment);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("PEERSOCK_RENDEZVOUS is empty; expected"));
}

TEST_F(SettingsTest, TheConfigFileHasItsPlace) {
  Environment environment;
  EXPECT_EQ(default_config_path(environment), std::nullopt);
  environment.home = "/home/me";
  EXPECT_EQ(default_config_path(environment), "/home/me/.config/peersock.conf");
  environment.config_home = "relative";
  EXPECT_EQ(default_config_path(environment), "/home/me/.config/peersock.conf");
  environment.config_home = "/xdg";
  EXPECT_EQ(default_config_path(environment), "/xdg/peersock.conf");
}

class LoadedSettingsTest : public SettingsTest {
 protected:
  void SetUp() override {
    SettingsTest::SetUp();
    std::string name = (std::filesystem::temp_directory_path() / "peersock-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    environment_.config_home = name;
  }
  void TearDown() override { std::filesystem::remove_all(*environment_.config_home); }
  std::string write(const std::string& file, const std::string& text) {
    std::string path = *environment_.config_home + "/" + file;
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    return path;
  }
  Environment environment_;
};

TEST_F(LoadedSettingsTest, CommandLineOverEnvironmentOverFileOverDefault) {
  write(
      "peersock.conf",
      "[rendezvous]\nurl = ws://file/v1\n[ice]\nstun = file\nturn = file\nturn-password = file\n");
  environment_.rendezvous = "ws://environment/v1";
  environment_.turn_password = Secret(std::string_view("environment"));
  SettingsLayer command_line;
  command_line.rendezvous_urls = {"ws://argument/v1"};
  command_line.stun_host = "argument";
  const auto loaded = load_settings(std::move(command_line), std::nullopt, environment_);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->settings.rendezvous_urls, ElementsAre("ws://argument/v1"));
  EXPECT_EQ(loaded->settings.stun_host, "argument");
  EXPECT_EQ(loaded->settings.turn_password.reveal_text(), "environment");
  EXPECT_EQ(loaded->settings.turn_host, "file");
  EXPECT_EQ(loaded->settings.turn_user, "free");
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(LoadedSettingsTest, ANamedFileStandsForTheDefaultOne) {
  write("peersock.conf", "[ice]\nstun-port = broken\n");
  const std::string other = write("other.conf", "[ice]\nstun = other\n");
  const auto loaded = load_settings({}, other, environment_);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->settings.stun_host, "other");
  EXPECT_FALSE(load_settings({}, std::nullopt, environment_));
  EXPECT_FALSE(load_settings({}, other + ".absent", environment_));
}

TEST_F(LoadedSettingsTest, WorksWithoutAFile) {
  EXPECT_TRUE(load_settings({}, std::nullopt, environment_));
  EXPECT_TRUE(load_settings({}, std::nullopt, {}));
}

}  // namespace
}  // namespace peersock::app
