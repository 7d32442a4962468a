#include "app/printable.hpp"

#include <memory>

#include <glib.h>

namespace peersock::app {
namespace {

struct GFree {
  void operator()(char* text) const { g_free(text); }
};

/// U+202A to U+202E and U+2066 to U+2069 (Unicode Standard Annex 9).
bool reorders(gunichar c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text) {
  const std::unique_ptr<char, GFree> valid(g_utf8_make_valid(
      text.data() != nullptr ? text.data() : "", static_cast<gssize>(text.size())));
  std::string out;
  const char* next = nullptr;
  for (const char* at = valid.get(); *at != '\0'; at = next) {
    next = g_utf8_next_char(at);
    const gunichar c = g_utf8_get_char(at);
    if (c == '\n' || c == '\r' || c == '\t') {
      out += ' ';
    } else if (g_unichar_iscntrl(c) != 0 || reorders(c)) {
      out += "\uFFFD";
    } else {
      out.append(at, next);
    }
  }
  return out;
}

std::string excerpt(std::string_view text, std::size_t limit) {
  std::string whole = printable(text);
  if (static_cast<std::size_t>(g_utf8_strlen(whole.c_str(), -1)) <= limit) return whole;
  const char* end = g_utf8_offset_to_pointer(whole.c_str(), static_cast<glong>(limit));
  return std::string(whole.c_str(), static_cast<std::size_t>(end - whole.c_str())) + "...";
}

}  // namespace peersock::app
