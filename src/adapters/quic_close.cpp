#include "adapters/quic_close.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/ssl.h>

namespace peersock::adapters {
namespace {

constexpr std::size_t kMaxReason = 200;

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxReason));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

/// The TLS alert that a QUIC transport error stands for (RFC 9001 section 4.8), or -1.
int alert_of(std::uint64_t code) {
  constexpr std::uint64_t kCryptoError = 0x100;
  if (code < kCryptoError || code > kCryptoError + 0xff) return -1;
  return static_cast<int>(code - kCryptoError);
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

Error transport_error(const CloseInfo& info, const std::string& reason) {
  return {ErrorKind::kConnectionLost,
          fmt::format("The connection broke (QUIC error {:#x} found by {} side{}{}); start again "
                      "with a new code.",
                      info.code, info.remote ? "the other" : "this", reason.empty() ? "" : ": ",
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

quic::fact::Closed describe_close(const CloseInfo& info, const PeerTerms& terms) {
  std::string reason = printable(info.reason);
  if (!info.transport) return {info.code, std::move(reason), std::nullopt};

  const int alert = alert_of(info.code);
  if (about_certificate(alert)) {
    return {std::nullopt, std::move(reason), certificate_error(info.remote, terms.refused)};
  }
  if (about_version(alert)) {
    return {std::nullopt, std::move(reason),
            Error{ErrorKind::kIncompatible,
                  "The other side speaks another version of the protocol; install the same "
                  "peersock version on both."}};
  }
  // What an application's own code becomes before the handshake is confirmed (RFC 9000 section
  // 10.2.3).
  const bool gave_up = info.remote && info.code == OSSL_QUIC_ERR_APPLICATION_ERROR;
  Error error = gave_up ? gave_up_error() : transport_error(info, reason);
  return {std::nullopt, std::move(reason), std::move(error)};
}

}  // namespace peersock::adapters
