#include "names.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <gio/gio.h>

#include "adapters/glib_ptr.hpp"
#include "host.hpp"

// A GObject class: the macro defines the type's registration, `_init` and `_class_init`.
namespace peersock::sim {
namespace {

const Names* current_names = nullptr;

/// Of an answer that there is no such name.
constexpr Nanos kUnknown = std::chrono::milliseconds(20);

struct Question {
  std::string name;
  GResolverNameLookupFlags families;
  bool ipv4 = false;  ///< the asking host has addresses of this family
  bool ipv6 = false;
};

void free_addresses(gpointer list) {
  g_resolver_free_addresses(static_cast<GList*>(list));
}

bool has_family(Host& host, Family family) {
  return std::ranges::any_of(host.ip().addresses(), [family](const InterfaceAddress& address) {
    return !address.loopback && address.name.family == family;
  });
}

/// As getaddrinfo's AI_ADDRCONFIG has it: nothing that the host could not use.
GList* usable_addresses(const NameSpec& spec, const Question& question) {
  GList* found = nullptr;
  for (const std::string& text : spec.addresses) {
    const bool ipv6 = text.find(':') != std::string::npos;
    const auto other =
        ipv6 ? G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY : G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY;
    if (question.families == other || !(ipv6 ? question.ipv6 : question.ipv4)) continue;
    found = g_list_append(found, g_inet_address_new_from_string(text.c_str()));
  }
  return found;
}

void answer(GTask* task, const Question& question) {
  if (g_task_return_error_if_cancelled(task)) return;
  const NameSpec* spec = current_names == nullptr ? nullptr : current_names->find(question.name);
  const bool broken = spec != nullptr && spec->broken > now();
  if (broken || !(question.ipv4 || question.ipv6)) {
    return g_task_return_new_error(task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
                                   "no server of names answers");
  }
  GList* found = spec == nullptr ? nullptr : usable_addresses(*spec, question);
  if (found != nullptr) return g_task_return_pointer(task, found, free_addresses);
  g_task_return_new_error(task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
                          "the name %s is not known", question.name.c_str());
}

gboolean on_due(gpointer data) noexcept {
  auto* task = static_cast<GTask*>(data);
  answer(task, *static_cast<const Question*>(g_task_get_task_data(task)));
  return G_SOURCE_REMOVE;
}

void delete_question(gpointer question) {
  delete static_cast<Question*>(question);
}

/// Only wakes the source that it is a child of.
gboolean on_cancelled(GCancellable* /*cancellable*/, gpointer /*data*/) noexcept {
  return G_SOURCE_CONTINUE;
}

/// An answer takes its time; who gives up is told so at once.
void start(GResolver* resolver, const char* name, GResolverNameLookupFlags families,
           GCancellable* cancellable, GAsyncReadyCallback callback, gpointer data) {
  const adapters::GObjectPtr<GTask> task(g_task_new(resolver, cancellable, callback, data));
  auto question = std::make_unique<Question>(Question{name, families});
  if (Host* host = Host::current()) {
    question->ipv4 = has_family(*host, Family::kIpv4);
    question->ipv6 = has_family(*host, Family::kIpv6);
  }
  g_task_set_task_data(task.get(), question.release(), delete_question);
  const NameSpec* spec = current_names == nullptr ? nullptr : current_names->find(name);
  const auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(
      spec == nullptr ? kUnknown : spec->delay);
  GSource* source = g_timeout_source_new(static_cast<guint>(delay.count()));
  if (cancellable != nullptr) {
    GSource* cancelled = g_cancellable_source_new(cancellable);
    g_source_set_callback(cancelled, G_SOURCE_FUNC(on_cancelled), nullptr, nullptr);
    g_source_add_child_source(source, cancelled);
    g_source_unref(cancelled);
  }
  g_source_set_callback(source, on_due, g_object_ref(task.get()), g_object_unref);
  g_source_attach(source, g_task_get_context(task.get()));
  g_source_unref(source);
}

struct SimResolver {
  GResolver parent;
};
struct SimResolverClass {
  GResolverClass parent;
};

// NOLINTNEXTLINE(performance-no-int-to-ptr): what the macro does
G_DEFINE_TYPE(SimResolver, sim_resolver, G_TYPE_RESOLVER)

void look_up(GResolver* resolver, const char* name, GCancellable* cancellable,
             GAsyncReadyCallback callback, gpointer data) {
  start(resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, callback, data);
}

GList* finish(GResolver* /*resolver*/, GAsyncResult* result, GError** error) {
  return static_cast<GList*>(g_task_propagate_pointer(G_TASK(result), error));
}

void sim_resolver_init(SimResolver* /*self*/) {}

void sim_resolver_class_init(SimResolverClass* type) {
  type->parent.lookup_by_name_async = look_up;
  type->parent.lookup_by_name_finish = finish;
  type->parent.lookup_by_name_with_flags_async = start;
  type->parent.lookup_by_name_with_flags_finish = finish;
}

void replace_resolver() {
  static const bool replaced = [] {
    const adapters::GObjectPtr<GResolver> resolver(
        G_RESOLVER(g_object_new(sim_resolver_get_type(), nullptr)));
    g_resolver_set_default(resolver.get());
    return true;
  }();
  (void)replaced;
}

}  // namespace

Names::Names() {
  replace_resolver();
  current_names = this;
}

Names::~Names() {
  current_names = nullptr;
}

void Names::point(const std::string& name, std::vector<std::string> addresses) {
  const auto known = specs_.find(name);
  if (known != specs_.end()) known->second.addresses = std::move(addresses);
}

const NameSpec* Names::find(const std::string& name) const {
  const auto known = specs_.find(name);
  return known == specs_.end() ? nullptr : &known->second;
}

}  // namespace peersock::sim
