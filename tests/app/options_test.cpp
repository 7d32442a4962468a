#include "app/options.hpp"

#include <array>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arguments.hpp"
#include "support/vectors.hpp"

namespace peersock::app {
namespace {

using ::testing::AllOf;
using testing::Arguments;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::options_of;

TEST(Options, ConnectTakesATargetAndACode) {
  const Options options = options_of({"connect", "example.org:22", "8-lab-name-blanket"});
  EXPECT_EQ(options.command, Command::kConnect);
  EXPECT_EQ(options.endpoint, Endpoint(TcpEndpoint{"example.org", 22}));
  ASSERT_TRUE(options.code);
  EXPECT_EQ(options.code->reveal_text(), "8-lab-name-blanket");
}

TEST(Options, EachCommandHasItsEndpoint) {
  EXPECT_EQ(options_of({"connect", "[::1]:80"}).endpoint, Endpoint(TcpEndpoint{"::1", 80}));
  EXPECT_EQ(options_of({"connect", "unix:/run/x"}).endpoint, Endpoint(UnixEndpoint{"/run/x"}));
  EXPECT_EQ(options_of({"listen", "2222"}).endpoint, Endpoint(TcpEndpoint{"", 2222}));
  EXPECT_EQ(options_of({"listen", "0"}).endpoint, Endpoint(TcpEndpoint{"", 0}));
  EXPECT_EQ(options_of({"listen", "192.0.2.1:80"}).endpoint,
            Endpoint(TcpEndpoint{"192.0.2.1", 80}));
  EXPECT_EQ(options_of({"listen", "unix:x"}).endpoint, Endpoint(UnixEndpoint{"x"}));
  EXPECT_EQ(options_of({"stdio-a"}).endpoint, std::nullopt);
  EXPECT_EQ(options_of({"stdio-b"}).endpoint, std::nullopt);
}

TEST(Options, EachCommandIsKnown) {
  EXPECT_EQ(options_of({"listen", "1"}).command, Command::kListen);
  EXPECT_EQ(options_of({"stdio-a"}).command, Command::kStdioA);
  EXPECT_EQ(options_of({"stdio-b"}).command, Command::kStdioB);
  EXPECT_EQ(options_of({"mailbox"}).command, Command::kMailbox);
}

TEST(Options, NothingIsSetThatWasNotGiven) {
  const Options options = options_of({"listen", "80"});
  EXPECT_FALSE(options.code);
  EXPECT_FALSE(options.code_fd);
  EXPECT_FALSE(options.once || options.json || options.trace);
  EXPECT_EQ(options.verbosity, Verbosity::kNormal);
  EXPECT_FALSE(options.timeout);
  EXPECT_EQ(options.relay, ice::RelayPolicy::kAuto);
  EXPECT_FALSE(options.config_file);
  EXPECT_FALSE(options.settings.rendezvous_urls || options.settings.stun_host ||
               options.settings.stun_port || options.settings.turn_host ||
               options.settings.turn_port || options.settings.turn_user ||
               options.settings.turn_password || options.settings.turn_transports ||
               options.settings.proxies || options.settings.engine || options.settings.congestion ||
               options.settings.path || options.settings.port_search);
}

TEST(Options, EveryFlagIsRead) {
  const Options options = options_of({"listen",
                                      "--once",
                                      "--json",
                                      "--verbose",
                                      "--trace",
                                      "--timeout",
                                      "90",
                                      "--relay",
                                      "only",
                                      "--code-fd",
                                      "7",
                                      "--config",
                                      "/etc/p.conf",
                                      "80",
                                      "--rendezvous",
                                      "wss://h/v1",
                                      "--stun",
                                      "s.example",
                                      "--stun-port",
                                      "1",
                                      "--turn",
                                      "2001:db8::1",
                                      "--turn-port",
                                      "65535",
                                      "--turn-user",
                                      "me",
                                      "--turn-password",
                                      "pass",
                                      "--turn-transport",
                                      "tcp",
                                      "--proxy",
                                      "http://proxy.test:3128",
                                      "--engine",
                                      "ngtcp2",
                                      "--congestion",
                                      "reno",
                                      "--port-search",
                                      "off",
                                      "--path",
                                      "nice"});
  EXPECT_TRUE(options.once && options.json && options.trace);
  EXPECT_EQ(options.verbosity, Verbosity::kVerbose);
  EXPECT_EQ(options.timeout, 90s);
  EXPECT_EQ(options.relay, ice::RelayPolicy::kOnly);
  EXPECT_EQ(options.code_fd, 7);
  EXPECT_EQ(options.config_file, "/etc/p.conf");
  EXPECT_EQ(options.settings.rendezvous_urls, std::vector<std::string>{"wss://h/v1"});
  EXPECT_EQ(options.settings.stun_host, "s.example");
  EXPECT_EQ(options.settings.stun_port, 1);
  EXPECT_EQ(options.settings.turn_host, "2001:db8::1");
  EXPECT_EQ(options.settings.turn_port, 65535);
  EXPECT_EQ(options.settings.turn_user, "me");
  ASSERT_TRUE(options.settings.turn_password);
  EXPECT_EQ(options.settings.turn_password->reveal_text(), "pass");
  EXPECT_EQ(options.settings.turn_transports, TurnTransports{TurnTransport::kTcp});
  ASSERT_TRUE(options.settings.proxies && options.settings.proxies->plain);
  EXPECT_EQ(options.settings.proxies->plain->port, 3128);
  EXPECT_EQ(options.settings.engine, adapters::QuicEngine::kNgtcp2);
  EXPECT_EQ(options.settings.congestion, adapters::Congestion::kReno);
  EXPECT_EQ(options.settings.port_search, false);
  EXPECT_EQ(options.settings.path, adapters::PathPolicy::kNice);
}

TEST(Options, AProxyIsHiddenWhereItStands) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"stdio-a", "--proxy", "http://me:secret@p"},
                                             {"stdio-a", "--proxy=http://me:secret@p"}}) {
    Arguments arguments(words);
    ASSERT_TRUE(arguments.parse());
    EXPECT_EQ(arguments.shown().find("secret"), std::string::npos) << arguments.shown();
    EXPECT_NE(arguments.shown().find("--proxy"), std::string::npos);
  }
  const Options none = options_of({"stdio-a", "--proxy="});
  ASSERT_TRUE(none.settings.proxies);
  EXPECT_FALSE(none.settings.proxies->plain);
}

