// A rendezvous client on the real link, that notes what it hears.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "adapters/mailbox_link.hpp"
#include "adapters/mailbox_server.hpp"
#include "support/glib_loop.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::testing {

struct MailboxClient {
  explicit MailboxClient(GlibLoop& on, const adapters::MailboxLinkConfig& config = {})
      : loop(on),
        link(std::make_unique<adapters::MailboxLink>(
            loop.context(),
            adapters::MailboxLinkCallbacks{[this] {
                                             ++ups;
                                             if (when_up) when_up();
                                           },
                                           [this](std::string frame) {
                                             frames.push_back(std::move(frame));
                                             if (when_frame) when_frame();
                                           },
                                           [this](std::string reason) {
                                             lost.push_back(std::move(reason));
                                             if (when_lost) when_lost();
                                           }},
            config)) {}

  void say(const nlohmann::json& request) const { link->send(request.dump()); }

  /// Waits for the next frame of `type`; those before it are dropped. Null when none comes.
  nlohmann::json hear(const std::string& type) {
    nlohmann::json found;
    const bool heard = loop.until([&] {
      while (next < frames.size()) {
        auto frame = nlohmann::json::parse(frames[next++]);
        if (frame.at("type") == type) {
          found = std::move(frame);
          return true;
        }
      }
      return !lost.empty();
    });
    return heard ? found : nlohmann::json();
  }

  /// Opens the link and binds; false when that fails.
  bool join(const std::string& url, const std::string& side) {
    link->open(url);
    if (!loop.until([this] { return ups > 0 || !lost.empty(); }) || ups == 0) return false;
    say({{"type", "bind"}, {"appid", "app"}, {"side", side}});
    return hear("ack").is_object();
  }

  GlibLoop& loop;
  int ups = 0;
  std::vector<std::string> frames;
  std::size_t next = 0;
  std::vector<std::string> lost;
  std::function<void()> when_up;
  std::function<void()> when_frame;
  std::function<void()> when_lost;
  std::unique_ptr<adapters::MailboxLink> link;
};

/// A server on a free port of 127.0.0.1, unless `config` says where.
struct MailboxHouse {
  explicit MailboxHouse(GlibLoop& loop, adapters::MailboxServerConfig config = {}) {
    if (config.listen.empty()) config.listen = {TcpEndpoint{"127.0.0.1", 0}};
    auto made = adapters::MailboxServer::create(loop.context(), std::move(config), rng);
    if (made) server = std::move(*made);
  }
  [[nodiscard]] std::string url() const { return server->urls().at(0); }
  [[nodiscard]] std::uint16_t port() const {
    const std::string text = url();
    return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
  }

  SeededRng rng{7};
  std::unique_ptr<adapters::MailboxServer> server;
};

}  // namespace peersock::testing
