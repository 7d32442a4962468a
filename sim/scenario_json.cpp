#include "scenario_json.hpp"

#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scenario_members.hpp"
#include "scenario_words.hpp"

namespace peersock::sim {
namespace {

using nlohmann::ordered_json;

// ---- writing ----

template <Worded T>
ordered_json written(T value) {
  const std::string_view word = word_for(value);
  if (word.empty()) throw std::logic_error("a value has no word in JSON");
  return word;
}
template <typename T>
requires std::is_arithmetic_v<T> ordered_json written(T value) {
  return value;
}
ordered_json written(const std::string& value) {
  return value;
}
/// Milliseconds.
template <typename Period>
ordered_json written(std::chrono::duration<std::int64_t, Period> value) {
  return std::chrono::duration<double, std::milli>(value).count();
}
template <HasMembers T>
ordered_json written(const T& value);
template <typename T>
ordered_json written(const std::optional<T>& value) {
  return written(value.value());
}
template <typename T>
ordered_json written(const std::vector<T>& values) {
  auto made = ordered_json::array();
  for (const T& value : values) made.push_back(written(value));
  return made;
}

/// Most happenings are at no step, most scenarios have no other networks.
template <typename T>
bool is_absent(const T& /*value*/) {
  return false;
}
/// No sentence has to be said.
bool is_absent(const std::string& value) {
  return value.empty();
}
bool is_absent(const Step& step) {
  return step == Step{};
}
template <typename T>
bool is_absent(const std::optional<T>& value) {
  return !value;
}

struct Writer {
  ordered_json& into;
  template <typename T>
  void operator()(const char* name, const T& value, Limits /*limits*/ = {}) const {
    if (!is_absent(value)) into[name] = written(value);
  }
};

template <HasMembers T>
ordered_json written(const T& value) {
  auto made = ordered_json::object();
  each_member(value, Writer{made});
  return made;
}

// ---- reading ----

[[noreturn]] void refuse(const std::string& name, const ordered_json& value) {
  throw std::invalid_argument(
      fmt::format("{} cannot be {}", name,
                  value.is_structured() ? fmt::format("an {}", value.type_name()) : value.dump()));
}

double number_within(const std::string& name, const ordered_json& value, const Limits& limits) {
  if (!value.is_number()) refuse(name, value);
  const auto number = value.get<double>();
  // Written so that what is no number fails.
  if (!(number >= limits.least && number <= limits.most)) refuse(name, value);
  return number;
}

template <Worded T>
void take(const std::string& name, const ordered_json& value, T& into, const Limits& /*limits*/) {
  if (!value.is_string()) refuse(name, value);
  for (const auto& [known, word] : words_of(into)) {
    if (value.get_ref<const std::string&>() != word) continue;
    into = known;
    return;
  }
  refuse(name, value);
}
void take(const std::string& name, const ordered_json& value, bool& into,
          const Limits& /*limits*/) {
  if (!value.is_boolean()) refuse(name, value);
  into = value.get<bool>();
}
template <typename T>
requires std::is_arithmetic_v<T>
void take(const std::string& name, const ordered_json& value, T& into, const Limits& limits) {
  if (std::is_integral_v<T> && !value.is_number_unsigned()) refuse(name, value);
  into = static_cast<T>(number_within(name, value, limits));
}
void take(const std::string& name, const ordered_json& value, std::string& into,
          const Limits& /*limits*/) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) refuse(name, value);
  into = value.get<std::string>();
}
/// Milliseconds.
template <typename Period>
void take(const std::string& name, const ordered_json& value,
          std::chrono::duration<std::int64_t, Period>& into, const Limits& limits) {
  const std::chrono::duration<double, std::milli> given(number_within(name, value, limits));
  into = std::chrono::duration<std::int64_t, Period>(
      std::llround(std::chrono::duration<double, Period>(given).count()));
}
template <HasMembers T>
void take(const std::string& name, const ordered_json& value, T& into, const Limits& limits);
template <typename T>
void take(const std::string& name, const ordered_json& value, std::optional<T>& into,
          const Limits& limits) {
  take(name, value, into.emplace(), limits);
}
template <typename T>
void take(const std::string& name, const ordered_json& value, std::vector<T>& into,
          const Limits& limits) {
  if (!value.is_array()) refuse(name, value);
  if (static_cast<double>(value.size()) > limits.most) {
    throw std::invalid_argument(fmt::format("{} cannot be more than {}", name, limits.most));
  }
  into.clear();
  for (const auto& one : value) take(name, one, into.emplace_back(), limits);
}

/// Finds the members of one object, and those that nobody asks for.
class Reader {
 public:
  Reader(std::string name, const ordered_json& from) : name_(std::move(name)), from_(from) {
    if (!from.is_object()) throw std::invalid_argument(name_ + " is not an object");
  }
  template <typename T>
  void operator()(const char* name, T& into, const Limits& limits = {}) const {
    known_.insert(name);
    const auto found = from_.find(name);
    if (found == from_.end()) return;
    take(fmt::format("{} of {}", name, name_), *found, into, limits);
  }
  void finish() const {
    for (const auto& item : from_.items()) {
      if (!known_.contains(item.key())) {
        throw std::invalid_argument(fmt::format("{} has no {}", name_, item.key()));
      }
    }
  }

 private:
  std::string name_;
  const ordered_json& from_;
  mutable std::set<std::string> known_;
};

bool is_clock_jump(What what) {
  return what == What::kListenerClockJumps || what == What::kConnectorClockJumps ||
         what == What::kMailboxClockJumps;
}

/// What the members of one part have to do with each other.
template <typename T>
void check(const std::string& /*name*/, const T& /*value*/) {}
template <>
void check(const std::string& name, const Happening& happening) {
  if (happening.lasts.count() < 0 && !is_clock_jump(happening.what)) {
    throw std::invalid_argument(
        fmt::format("lasts_ms of {} cannot be less than 0 for {}", name, word_for(happening.what)));
  }
  const bool named = !happening.step.machine.empty() && !happening.step.state.empty();
  if (named != (happening.when == When::kStep) || (!named && happening.step != Step{})) {
    throw std::invalid_argument(fmt::format(
        "{} has a step, with a machine and a state, exactly when it is at a step", name));
  }
}
template <>
void check(const std::string& name, const Scenario& scenario) {
  if (scenario.name.empty()) throw std::invalid_argument(name + " has no name");
}

template <HasMembers T>
void take(const std::string& name, const ordered_json& value, T& into, const Limits& /*limits*/) {
  const Reader reader(name, value);
  each_member(into, reader);
  reader.finish();
  check(name, into);
}

Scenario read_scenario(const ordered_json& from) {
  Scenario made;
  made.expected.clear();
  take("a scenario", from, made, {});
  return made;
}

}  // namespace

ordered_json scenario_json(const Scenario& scenario) {
  return written(scenario);
}

std::vector<Scenario> read_scenarios(std::string_view text) {
  const auto whole = ordered_json::parse(text, nullptr, false);
  if (!whole.is_array()) throw std::invalid_argument("scenarios are an array in JSON");
  std::vector<Scenario> all;
  std::set<std::string> names;
  for (const auto& one : whole) {
    all.push_back(read_scenario(one));
    if (!names.insert(all.back().name).second) {
      throw std::invalid_argument("two scenarios have the name " + all.back().name);
    }
  }
  return all;
}

}  // namespace peersock::sim