TEST(Options, AnEmptyServerIsAServerLeftOut) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"stdio-a", "--stun", "", "--turn", ""}, {"stdio-a", "--stun=", "--turn="}}) {
    const Options options = options_of(words);
    EXPECT_EQ(options.settings.stun_host, "");
    EXPECT_EQ(options.settings.turn_host, "");
    EXPECT_FALSE(options.code);
  }
}

TEST(Options, TheLastOfARepeatedOptionCounts) {
  EXPECT_EQ(options_of({"stdio-a", "--stun", "a", "--stun", "b"}).settings.stun_host, "b");
}

TEST(Options, JsonIsSeenAmongWrongArguments) {
  std::array<std::string, 3> words{"peersock", "conect", "--json"};
  std::array<char*, 3> argv{words[0].data(), words[1].data(), words[2].data()};
  EXPECT_TRUE(asks_for_json(3, argv.data()));
  EXPECT_FALSE(asks_for_json(2, argv.data()));
}

TEST(Options, QuietIsRead) {
  EXPECT_EQ(options_of({"stdio-a", "-q"}).verbosity, Verbosity::kQuiet);
  EXPECT_EQ(options_of({"mailbox", "--quiet"}).verbosity, Verbosity::kQuiet);
}

TEST(Options, SeveralRendezvousServersKeepTheirOrder) {
  const std::vector<std::string> both{"wss://second/v1", "ws://first/v1"};
  EXPECT_EQ(options_of({"stdio-a", "--rendezvous", both[0], "--rendezvous=" + both[1]})
                .settings.rendezvous_urls,
            both);
  // A code behind an option is no further server.
  const Options options = options_of({"stdio-a", "--rendezvous", both[0], "8-lab-name-blanket"});
  EXPECT_EQ(options.settings.rendezvous_urls, std::vector<std::string>{both[0]});
  ASSERT_TRUE(options.code);
}

TEST(Options, ACodeWithAServerMayBeTypedInParts) {
  const Options options = options_of({"listen", "80", "2", "8", "lab", "name", "blanket"});
  ASSERT_TRUE(options.code);
  EXPECT_EQ(options.code->reveal_text(), "2-8-lab-name-blanket");
}

