// The options of `peersock mailbox`: what is read, and what is wrong with what.
#include "app/mailbox_options.hpp"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arguments.hpp"
#include "support/vectors.hpp"

namespace peersock::app {
namespace {

using adapters::MailboxServerConfig;
using testing::Arguments;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::options_of;

MailboxServerConfig config_of(std::vector<std::string> words) {
  words.insert(words.begin(), "mailbox");
  return options_of(words).mailbox;
}

std::string mailbox_error(std::vector<std::string> words) {
  words.insert(words.begin(), "mailbox");
  return error_of(words);
}

TEST(MailboxOptions, DefaultsAreThoseOfTheServer) {
  const MailboxServerConfig config = config_of({});
  const MailboxServerConfig defaults;
  EXPECT_EQ(config.listen, (std::vector<Endpoint>{TcpEndpoint{"127.0.0.1", 4000}}));
  EXPECT_FALSE(config.admin || config.tls || config.state_file || config.behind_proxy);
  EXPECT_FALSE(config.rules.motd || config.rules.welcome_error || config.rules.advertised_version);
  EXPECT_TRUE(config.rules.allow_list);
  EXPECT_EQ(config.unix_mode, 0600U);
  EXPECT_EQ(config.max_connections, defaults.max_connections);
  EXPECT_EQ(config.max_backlog, defaults.max_backlog);
  EXPECT_EQ(config.max_backlog_in_all, defaults.max_backlog_in_all);
  EXPECT_EQ(config.rules.prune_after, defaults.rules.prune_after);
  EXPECT_EQ(config.rules.prune_every, defaults.rules.prune_every);
}

TEST(MailboxOptions, ListensWhereverItIsTold) {
  EXPECT_EQ(
      config_of({"--listen", "80", "--listen", "[::1]:0", "--listen=*:4000", "--listen",
                 "unix:/run/m", "--listen", "192.0.2.1:1"})
          .listen,
      (std::vector<Endpoint>{TcpEndpoint{"", 80}, TcpEndpoint{"::1", 0}, TcpEndpoint{"*", 4000},
                             UnixEndpoint{"/run/m"}, TcpEndpoint{"192.0.2.1", 1}}));
}

TEST(MailboxOptions, EveryOptionIsRead) {
  const MailboxServerConfig config = config_of({"--unix-mode",
                                                "660",
                                                "--tls-cert",
                                                "c",
                                                "--tls-key",
                                                "k",
                                                "--behind-proxy",
                                                "--state",
                                                "s",
                                                "--admin",
                                                "9100",
                                                "--motd",
                                                "m",
                                                "--signal-error",
                                                "e",
                                                "--advertise-version",
                                                "1.0",
                                                "--no-list",
                                                "--max-connections",
                                                "11",
                                                "--max-connections-per-address",
                                                "12",
                                                "--max-nameplates-per-address",
                                                "13",
                                                "--max-mailboxes",
                                                "14",
                                                "--max-messages",
                                                "15",
                                                "--max-message-size",
                                                "16K",
                                                "--max-mailbox-size",
                                                "17K",
                                                "--max-stored",
                                                "18M",
                                                "--max-backlog",
                                                "19M",
                                                "--max-backlog-in-all",
                                                "1G",
                                                "--ping-every",
                                                "20",
                                                "--client-timeout",
                                                "21",
                                                "--handshake-timeout",
                                                "22",
                                                "--prune-after",
                                                "23"});
  EXPECT_EQ(config.unix_mode, 0660U);
  ASSERT_TRUE(config.tls);
  EXPECT_EQ(config.tls->certificate + config.tls->key, "ck");
  EXPECT_TRUE(config.behind_proxy);
  EXPECT_EQ(config.state_file, "s");
  EXPECT_EQ(config.admin, Endpoint(TcpEndpoint{"", 9100}));
  EXPECT_EQ(config.rules.motd, "m");
  EXPECT_EQ(config.rules.welcome_error, "e");
  EXPECT_EQ(config.rules.advertised_version, "1.0");
  EXPECT_FALSE(config.rules.allow_list);
  EXPECT_EQ(config.max_connections, 11U);
  EXPECT_EQ(config.max_connections_per_address, 12U);
  EXPECT_EQ(config.rules.max_nameplates_per_origin, 13U);
  EXPECT_EQ(config.rules.max_mailboxes, 14U);
  EXPECT_EQ(config.rules.max_messages_per_mailbox, 15U);
  EXPECT_EQ(config.rules.max_frame, 16U * 1024);
  EXPECT_EQ(config.rules.max_octets_per_mailbox, 17U * 1024);
  EXPECT_EQ(config.rules.max_octets, 18U * 1024 * 1024);
  EXPECT_EQ(config.max_backlog, 19U * 1024 * 1024);
  EXPECT_EQ(config.max_backlog_in_all, 1U << 30);
  EXPECT_EQ(config.ping_every, 20s);
  EXPECT_EQ(config.max_silence, 21s);
  EXPECT_EQ(config.handshake_timeout, 22s);
  EXPECT_EQ(config.rules.prune_after, 23s);
  EXPECT_EQ(config.rules.prune_every, 23s);
}

TEST(MailboxOptions, OneFileMayBeCertificateAndKey) {
  const auto config = config_of({"--tls-cert", "both.pem"});
  EXPECT_EQ(config.tls->key, "both.pem");
}

TEST(MailboxOptions, LargerMailboxesMakeRoomForWhatFollows) {
  const auto config = config_of({"--max-mailbox-size", "200M"});
  EXPECT_EQ(config.max_backlog, 300U * 1024 * 1024);
  EXPECT_EQ(config.max_backlog_in_all, 300U * 1024 * 1024);
}

TEST(MailboxOptions, SizesHaveUnits) {
  for (const auto& [text, octets] : {std::pair<const char*, std::size_t>{"65536", 65536},
                                     {"64K", 65536},
                                     {"64k", 65536},
                                     {"1m", 1 << 20}}) {
    EXPECT_EQ(config_of({"--max-message-size", text}).rules.max_frame, octets);
  }
}

struct Wrong {
  std::vector<std::string> words;
  std::string message;
};
class WrongMailboxOptions : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongMailboxOptions, AreNamedInOneSentence) {
  EXPECT_THAT(mailbox_error(GetParam().words), HasSubstr(GetParam().message));
  EXPECT_THAT(mailbox_error(GetParam().words), Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    MailboxOptions, WrongMailboxOptions,
    ::testing::Values(
        Wrong{{"--listen", "nowhere"}, "--listen: "}, Wrong{{"--listen", ""}, "--listen"},
        Wrong{{"--listen", "80", "90"}, "There are more arguments than expected"},
        Wrong{{"--admin", ""}, "--admin: "},
        Wrong{{"--max-connections", "0"},
              "--max-connections is \"0\"; expected is a whole number from 1 to 1000000"},
        Wrong{{"--max-connections", "1000001"}, "--max-connections is \"1000001\""},
        Wrong{{"--max-connections", "1K"}, "--max-connections is \"1K\""},
        Wrong{{"--max-connections", "+1"}, "--max-connections is \"+1\""},
        Wrong{{"--max-connections", "-1"}, "--max-connections"},
        Wrong{{"--max-connections", " 1"}, "--max-connections is \" 1\""},
        Wrong{{"--max-connections", ""}, "--max-connections is empty"},
        Wrong{{"--max-messages", "99999999999999999999"}, "--max-messages is \"9999"},
        Wrong{{"--max-message-size", "4095"},
              "--max-message-size is \"4095\"; expected is a number of octets, also like 64K, 16M "
              "or 1G, from 4K to 256M"},
        Wrong{{"--max-message-size", "257M"}, "--max-message-size is \"257M\""},
        Wrong{{"--max-stored", "18446744073709551615G"}, "--max-stored is \"184467"},
        Wrong{{"--max-stored", "1KK"}, "--max-stored is \"1KK\""},
        Wrong{{"--prune-after", "0"},
              "--prune-after is \"0\"; expected is a whole number of seconds from 1 to 2592000"},
        Wrong{{"--ping-every", "600"},
              "--client-timeout is 600; expected is more than --ping-every"},
        Wrong{{"--max-backlog", "16M"},
              "--max-backlog is 16M; expected is more than --max-mailbox-size (16M)"},
        Wrong{{"--max-backlog-in-all", "23M"},
              "--max-backlog-in-all is 23M; expected is at least --max-backlog (24M)"},
        Wrong{{"--unix-mode", "0x1ff"}, "--unix-mode is \"0x1ff\"; expected is three octal digits"},
        Wrong{{"--unix-mode", "1777"}, "--unix-mode"}, Wrong{{"--unix-mode", "400"}, "--unix-mode"},
        Wrong{{"--motd", ""}, "--motd is empty; expected is a text"},
        Wrong{{"--motd", "\xff"}, "--motd is"},
        Wrong{{"--signal-error", std::string(4097, 'x')}, "--signal-error is \"xxx"},
        Wrong{{"--tls-key", "k"}, "--tls-key is given alone; expected is --tls-cert FILE with it"},
        Wrong{{"--tls-cert", ""}, "--tls-cert is empty"},
        Wrong{{"--state", ""}, "--state is empty"},
        Wrong{{"--no-list=no"}, "--no-list does not take a value"}));

TEST(MailboxOptions, TheSpecificationHasEveryDefaultAndRange) {
  const std::string specification = peersock::testing::read_specification("cli.md");
  const auto parsed = Arguments({"mailbox", "--help"}).parse();
  ASSERT_TRUE(parsed);
  const std::string help = std::get<Information>(*parsed).text;
  // In the help: "--max-messages N   Messages in one mailbox; the default is 1024".
  const std::regex option("(--[a-z-]+) (?:N|SIZE|SECONDS)[^-]*?default is\\s+([0-9]+[KMG]?)");
  int found = 0;
  for (std::sregex_iterator at(help.begin(), help.end(), option), end; at != end; ++at, ++found) {
    const std::regex row("\\| `" + at->str(1) + "` \\|[^|]*\\| " + at->str(2) + " \\|");
    EXPECT_TRUE(std::regex_search(specification, row)) << at->str(1) << " " << at->str(2);
  }
  EXPECT_EQ(found, 14);
}

}  // namespace
}  // namespace peersock::app
