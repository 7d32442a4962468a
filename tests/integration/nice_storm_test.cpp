// Whose credentials libnice's checks carry, before and after a peer was seen at too many addresses.
#include "adapters/nice_storm.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>

#include "adapters/nice_candidate.hpp"
#include "adapters/nice_setup.hpp"
#include "adapters/unique_fd.hpp"
#include "support/glib_loop.hpp"

namespace peersock::testing {
namespace {

using adapters::kNiceComponent;
using adapters::NiceStorm;

/// Of one side.
struct User {
  std::string ufrag;
  std::string password;
};

/// An address of the peer that it has not named: it checks, and looks at the checks that come back.
class Place {
 public:
  Place() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    stun_agent_init(&stun_, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS |
                                                     STUN_AGENT_USAGE_USE_FINGERPRINT));
  }

  void check(std::uint16_t port, const User& whom) {
    StunMessage message{};
    std::array<std::uint8_t, 512> octets{};
    const std::string name = whom.ufrag + ":them";
    const auto length = stun_usage_ice_conncheck_create(
        &stun_, &message, octets.data(), octets.size(), octets_of(name), name.size(),
        octets_of(whom.password), whom.password.size(), false, true, 1000, 1, nullptr,
        STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    ASSERT_GT(length, 0U);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    EXPECT_EQ(sendto(socket_.get(), octets.data(), length, 0, reinterpret_cast<sockaddr*>(&to),
                     sizeof to),
              static_cast<ssize_t>(length));
  }

  /// Of a check that has come, the peer's part of USERNAME (RFC 8445 section 7.2.2); empty when
  /// none has.
  [[nodiscard]] std::string user_checked() const {
    for (;;) {
      std::array<char, 2048> octets{};
      const auto got = recv(socket_.get(), octets.data(), octets.size(), 0);
      if (got <= 0) return {};
      const std::string_view text(octets.data(), static_cast<std::size_t>(got));
      for (const char* user : {"them", "over"}) {
        if (text.find(std::string(user) + ":") != std::string_view::npos) return user;
      }
    }
  }

 private:
  static const std::uint8_t* octets_of(const std::string& text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
  }
  adapters::UniqueFd socket_;
  StunAgent stun_{};
};

/// An agent that knows the peer's credentials, and none of its addresses.
class StormyAgent {
 public:
  StormyAgent() {
    auto here = adapters::nice_address_of("127.0.0.1", "lo");
    EXPECT_TRUE(nice_agent_add_local_address(agent_.get(), &*here));
    EXPECT_TRUE(nice_agent_gather_candidates(agent_.get(), stream_));
    nice_agent_attach_recv(agent_.get(), stream_, kNiceComponent, loop.context(), &ignore, nullptr);
    EXPECT_TRUE(nice_agent_set_remote_credentials(agent_.get(), stream_, "them",
                                                  "theirpasswordtheirpassword"));
    gchar* ufrag = nullptr;
    gchar* password = nullptr;
    nice_agent_get_local_credentials(agent_.get(), stream_, &ufrag, &password);
    const adapters::GCharPtr held_ufrag(ufrag), held_password(password);
    us_ = {ufrag, password};
    GSList* list = nice_agent_get_local_candidates(agent_.get(), stream_, kNiceComponent);
    for (GSList* each = list; each != nullptr; each = each->next) {
      const adapters::NiceCandidatePtr own(static_cast<::NiceCandidate*>(each->data));
      port_ = static_cast<std::uint16_t>(nice_address_get_port(&own->addr));
    }
    g_slist_free(list);
  }
  ~StormyAgent() {
    storm.stop();
    nice_agent_remove_stream(agent_.get(), stream_);
  }
  StormyAgent(const StormyAgent&) = delete;
  StormyAgent& operator=(const StormyAgent&) = delete;
  StormyAgent(StormyAgent&&) = delete;
  StormyAgent& operator=(StormyAgent&&) = delete;

  /// The peer shows itself at so many more addresses, and is checked there.
  void see(std::size_t count) {
    std::vector<Place> places(count);
    for (Place& place : places) place.check(port_, us_);
    std::size_t seen = 0;
    EXPECT_TRUE(loop.until([&] {
      for (const Place& place : places) seen += place.user_checked().empty() ? 0 : 1;
      return seen >= count;
    }));
  }
  /// Whose credentials the check carries that comes back to one address more.
  std::string checks() {
    Place place;
    place.check(port_, us_);
    std::string user;
    EXPECT_TRUE(loop.until([&] { return !(user = place.user_checked()).empty(); }));
    return user;
  }
  void run_for(Duration span) {
    static_cast<void>(loop.until([] { return false; }, span));
  }

  GlibLoop loop;

 private:
  static void ignore(::NiceAgent*, guint, guint, guint, gchar*, gpointer) noexcept {}

  adapters::GObjectPtr<::NiceAgent> agent_ = adapters::make_nice_agent({}, loop.context());
  guint stream_ = nice_agent_add_stream(agent_.get(), kNiceComponent);
  User us_;
  std::uint16_t port_ = 0;

 public:
  NiceStorm storm{agent_.get(), stream_, loop.context()};
};

constexpr Duration kSomeLooks = NiceStorm::kInterval * 3;

TEST(NiceStorm, EndsWhenThePeerIsSeenAtTooManyAddresses) {
  StormyAgent side;
  EXPECT_EQ(side.checks(), "them");
  side.see(NiceStorm::kMostAddresses);
  side.storm.watch();
  side.run_for(kSomeLooks);
  EXPECT_EQ(side.checks(), "over");
}

TEST(NiceStorm, IsNoneWithAsManyAddressesAsSidesHave) {
  StormyAgent side;
  side.see(NiceStorm::kMostAddresses);
  side.storm.watch();
  side.run_for(kSomeLooks);
  side.storm.stop();
  EXPECT_EQ(side.checks(), "them");
}

TEST(NiceStorm, IsSeenWhenItBeginsLater) {
  StormyAgent side;
  side.storm.watch();
  side.run_for(kSomeLooks);
  side.see(NiceStorm::kMostAddresses + 1);
  side.run_for(kSomeLooks);
  EXPECT_EQ(side.checks(), "over");
}

TEST(NiceStorm, GoesOnAsLongAsThereIsNoPath) {
  StormyAgent side;
  side.storm.watch();
  side.storm.stop();
  side.see(NiceStorm::kMostAddresses + 1);
  side.run_for(kSomeLooks);
  EXPECT_EQ(side.checks(), "them");
}

}  // namespace
}  // namespace peersock::testing