TEST(Options, ACodeMayBeTypedInParts) {
  // "connect" and "listen" are commands here and words there.
  const Options options = options_of({"listen", "80", "8", "connect", "name", "blanket"});
  EXPECT_EQ(options.command, Command::kListen);
  ASSERT_TRUE(options.code);
  EXPECT_EQ(options.code->reveal_text(), "8-connect-name-blanket");
  EXPECT_EQ(options_of({"stdio-a", "8 lab name blanket", "--json"}).code->reveal_text(),
            "8 lab name blanket");
}

TEST(Options, SecretsAreOverwrittenWhereTheyStand) {
  const auto shown = [](const std::vector<std::string>& words) {
    Arguments arguments(words);
    EXPECT_TRUE(arguments.parse()) << words[0];
    return arguments.shown();
  };
  EXPECT_EQ(shown({"stdio-a", "8-lab-name-blanket", "--json"}),
            "peersock stdio-a ****************** --json");
  EXPECT_EQ(shown({"listen", "80", "8", "lab", "name", "zoo"}),
            "peersock listen 80 * *** **** ***");
  EXPECT_EQ(shown({"stdio-a", "--turn-password", "hunter2", "--stun", "hunter2"}),
            "peersock stdio-a --turn-password ******* --stun hunter2");
  EXPECT_EQ(shown({"stdio-a", "--turn-password=hunter2"}),
            "peersock stdio-a --turn-password=*******");
}

TEST(Options, SecretsAreOverwrittenEvenWhenSomethingElseIsWrong) {
  Arguments arguments({"listen", "99999", "8-lab-name-blanket", "--turn-password", "hunter2"});
  EXPECT_FALSE(arguments.parse());
  EXPECT_THAT(arguments.shown(), AllOf(Not(HasSubstr("lab")), Not(HasSubstr("hunter2"))));
}

std::vector<std::string> many_servers() {
  std::vector<std::string> words{"stdio-a"};
  for (int i = 0; i < 10; ++i) words.insert(words.end(), {"--rendezvous", "ws://h/v1"});
  return words;
}

