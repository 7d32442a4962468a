#include "adapters/openssl_close.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/quic.h>

namespace peersock::adapters {
namespace {

constexpr std::size_t kMaxReason = 200;

std::string printable(const char* text, std::size_t size) {
  std::string out(text, text == nullptr ? 0 : std::min(size, kMaxReason));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

/// The TLS alert that a QUIC transport error stands for (RFC 9001 section 4.8), or -1.
int alert_of(std::uint64_t code) {
  if (code < OSSL_QUIC_ERR_CRYPTO_ERR_BEGIN || code > OSSL_QUIC_ERR_CRYPTO_ERR_END) return -1;
  return static_cast<int>(code - OSSL_QUIC_ERR_CRYPTO_ERR_BEGIN);
}

/// Alerts about certificates and signatures (RFC 8446 section 6.2).
bool about_certificate(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_DECRYPT_ERROR:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

bool about_version(int alert) {
  return alert == TLS1_AD_NO_APPLICATION_PROTOCOL || alert == SSL_AD_PROTOCOL_VERSION;
}

Error certificate_error(bool remote, bool shown) {
  if (remote) {
    return {ErrorKind::kAuthentication,
            "The other side refused our certificate, so someone else may have answered in its "
            "place; start again with a new code."};
  }
  return {ErrorKind::kAuthentication,
          shown ? "The peer showed another certificate than the one it announced, so it may be "
                  "someone else; start again with a new code."
                : "The peer showed no certificate, so it may be someone else; start again with a "
                  "new code."};
}

Error transport_error(const SSL_CONN_CLOSE_INFO& info, const std::string& reason, bool remote) {
  return {ErrorKind::kConnectionLost,
          fmt::format("The connection broke (QUIC error {:#x} found by {} side{}{}); start again "
                      "with a new code.",
                      info.error_code, remote ? "the other" : "this", reason.empty() ? "" : ": ",
                      reason)};
}

Error gave_up_error() {
  return {ErrorKind::kConnectionLost,
          "The other side gave up while the connection was being secured; see what it says there, "
          "and start again with a new code."};
}

}  // namespace

quic::fact::Closed describe_silence(Duration idle_timeout) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(idle_timeout).count();
  return {std::nullopt, "",
          Error{ErrorKind::kConnectionLost,
                fmt::format("The other side has not answered for {} s; check both networks and "
                            "start again with a new code.",
                            seconds)}};
}

quic::fact::Closed describe_close(const SSL_CONN_CLOSE_INFO& info, const PeerTerms& terms,
                                  Duration idle_timeout) {
  const bool remote = (info.flags & SSL_CONN_CLOSE_FLAG_LOCAL) == 0;
  const bool transport = (info.flags & SSL_CONN_CLOSE_FLAG_TRANSPORT) != 0;
  if (transport && info.error_code == OSSL_QUIC_LOCAL_ERR_IDLE_TIMEOUT) {
    return describe_silence(idle_timeout);
  }
  std::string reason = printable(info.reason, info.reason_len);
  if (!transport) return {info.error_code, std::move(reason), std::nullopt};

  const int alert = alert_of(info.error_code);
  if (about_certificate(alert)) {
    return {std::nullopt, std::move(reason), certificate_error(remote, terms.refused)};
  }
  if (about_version(alert)) {
    return {std::nullopt, std::move(reason),
            Error{ErrorKind::kIncompatible,
                  "The other side speaks another version of the protocol; install the same "
                  "peersock version on both."}};
  }
  // What an application's own code becomes before the handshake is confirmed (RFC 9000 section
  // 10.2.3).
  const bool gave_up = remote && info.error_code == OSSL_QUIC_ERR_APPLICATION_ERROR;
  Error error = gave_up ? gave_up_error() : transport_error(info, reason, remote);
  return {std::nullopt, std::move(reason), std::move(error)};
}

}  // namespace peersock::adapters
