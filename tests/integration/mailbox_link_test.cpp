// The client's link against servers that refuse, break off, lie or never answer.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "adapters/unique_fd.hpp"
#include "mailbox_client.hpp"
#include "scripted_server.hpp"

namespace peersock::testing {
namespace {

using adapters::MailboxLinkConfig;

/// Opens a link, and gives the reason for which it is lost.
std::string loss(GlibLoop& loop, const std::string& url, const MailboxLinkConfig& config = {}) {
  MailboxClient client(loop, config);
  client.link->open(url);
  EXPECT_TRUE(client.lost.empty()) << "told inside the call";
  if (!loop.until([&] { return !client.lost.empty(); })) return "(never lost)";
  EXPECT_FALSE(client.link->is_up());
  loop.turn(100);
  EXPECT_EQ(client.lost.size(), 1U);
  return client.lost.at(0);
}

// --- attempts that fail

TEST(MailboxLinkFails, OnTextsThatAreNoUrls) {
  GlibLoop loop;
  for (const char* text : {"", "relay", "relay:4000", "http://relay/v1", "ws://", "ws:///v1",
                           "ws://relay:99999/v1", "ws://[::1/v1", "wss:relay", "ws://a b/v1"}) {
    const std::string url(text);
    EXPECT_EQ(loss(loop, url),
              "\"" + url + "\" is not of the form ws://HOST:PORT/v1 or wss://HOST/v1");
  }
  EXPECT_EQ(loss(loop, "ws\x1b://\n"),
            "\"ws:// \" is not of the form ws://HOST:PORT/v1 or wss://HOST/v1");
}

TEST(MailboxLinkFails, WhenNobodyListens) {
  GlibLoop loop;
  std::uint16_t port = 0;
  {
    const TcpListener gone(loop.context(), nullptr);
    port = gone.port();
  }
  EXPECT_EQ(loss(loop, url_of(port)), name_of(port) + " refused the connection");
  EXPECT_EQ(loss(loop, url_of(port, "wss")), name_of(port) + " refused the connection");
}

TEST(MailboxLinkFails, WhenTheNameIsNotKnown) {
  GlibLoop loop;
  // RFC 6761: this name never exists. How soon that is found out is the resolver's matter.
  const std::string reason = loss(loop, "ws://peersock.invalid:4000/v1");
  EXPECT_NE(reason.find("peersock.invalid:4000"), std::string::npos) << reason;
}

TEST(MailboxLinkFails, OnHttpThatIsNoWebSocket) {
  GlibLoop loop;
  MailboxHouse house(loop);
  const std::string base = "ws://" + name_of(house.port());
  EXPECT_EQ(loss(loop, base + "/"),
            name_of(house.port()) + " answered HTTP 200 OK instead of a WebSocket");
  EXPECT_EQ(loss(loop, base + "/v2"),
            name_of(house.port()) + " answered HTTP 404 Not Found instead of a WebSocket");
}

TEST(MailboxLinkFails, OnAnswersThatAreNoHandshake) {
  struct Case {
    const char* answer;
    const char* reason;  ///< after the address
  };
  const Case cases[] = {
      {"HTTP/1.1 301 Moved Permanently\r\nLocation: ws://127.0.0.1:1/v1\r\nContent-Length: "
       "0\r\n\r\n",
       " answered HTTP 301 Moved Permanently instead of a WebSocket"},
      {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: "
       "0\r\n\r\n",
       " answered HTTP 401 Unauthorized instead of a WebSocket"},
      {"HTTP/1.1 503 Busy\r\nContent-Length: 999999999\r\n\r\nxxxxxxxxxxxxxxxx",
       " answered HTTP 503 Service Unavailable instead of a WebSocket"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
       " answered HTTP 200 OK instead of a WebSocket"},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
       " did not accept the WebSocket handshake: is it a rendezvous server?"},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n",
       " did not accept the WebSocket handshake: is it a rendezvous server?"},
      {"SSH-2.0-OpenSSH_9.2\r\n", " does not speak HTTP"},
      {"\r\n\r\n\r\n", " does not speak HTTP"},
      {"HTTP/1.1 \xff\xff\r\n\r\n", " does not speak HTTP"},
  };
  for (const Case& c : cases) {
    GlibLoop loop;
    const TcpListener server(loop.context(), [&c](TcpPeer& peer) {
      peer.on_input = [&peer, &c] {
        if (take_http_head(peer.received())) {
          peer.send(c.answer);
          peer.finish();
        }
      };
    });
    EXPECT_EQ(loss(loop, url_of(server.port())), name_of(server.port()) + c.reason) << c.answer;
  }
}