struct Wrong {
  std::vector<std::string> words;
  std::string message;
};
class WrongArguments : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongArguments, AreNamedInOneSentence) {
  EXPECT_THAT(error_of(GetParam().words), HasSubstr(GetParam().message));
  EXPECT_THAT(error_of(GetParam().words), Not(HasSubstr("blanket"))) << "repeats the code";
  EXPECT_THAT(error_of(GetParam().words), Not(HasSubstr("hunter2"))) << "repeats the password";
  EXPECT_THAT(error_of(GetParam().words), Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    Options, WrongArguments,
    ::testing::Values(
        Wrong{{},
              "A command is missing; expected is connect, listen, stdio-a, stdio-b, mailbox or "
              "doctor"},
        Wrong{{"conect", "a:1"}, "The first argument is not a command; expected is connect"},
        Wrong{{"8-lab-name-blanket"}, "The first argument is not a command"},
        Wrong{{"", "--json"}, "The first argument is not a command"},
        Wrong{{"conect", "--json"}, "The first argument is not a command"},
        Wrong{{"--jsn"}, "--jsn is not an option; see peersock --help"},
        Wrong{{"listen", "80", "--jsn"},
              "--jsn is not an option of this command; see peersock listen --help"},
        Wrong{{"listen", "80", "--cod=8-lab-name-blanket"}, "--cod is not an option"},
        Wrong{{"stdio-a", "--once"}, "--once is not an option of this command"},
        Wrong{{"--stun", "x", "stdio-a"},
              "--stun has to follow the command; see peersock stdio-a --help"},
        Wrong{{"--once", "stdio-a"}, "--once is not an option of this command"},
        Wrong{{"mailbox", "--stun", "x"}, "--stun is not an option of this command"},
        Wrong{{"listen"}, "ADDRESS is required; see peersock listen --help"},
        Wrong{{"connect"}, "TARGET is required"}, Wrong{{"connect", "8-lab-name-blanket"}, "PORT"},
        Wrong{{"connect", "localhost:0"}, "port"},
        Wrong{{"listen", "80", "2", "8", "lab", "name", "blanket", "zoo"},
              "There are more arguments than expected; see peersock listen --help"},
        Wrong{{"mailbox", "8-lab-name-blanket"}, "There are more arguments than expected"},
        Wrong{{"stdio-a", "--stun"}, "--stun needs a value; see peersock stdio-a --help"},
        Wrong{{"stdio-a", "--json=8-lab-name-blanket"}, "--json does not take a value"},
        Wrong{{"stdio-a", "--quiet", "--verbose"}, "--quiet and --verbose exclude each other"},
        Wrong{{"stdio-a", "--code-fd", "3", "8-lab-name-blanket"}, "The code is given twice"},
        Wrong{{"stdio-a", "--code-fd", "-1"}, "--code-fd is \"-1\"; expected is the number"},
        Wrong{{"stdio-a", "--timeout", "0"}, "--timeout is \"0\"; expected is a whole number"},
        Wrong{{"stdio-a", "--timeout", "1e3"}, "--timeout is \"1e3\""},
        Wrong{{"stdio-a", "--relay", "yes"}, "--relay is \"yes\"; expected is auto, only or never"},
        Wrong{{"stdio-a", "--stun-port", "65536"}, "--stun-port is \"65536\"; expected is a port"},
        Wrong{{"stdio-a", "--turn-port", ""}, "--turn-port is empty; expected is a port number"},
        Wrong{{"stdio-a", "--turn", "host:3478"}, "--turn is \"host:3478\"; expected is a host"},
        Wrong{{"stdio-a", "--turn-user", ""}, "--turn-user is empty; expected is a user name"},
        Wrong{{"stdio-a", "--turn-password", "hunter2\n"}, "--turn-password is not valid"},
        Wrong{{"stdio-a", "--engine", "quiche"}, "--engine is \"quiche\"; expected is"},
        Wrong{{"stdio-a", "--congestion", "BBR"}, "--congestion is \"BBR\"; expected is"},
        Wrong{{"stdio-a", "--port-search", "on"},
              "--port-search is \"on\"; expected is auto or off"},
        Wrong{{"stdio-a", "--path", "relay"}, "--path is \"relay\"; expected is auto or nice"},
        Wrong{{"stdio-a", "--turn-transport", "ssl"}, "--turn-transport is \"ssl\"; expected is"},
        Wrong{{"stdio-a", "--rendezvous", "http://x/"}, "--rendezvous is not valid; expected is"},
        Wrong{{"stdio-a", "--rendezvous", ""}, "--rendezvous is not valid; expected is"},
        Wrong{{"stdio-a", "--rendezvous="}, "--rendezvous is not valid; expected is"},
        Wrong{{"stdio-a", "--rendezvous"}, "--rendezvous needs a value"},
        Wrong{{"stdio-a", "--rendezvous", "ws://a/", "--rendezvous", "a"},
              "--rendezvous is not valid; expected is"},
        Wrong{many_servers(), "--rendezvous gives 10 servers; expected are at most 9"},
        Wrong{{"mailbox", "--listen", "example.org:80"}, "--listen: "}));

std::string text(const std::vector<std::string>& words) {
  auto parsed = Arguments(words).parse();
  EXPECT_TRUE(parsed && std::holds_alternative<Information>(*parsed));
  return std::get<Information>(*parsed).text;
}

TEST(Options, TheSpecificationNamesEveryCommandAndOption) {
  const std::string specification = peersock::testing::read_specification("cli.md");
  const std::regex option("--[a-z-]+");
  for (const std::string command : {"connect", "listen", "stdio-a", "stdio-b", "mailbox"}) {
    EXPECT_THAT(specification, HasSubstr("    peersock " + command));
    const std::string help = text({command, "--help"});
    for (std::sregex_iterator at(help.begin(), help.end(), option), end; at != end; ++at) {
      EXPECT_THAT(specification, HasSubstr("`" + at->str())) << command;
    }
  }
}

TEST(Options, HelpAndVersionAreInformation) {
  EXPECT_THAT(text({"--help"}), AllOf(HasSubstr("stdio-a"), HasSubstr("Exit codes")));
  EXPECT_THAT(text({"listen", "--help"}),
              AllOf(HasSubstr("Usage: peersock listen [OPTIONS] ADDRESS [CODE]\n"),
                    HasSubstr("--stun-port"), HasSubstr("--once"), Not(HasSubstr("Exit codes"))));
  EXPECT_THAT(text({"stdio-b", "-h"}), Not(HasSubstr("--once")));
  EXPECT_THAT(text({"mailbox", "--help"}),
              AllOf(HasSubstr("127.0.0.1:4000"), HasSubstr("Usage: peersock mailbox [OPTIONS]\n")));
  EXPECT_THAT(text({"--version"}), ::testing::MatchesRegex("peersock [0-9.]+\n"));
}

}  // namespace
}  // namespace peersock::app
