// The client's link over TLS (wss://), against a libsoup server with a certificate of the test's.
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <libsoup/soup.h>
#include <unistd.h>

#include "mailbox_client.hpp"
#include "support/test_certificate.hpp"

namespace peersock::testing {
namespace {

using adapters::GObjectPtr;

/// Sends every frame back.
class TlsEchoServer {
 public:
  TlsEchoServer(GlibLoop& loop, const TestCertificate& made) : loop_(loop) {
    const adapters::ThreadDefault scope(loop_.context());
    const std::string pem = made.certificate + made.key;
    const GObjectPtr<GTlsCertificate> certificate(
        g_tls_certificate_new_from_pem(pem.c_str(), static_cast<gssize>(pem.size()), nullptr));
    server_.reset(soup_server_new("tls-certificate", certificate.get(), nullptr));
    soup_server_add_websocket_handler(server_.get(), "/v1", nullptr, nullptr, on_websocket, this,
                                      nullptr);
    soup_server_listen_local(server_.get(), 0,
                             static_cast<SoupServerListenOptions>(SOUP_SERVER_LISTEN_HTTPS |
                                                                  SOUP_SERVER_LISTEN_IPV4_ONLY),
                             nullptr);
  }
  TlsEchoServer(const TlsEchoServer&) = delete;
  TlsEchoServer& operator=(const TlsEchoServer&) = delete;
  TlsEchoServer(TlsEchoServer&&) = delete;
  TlsEchoServer& operator=(TlsEchoServer&&) = delete;
  ~TlsEchoServer() {
    const adapters::ThreadDefault scope(loop_.context());
    soup_server_disconnect(server_.get());
  }

  [[nodiscard]] std::string authority() const {
    GSList* uris = soup_server_get_uris(server_.get());
    const int port = g_uri_get_port(static_cast<GUri*>(uris->data));
    g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
    return "127.0.0.1:" + std::to_string(port);
  }

 private:
  static void on_websocket(SoupServer*, SoupServerMessage*, const char*,
                           SoupWebsocketConnection* websocket, gpointer data) noexcept {
    static_cast<TlsEchoServer*>(data)->websocket_ = adapters::share(websocket);
    soup_websocket_connection_set_max_incoming_payload_size(websocket, 0);
    g_signal_connect(websocket, "message", G_CALLBACK(on_message), nullptr);
  }
  static void on_message(SoupWebsocketConnection* websocket, gint type, GBytes* message,
                         gpointer) noexcept {
    soup_websocket_connection_send_message(websocket, static_cast<SoupWebsocketDataType>(type),
                                           message);
  }

  GlibLoop& loop_;
  GObjectPtr<SoupServer> server_;
  GObjectPtr<SoupWebsocketConnection> websocket_;
};

/// Trusts what `made` signed. The database reads its file late, so that this stays in place.
class Trust {
 public:
  explicit Trust(const TestCertificate& made)
      : path_(::testing::TempDir() + "peersock-trust-" + std::to_string(getpid()) + ".pem") {
    std::ofstream(path_) << made.certificate;
    database_.reset(G_TLS_DATABASE(g_tls_file_database_new(path_.c_str(), nullptr)));
  }
  Trust(const Trust&) = delete;
  Trust& operator=(const Trust&) = delete;
  Trust(Trust&&) = delete;
  Trust& operator=(Trust&&) = delete;
  ~Trust() { (void)std::remove(path_.c_str()); }

  [[nodiscard]] GTlsDatabase* get() const { return database_.get(); }

 private:
  std::string path_;
  GObjectPtr<GTlsDatabase> database_;
};

TEST(MailboxTls, CarriesFramesWhenTheCertificateIsGood) {
  const auto made = make_certificate("IP:127.0.0.1", 10);
  const Trust trust(made);
  GlibLoop loop;
  const TlsEchoServer server(loop, made);
  adapters::MailboxLinkConfig config;
  config.trusted = trust.get();
  MailboxClient client(loop, config);
  client.link->open("wss://" + server.authority() + "/v1");
  ASSERT_TRUE(loop.until([&] { return client.ups == 1 || !client.lost.empty(); }));
  ASSERT_TRUE(client.lost.empty()) << client.lost.at(0);
  // More than one message's worth, so that the count of octets is right through TLS too.
  const std::string long_text(1'500'000, 'x');
  for (std::size_t i = 1; i <= 5; ++i) {
    client.link->send(long_text);
    ASSERT_TRUE(loop.until([&] { return client.frames.size() == i || !client.lost.empty(); }));
    ASSERT_TRUE(client.lost.empty()) << client.lost.at(0);
    EXPECT_EQ(client.frames.back(), long_text);
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
    const auto made = make_certificate(c.name, c.days);
    const Trust trust(made);
    GlibLoop loop;
    const TlsEchoServer server(loop, made);
    adapters::MailboxLinkConfig config;
    if (c.known) config.trusted = trust.get();
    MailboxClient client(loop, config);
    client.link->open("wss://" + server.authority() + "/v1");
    EXPECT_TRUE(loop.until([&] { return !client.lost.empty(); }));
    EXPECT_EQ(client.lost.at(0),
              "the TLS certificate of " + server.authority() + " can not be trusted: " + c.fault);
    EXPECT_EQ(client.ups, 0);
  }
}

}  // namespace
}  // namespace peersock::testing
