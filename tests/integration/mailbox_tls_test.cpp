// TLS between the client's link (GIO) and the rendezvous server (OpenSSL), with certificates of the
// test's.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "mailbox_client.hpp"
#include "raw_client.hpp"
#include "support/temporary_files.hpp"
#include "support/test_certificate.hpp"

namespace peersock::testing {
namespace {

using adapters::GObjectPtr;
using adapters::MailboxServer;
using adapters::MailboxServerConfig;

/// A server with a certificate, and a link that may trust it.
struct TlsHouse {
  TlsHouse(GlibLoop& loop, const std::string& name, int days) {
    const auto made = make_certificate(name, days);
    const std::string file = files.file("both.pem", made.certificate + made.key);
    // It reads the file late, so that this stays in place.
    trusted.reset(G_TLS_DATABASE(g_tls_file_database_new(file.c_str(), nullptr)));
    MailboxServerConfig config;
    config.tls = adapters::TlsFiles{file, file};
    house = std::make_unique<MailboxHouse>(loop, config);
  }
  [[nodiscard]] std::string url() const { return house->url(); }
  [[nodiscard]] adapters::MailboxLinkConfig link() const {
    adapters::MailboxLinkConfig config;
    config.trusted = trusted.get();
    return config;
  }

  TemporaryFiles files;
  GObjectPtr<GTlsDatabase> trusted;
  std::unique_ptr<MailboxHouse> house;
};

TEST(MailboxTls, CarriesLongFramesBothWays) {
  GlibLoop loop;
  const TlsHouse house(loop, "IP:127.0.0.1", 10);
  EXPECT_TRUE(house.url().starts_with("wss://127.0.0.1:"));
  MailboxClient a(loop, house.link());
  MailboxClient b(loop, house.link());
  ASSERT_TRUE(a.join(house.url(), "a")) << a.lost.at(0);
  ASSERT_TRUE(b.join(house.url(), "b")) << b.lost.at(0);
  a.say({{"type", "open"}, {"mailbox", "m"}});
  b.say({{"type", "open"}, {"mailbox", "m"}});
  for (int i = 0; i < 5; ++i) {
    const std::string body(1'500'000, static_cast<char>('a' + i));
    a.say({{"type", "add"}, {"phase", "p"}, {"body", body}});
    EXPECT_EQ(b.hear("message").at("body").get<std::string>(), body);
    EXPECT_EQ(a.hear("message").at("body").get<std::string>(), body);
  }
}

TEST(MailboxTls, KeepsEveryOctetWhenTheReaderIsSlower) {
  GlibLoop loop;
  const TlsHouse house(loop, "IP:127.0.0.1", 10);
  MailboxClient client(loop, house.link());
  ASSERT_TRUE(client.join(house.url(), "a"));
  client.say({{"type", "open"}, {"mailbox", "m"}});
  // All at once, so that much of the echo has to wait in the server.
  constexpr int kCount = 40;
  const auto body = [](int i) { return std::string(300'000, static_cast<char>('a' + i % 26)); };
  for (int i = 0; i < kCount; ++i) {
    client.say({{"type", "add"}, {"phase", std::to_string(i)}, {"body", body(i)}});
  }
  for (int i = 0; i < kCount; ++i) {
    const auto heard = client.hear("message");
    ASSERT_TRUE(heard.is_object()) << i;
    EXPECT_EQ(heard.at("phase"), std::to_string(i));
    EXPECT_EQ(heard.at("body").get<std::string>(), body(i));
  }
}

TEST(MailboxTls, SaysWhatIsWrongWithTheCertificate) {
  struct Case {
    const char* name;
    int days;
    bool known;
    const char* fault;
  };
  const Case cases[] = {
      {"IP:127.0.0.1", 10, false, "this machine does not know its issuer"},
      {"DNS:relay.example.org", 10, true, "it is for another name"},
      {"IP:127.0.0.1", -1, true, "it has expired"},
  };
  for (const Case& c : cases) {
    GlibLoop loop;
    const TlsHouse house(loop, c.name, c.days);
    MailboxClient client(loop, c.known ? house.link() : adapters::MailboxLinkConfig{});
    client.link->open(house.url());
    EXPECT_TRUE(loop.until([&] { return !client.lost.empty(); }));
    EXPECT_EQ(client.lost.at(0),
              "the TLS certificate of 127.0.0.1:" + std::to_string(house.house->port()) +
                  " can not be trusted: " + c.fault);
    EXPECT_EQ(client.ups, 0);
  }
}

TEST(MailboxTls, WhatIsNoTlsEndsAlone) {
  GlibLoop loop;
  TemporaryFiles folder;
  const auto made = make_certificate("IP:127.0.0.1", 10);
  MailboxServerConfig config;
  config.handshake_timeout = 200ms;
  config.tls =
      adapters::TlsFiles{folder.file("c.pem", made.certificate), folder.file("k.pem", made.key)};
  MailboxHouse house(loop, config);
  ASSERT_TRUE(house.server);
  const std::string half_hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (const std::string& octets : {std::string("GET /v1 HTTP/1.1\r\n\r\n"), upgrade_request(),
                                    half_hello, std::string(), std::string(10'000, '\xff')}) {
    const auto peer = TcpPeer::connect(loop.context(), house.port());
    peer->send(octets);
    EXPECT_TRUE(ends(loop, *peer));
  }
  EXPECT_TRUE(loop.until([&] { return house.server->connections() == 0; }));
}

TEST(MailboxTls, SaysWhichTlsFileIsWrong) {
  GlibLoop loop;
  TemporaryFiles folder;
  const auto made = make_certificate("DNS:a", 10);
  const auto other = make_certificate("DNS:b", 10);
  const std::string certificate = folder.file("c.pem", made.certificate);
  const std::string key = folder.file("k.pem", made.key);
  const std::string foreign = folder.file("f.pem", other.key);
  const std::string missing = folder.file("missing.pem");
  struct Case {
    adapters::TlsFiles files;
    std::string message;
  };
  const Case cases[] = {
      {{missing, key}, missing + ": can not be read (No such file or directory)"},
      {{certificate, missing}, missing + ": can not be read (No such file or directory)"},
      {{key, key}, key + ": holds no certificate"},
      {{certificate, certificate}, certificate + ": holds no private key"},
      {{certificate, foreign}, foreign + ": is not the key of the certificate in " + certificate},
  };
  SeededRng rng(1);
  for (const Case& c : cases) {
    MailboxServerConfig config;
    config.listen = {TcpEndpoint{"127.0.0.1", 0}};
    config.tls = c.files;
    const auto server = MailboxServer::create(loop.context(), config, rng);
    ASSERT_FALSE(server) << c.message;
    EXPECT_EQ(server.error().kind, ErrorKind::kUsage);
    EXPECT_TRUE(server.error().message.starts_with(c.message)) << server.error().message;
  }
}

}  // namespace
}  // namespace peersock::testing