TEST(MailboxLinkFails, OnAServerThatAgreesToWhatWasNotOffered) {
  for (const std::string field :
       {"Sec-WebSocket-Extensions: permessage-deflate\r\n", "Sec-WebSocket-Protocol: chat\r\n"}) {
    GlibLoop loop;
    const TcpListener server(loop.context(), [&field](TcpPeer& peer) {
      peer.on_input = [&peer, &field] {
        const auto head = take_http_head(peer.received());
        if (!head) return;
        EXPECT_EQ(head->find("Sec-WebSocket-Extensions"), std::string::npos);
        std::string answer = upgrade_response(*head);
        peer.send(answer.insert(answer.find("\r\n") + 2, field));
      };
    });
    EXPECT_EQ(loss(loop, url_of(server.port())),
              name_of(server.port()) +
                  " did not accept the WebSocket handshake: is it a rendezvous server?");
  }
}

TEST(MailboxLinkFails, OnAnAnswerWithoutEnd) {
  GlibLoop loop;
  const TcpListener server(loop.context(), [](TcpPeer& peer) {
    peer.send("HTTP/1.1 101 Switching Protocols\r\nX: " + std::string(100'000, 'x'));
  });
  EXPECT_EQ(loss(loop, url_of(server.port())), name_of(server.port()) + " does not speak HTTP");
}

TEST(MailboxLinkFails, OnAServerThatHangsUp) {
  GlibLoop loop;
  const TcpListener closes(loop.context(), [](TcpPeer& peer) { peer.finish(); });
  const TcpListener resets(loop.context(), [](TcpPeer& peer) { peer.reset(); });
  EXPECT_EQ(loss(loop, url_of(closes.port())),
            name_of(closes.port()) + " closed the connection without a WebSocket handshake");
  const std::string reset = loss(loop, url_of(resets.port()));
  EXPECT_EQ(reset.find("the connection to " + name_of(resets.port()) + " failed: "), 0U) << reset;
}

TEST(MailboxLinkFails, OnAServerThatNeverAnswers) {
  GlibLoop loop;
  MailboxLinkConfig config;
  config.connect_timeout = 200ms;
  for (const char* part : {"", "HTTP/1.1 101 Switch", "SSH-2.0-OpenSSH_9.2\r\n"}) {
    const TcpListener server(loop.context(), [part](TcpPeer& peer) { peer.send(part); });
    EXPECT_EQ(loss(loop, url_of(server.port()), config),
              name_of(server.port()) + " did not answer the WebSocket handshake within 0.2 s");
  }
  const TcpListener silent(loop.context(), nullptr);
  EXPECT_EQ(loss(loop, url_of(silent.port(), "wss"), config),
            name_of(silent.port()) + " did not start TLS within 0.2 s: if it has none, try ws://");
}

TEST(MailboxLinkFails, OnPlainServersForTls) {
  GlibLoop loop;
  const TcpListener plain(loop.context(), [](TcpPeer& peer) {
    peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  const std::string reason = loss(loop, url_of(plain.port(), "wss"));
  EXPECT_EQ(reason.find("the TLS handshake with " + name_of(plain.port()) + " failed ("), 0U);
  EXPECT_NE(reason.find("): if it has no TLS, try ws://"), std::string::npos) << reason;
}

// --- an open link that breaks

/// A server in a thread of its own, with blocking sockets: however fast one reads, there is more.
class FastServer {
 public:
  FastServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_.get(), generic, size), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    EXPECT_EQ(getsockname(listener_.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  FastServer(const FastServer&) = delete;
  FastServer& operator=(const FastServer&) = delete;
  FastServer(FastServer&&) = delete;
  FastServer& operator=(FastServer&&) = delete;
  ~FastServer() { thread_.join(); }

  static constexpr std::size_t kMost = 500'000'000;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Octets that the client's machine has taken; kMost when the client never stopped.
  [[nodiscard]] std::size_t sent() const { return sent_; }

 private:
  void serve() {
    const adapters::UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string head;
    char octet = 0;
    while (!head.ends_with("\r\n\r\n")) {
      if (recv(client.get(), &octet, 1, 0) != 1) return;
      head.push_back(octet);
    }
    std::string octets = upgrade_response(head) + ws_frame(kText, "{", false, false);
    while (sent_ < kMost) {
      const ssize_t taken = send(client.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (taken != static_cast<ssize_t>(octets.size())) return;
      sent_ += octets.size();
      octets = ws_frame(kContinuation, std::string(60'000, ' '), false, false);
    }
  }

  adapters::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> sent_ = 0;
  std::thread thread_;
};

TEST(MailboxLinkBreaks, OnAServerThatIsFasterThanItIsRead) {
  std::size_t sent = 0;
  {
    GlibLoop loop;
    const FastServer server;
    EXPECT_EQ(loss(loop, url_of(server.port())), "the server sent a message that is too long");
    sent = server.sent();
  }
  EXPECT_LT(sent, FastServer::kMost / 4);
}

TEST(MailboxLinkBreaks, WithAReason) {
  struct Case {
    const char* name;
    std::function<void(TcpPeer&)> then;
    std::string reason;
  };
  const auto sends = [](const std::string& octets) {
    return [octets](TcpPeer& peer) { peer.send(octets); };
  };
  const Case cases[] = {
      {"closes", sends(ws_frame(kClose, "\x03\xe8", false)), "the server closed the connection"},
      {"closes without a code", sends(ws_frame(kClose, "", false)),
       "the server closed the connection"},
      {"goes away", sends(ws_frame(kClose, "\x03\xe9", false)), "the server is going away"},
      {"closes with a code", sends(ws_frame(kClose, "\x03\xf0 bad", false)),
       "the server closed the connection with code 1008"},
      {"ends", [](TcpPeer& peer) { peer.finish(); }, "the connection broke"},
      {"masks", sends(ws_frame(kText, "{}", true)), "the server broke the WebSocket protocol"},
      {"sends other than UTF-8", sends(ws_frame(kText, "\xff", false)),
       "the server broke the WebSocket protocol"},
      {"sends too much", sends(ws_frame(kText, std::string(2'000'001, ' '), false)),
       "the server sent a message that is too long"},
      {"never ends a message",
       [](TcpPeer& peer) {
         peer.send(ws_frame(kText, "{", false, false));
         for (int i = 0; i < 200; ++i) {
           peer.send(ws_frame(kContinuation, std::string(100'000, ' '), false, false));
         }
       },
       "the server sent a message that is too long"},
  };
  MailboxLinkConfig config;
  config.max_message = 2'000'000;
  for (const Case& c : cases) {
    GlibLoop loop;
    ScriptedServer server(loop, c.then);
    EXPECT_EQ(loss(loop, server.url(), config), c.reason) << c.name;
  }
}

TEST(MailboxLinkBreaks, ByAReset) {
  GlibLoop loop;
  ScriptedServer server(loop, nullptr);
  MailboxClient client(loop);
  client.link->open(server.url());
  EXPECT_TRUE(loop.until([&] { return !server.peers().empty(); }));
  server.peers().at(0)->on_input = [&] {
    TcpPeer& peer = *server.peers().at(0);
    if (const auto head = take_http_head(peer.received())) peer.send(upgrade_response(*head));
  };
  ASSERT_TRUE(loop.until([&] { return client.ups == 1; }));
  server.peers().at(0)->reset();
  EXPECT_TRUE(loop.until([&] { return !client.lost.empty(); }));
  EXPECT_EQ(client.lost.at(0),
            "the connection broke: Error receiving data: Connection reset by peer");
}

// --- frames

TEST(MailboxLinkFrames, TextAndBinaryArriveWithTheHandshake) {
  GlibLoop loop;
  ScriptedServer server(loop, [](TcpPeer& peer) {
    peer.send(ws_frame(kText, "one", false) + ws_frame(kBinary, std::string("t\0o", 3), false) +
              ws_frame(kText, "th", false, false) + ws_frame(kContinuation, "ree", false) +
              ws_frame(kBinary, "", false));
  });
  MailboxClient client(loop);
  client.link->open(server.url());
  EXPECT_TRUE(loop.until([&] { return client.frames.size() == 4; }));
  EXPECT_EQ(client.frames, (std::vector<std::string>{"one", std::string("t\0o", 3), "three", ""}));
}

TEST(MailboxLinkFrames, ManyLongMessagesAreNoEndlessOne) {
  GlibLoop loop;
  ScriptedServer server(loop, [](TcpPeer& peer) {
    for (int i = 0; i < 30; ++i) peer.send(ws_frame(kText, std::string(900'000, 'x'), false));
  });
  MailboxLinkConfig config;
  config.max_message = 1'000'000;
  MailboxClient client(loop, config);
  client.link->open(server.url());
  EXPECT_TRUE(loop.until([&] { return client.frames.size() == 30 || !client.lost.empty(); }));
  EXPECT_TRUE(client.lost.empty()) << client.lost.at(0);
}

TEST(MailboxLinkFrames, TextGoesOutMasked) {
  GlibLoop loop;
  ScriptedServer server(loop, [](TcpPeer&) {});
  MailboxClient client(loop);
  client.when_up = [&] { client.link->send("hello"); };
  client.link->open(server.url());
  client.link->send("too early");
  std::optional<WsFrame> frame;
  bool masked = false;
  EXPECT_TRUE(loop.until([&] {
    if (server.peers().empty()) return false;
    auto& received = server.peers().at(0)->received();
    if (received.size() > 1) masked = (received[1] & 0x80) != 0;
    frame = take_ws_frame(received);
    return frame.has_value();
  }));
  EXPECT_EQ(frame->payload, "hello");
  EXPECT_EQ(frame->opcode, kText);
  EXPECT_TRUE(masked);
}

}  // namespace
}  // namespace peersock::testing
