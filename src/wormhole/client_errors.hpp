// What the client tells a person when it gives up: what happened, and what to do next.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/time.hpp"

namespace peersock::wormhole {

/// No server was reached in time. `reason` is of the last attempt and may be empty.
[[nodiscard]] Error server_unreachable(std::string_view reason, Duration waited);
/// The server was reached, and then left a request unanswered.
[[nodiscard]] Error server_silent(std::string_view reason, Duration waited);
/// `welcome.error`: the server turns every client away.
[[nodiscard]] Error server_unwelcoming(std::string_view text);
[[nodiscard]] Error permission_required();
/// An `error` reply to `request`, if the server says to which.
[[nodiscard]] Error request_refused(std::string_view text,
                                    const std::optional<std::string>& request);
[[nodiscard]] Error bad_mailbox_name();
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

}  // namespace peersock::wormhole
