#include "wormhole/client.hpp"

#include <utility>

#include "wormhole/client_errors.hpp"
#include "wormhole/client_impl.hpp"

namespace peersock::wormhole {

static_assert(Machine<Client>);

Client::Client(ClientConfig config, Rng& rng)
    : impl_(std::make_unique<Impl>(std::move(config), rng)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

std::vector<ClientOutput> Client::handle(Input input, Instant now) {
  return impl_->handle(std::move(input), now);
}
std::optional<Instant> Client::deadline() const {
  return impl_->deadline();
}
std::string_view Client::state_name() const {
  return impl_->state_name();
}

namespace {

std::optional<std::string> nameplate_of(const std::optional<wire::Code>& code) {
  if (!code) return std::nullopt;
  return code->nameplate();
}

constexpr auto kSilent = "it does not answer";

std::size_t server_of(const std::optional<wire::Code>& code) {
  return code ? code->server() : 1;
}

}  // namespace

Client::Impl::Impl(ClientConfig config, Rng& rng)
    : config_(std::move(config)),
      rng_(rng),
      servers_(std::move(config_.servers), server_of(config_.code)),
      link_(config_.link_timeout),
      nameplate_(nameplate_of(config_.code)) {}

std::vector<ClientOutput> Client::Impl::handle(Input input, Instant now) {
  std::visit([&](auto& held) { on(held, now); }, input);
  finish_if_left();
  link_.expect(answer_due(), in<AwaitPake>() || in<AwaitVersion>(), now);
  return std::exchange(outputs_, {});
}

// ---- inputs -----------------------------------------------------------------------------------

void Client::Impl::on(const Started& /*input*/, Instant now) {
  if (!in<Idle>()) return unexpected();
  const Instant due = now + config_.link_timeout;
  patience_ = due;
  if (server_of(config_.code) > servers_.count()) {
    return fail(server_not_configured(server_of(config_.code), servers_.count()));
  }
  if (config_.code) {
    state_ = Claiming{due};
    use_code(*config_.code);
    outputs_.emplace_back(CodeReady{std::move(*config_.code), false});
    config_.code.reset();
  } else {
    state_ = Allocating{due};
  }
  open_link(now);
}

void Client::Impl::on(const LinkUp& /*input*/, Instant now) {
  if (!link_.came_up(now)) return unexpected();
  welcomed_ = false;
  send(wire::request::Bind{config_.appid, config_.side});
  if (const auto* closing = std::get_if<Closing>(&state_)) return say_farewell(closing->mood);
  send(nameplate_.link_up());
  if (!nameplate_.needed()) open_mailbox();
}

void Client::Impl::on(const LinkLost& input, Instant now) {
  link_lost(input.reason, now);
}

void Client::Impl::on(const FrameReceived& input, Instant now) {
  if (!link_.up()) return unexpected();
  link_.heard(now);
  pinged_ = false;
  const auto reply = wire::parse_reply(input.frame);
  if (reply) return std::visit([&](const auto& held) { on(held, now); }, *reply);
  if (in<Closing>()) return finish();
  server_failed(not_understood(reply.error().what), now);
}

void Client::Impl::on(PayloadQueued& input, Instant /*now*/) {
  if (in<Closing>() || in<Done>()) return unexpected();
  const std::size_t count = unsealed_.size() + mailbox_.unconfirmed();
  const std::size_t octets = unsealed_octets_ + mailbox_.unconfirmed_octets();
  if (count >= kMaxPendingPhases || octets + input.payload.size() > kMaxPendingOctets) {
    return fail(backlog_full());
  }
  if (key_ && key_->agreed()) return post_payload(input.payload);
  unsealed_octets_ += input.payload.size();
  unsealed_.push_back(std::move(input.payload));
}

void Client::Impl::on(const LinkDoubted& input, Instant now) {
  if (!in<Verified>()) return unexpected();
  if (input.moved && link_.active()) {
    outputs_.emplace_back(CloseLink{});
    link_lost("the network has changed", now);
  }
  link_.doubt(now);
  if (!link_.up() || std::exchange(pinged_, true)) return;
  send(wire::request::Ping{0});
}

void Client::Impl::on(const CloseRequested& input, Instant now) {
  if (in<Closing>() || in<Done>()) return unexpected();
  if (!nameplate_.held()) return finish();
  state_ = Closing{now + kCloseTimeout, input.mood};
  if (link_.up()) return say_farewell(input.mood);
  if (!link_.active()) open_link(now);
}

void Client::Impl::on(const DeadlineReached& /*input*/, Instant now) {
  const auto due = state_due();
  if (due && now >= *due) {
    if (in<Closing>()) return finish();
    if (selecting()) {
      outputs_.emplace_back(CloseLink{});
      return link_lost(kSilent, now);
    }
    return fail(joined_ ? server_silent(last_reason_, config_.link_timeout)
                        : server_unreachable(last_reason_, config_.link_timeout));
  }
  if (in<Closing>()) return;
  switch (link_.due(now)) {
    case ClientLink::Due::kNothing:
      return;
    case ClientLink::Due::kOpen:
      return open_link(now);
    case ClientLink::Due::kSilent:
      outputs_.emplace_back(CloseLink{});
      return link_lost(kSilent, now);
    case ClientLink::Due::kPing:
      pinged_ = true;
      link_.asked();
      return send(wire::request::Ping{0});
  }
}

std::optional<Instant> Client::Impl::deadline() const {
  if (in<Closing>()) return state_due();
  return earliest(state_due(), link_.deadline());
}

std::optional<Instant> Client::Impl::state_due() const {
  // Between two rounds of servers none is asked, and the link's own deadline starts the next one.
  if (selecting() && !link_.active()) return std::nullopt;
  return std::visit(
      [](const auto& state) -> std::optional<Instant> {
        if constexpr (requires { state.due; }) {
          return state.due;
        } else {
          return std::nullopt;
        }
      },
      state_);
}

void Client::Impl::renew(Instant now) {
  const Instant due = now + (selecting() ? config_.server_timeout : config_.link_timeout);
  std::visit(
      [&](auto& state) {
        if constexpr (requires { state.due; }) state.due = due;
      },
      state_);
}

// ---- the link ---------------------------------------------------------------------------------

void Client::Impl::open_link(Instant now) {
  link_.open(now);
  if (selecting()) renew(now);
  outputs_.emplace_back(OpenLink{servers_.url()});
}

void Client::Impl::link_lost(const std::string& reason, Instant now) {
  if (link_.lasted(now)) warned_ = false;
  const bool doubted = link_.doubted();
  if (!link_.went_down(now)) return unexpected();
  // Somebody is waiting for it.
  if (doubted) link_.doubt(now);
  nameplate_.link_lost();
  mailbox_.link_lost();
  pinged_ = false;
  if (in<Closing>()) return finish();
  if (selecting()) return next_server(reason, false, now);
  last_reason_ = reason;
  if (!std::exchange(warned_, true)) {
    outputs_.emplace_back(Warned{link_lost_warning(reason, joined_)});
  }
}

void Client::Impl::next_server(std::string reason, bool refused, Instant now) {
  const std::size_t failed = servers_.number();
  const bool news = servers_.first_round();
  const auto next = servers_.move_on(std::move(reason), refused);
  joined_ = false;
  const bool patient = servers_.first_round() || now < patience_;
  if (next == ClientServers::Next::kNone || !patient) return fail(no_server_usable(servers_));
  if (next == ClientServers::Next::kRound) {
    if (news) outputs_.emplace_back(Warned{next_round_warning(servers_)});
    return;  // the link waits a while, as after any loss
  }
  if (news) {
    const auto& server = servers_.all()[failed - 1];
    outputs_.emplace_back(Warned{next_server_warning(failed, server, servers_)});
  }
  link_.start_over();  // what was wrong with one server delays no other
  open_link(now);
}

void Client::Impl::server_failed(const ServerFault& fault, Instant now) {
  if (!selecting()) return fail(to_error(fault));
  outputs_.emplace_back(CloseLink{});
  if (!link_.went_down(now)) return unexpected();
  nameplate_.link_lost();
  next_server("it " + fault.did, true, now);
}

void Client::Impl::link_works() {
  link_.proved();
  last_reason_.clear();
}

bool Client::Impl::answer_due() const {
  return !welcomed_ || pinged_ || nameplate_.awaiting() || mailbox_.awaiting();
}

void Client::Impl::send(const std::optional<wire::MailboxRequest>& request) {
  if (request) outputs_.emplace_back(SendFrame{wire::encode(*request)});
}

// ---- leaving ----------------------------------------------------------------------------------

void Client::Impl::say_farewell(wire::Mood mood) {
  // In this order: servers up to 0.4.1 drop the socket when the last one to leave a mailbox still
  // holds its nameplate.
  send(nameplate_.release());
  if (mailbox_.known()) send(mailbox_.close(mood));
}

void Client::Impl::finish_if_left() {
  if (!in<Closing>() || !link_.up()) return;
  if (!nameplate_.awaiting() && !mailbox_.closing()) finish();
}

void Client::Impl::finish() {
  if (link_.active()) outputs_.emplace_back(CloseLink{});
  link_.shut();
  state_ = Done{};
  outputs_.emplace_back(Closed{});
}

void Client::Impl::fail(Error error) {
  const bool scary = error.kind == ErrorKind::kAuthentication;
  if (link_.up()) say_farewell(scary ? wire::Mood::kScary : wire::Mood::kErrory);
  if (link_.active()) outputs_.emplace_back(CloseLink{});
  link_.shut();
  state_ = Done{};
  outputs_.emplace_back(Failed{std::move(error)});
}

}  // namespace peersock::wormhole
