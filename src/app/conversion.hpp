// What the command line and the environment say, as values, and the first error among them.
#pragma once

#include <optional>
#include <utility>

#include "core/error.hpp"

namespace peersock::app {

/// Keeps the first error of a row of conversions.
class Conversion {
 public:
  template <typename T, typename Given, typename Parser>
  void read(std::optional<T>& place, const char* name, const std::optional<Given>& text,
            Parser parse) {
    if (!text || error_) return;
    Result<T> value = parse(name, *text);
    if (value) {
      place = std::move(*value);
    } else {
      error_ = std::move(value.error());
    }
  }
  void refuse_if(bool wrong, const char* message) {
    if (wrong && !error_) error_ = Error{ErrorKind::kUsage, message};
  }
  void take(Error error) {
    if (!error_) error_ = std::move(error);
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace peersock::app
