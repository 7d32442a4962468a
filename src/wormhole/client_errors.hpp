// What the client tells a person when it gives up: what happened, and what to do next.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/time.hpp"
#include "wormhole/client_servers.hpp"

namespace peersock::wormhole {

/// No server was reached in time. `reason` is of the last attempt and may be empty.
[[nodiscard]] Error server_unreachable(std::string_view reason, Duration waited);
/// The server was reached, and then left a request unanswered.
[[nodiscard]] Error server_silent(std::string_view reason, Duration waited);
/// What a server says or does that makes it of no use to us.
struct ServerFault {
  std::string did;          ///< follows "The rendezvous server"
  std::string_view advice;  ///< what a person can do
};
[[nodiscard]] Error to_error(const ServerFault& fault);
/// `welcome.error`: the server turns every client away.
[[nodiscard]] ServerFault server_unwelcoming(std::string_view text);
[[nodiscard]] ServerFault permission_required();
/// An `error` reply to `request`, if the server says to which.
[[nodiscard]] ServerFault request_refused(std::string_view text,
                                          const std::optional<std::string>& request);
/// `what` is no frame of a rendezvous server.
[[nodiscard]] ServerFault not_understood(std::string_view what);
[[nodiscard]] Error bad_mailbox_name();
/// Several servers were tried, and no code could be made.
[[nodiscard]] Error no_server_usable(const ClientServers& servers);
/// The code names the server `number` of a list of `count`.
[[nodiscard]] Error server_not_configured(std::size_t number, std::size_t count);
/// The server does not take our messages, or the link has been down for too long.
[[nodiscard]] Error backlog_full();

[[nodiscard]] Error code_in_use();
/// This side gave the nameplate back and the other side has not.
[[nodiscard]] Error code_used_up();
/// The peer's `version` does not open.
[[nodiscard]] Error wrong_code();
/// A later message does not open although `version` did.
[[nodiscard]] Error message_tampered();
/// The peer sent `what`.
[[nodiscard]] Error peer_broke_protocol(std::string_view what);

/// Warnings, not errors.
[[nodiscard]] std::string link_lost_warning(std::string_view reason, bool had_joined);
/// `failed`, the server `number`, is of no use; `servers` has gone on to the next one.
[[nodiscard]] std::string next_server_warning(std::size_t number,
                                              const ClientServers::Server& failed,
                                              const ClientServers& servers);
/// All servers had their turn.
[[nodiscard]] std::string next_round_warning(const ClientServers& servers);

}  // namespace peersock::wormhole
