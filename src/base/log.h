/// Log lines are named events on stderr:
///   2026-01-31T12:34:56.789Z INFO checkpoint: lsn 42, dirty_pages 7
/// `warn` asks for attention, `note` tells of something that healed itself, `debug` is per page.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/ids.h"

namespace redoubt::log {

enum class Level { Debug, Info, Note, Warn, Error };

struct Field {
    std::string_view name;
    std::string value;
    template <class T>
    Field(std::string_view n, const T& v) : name(n), value(fmt::format("{}", v)) {}
    template <class Tag, class T>
    Field(std::string_view n, StrongId<Tag, T> v) : name(n), value(fmt::format("{}", v.value)) {}
};

/// Lines below this level are dropped. Default: Info.
void set_level(Level level);
/// Where lines go; the default writes them to stderr. `text` has no time stamp and no newline.
using Sink = std::function<void(Level, std::string_view event, std::string_view text)>;
void set_sink(Sink sink);
/// "2026-01-31T12:34:56.789Z"
std::string timestamp();

/// The line as the default sink writes it: time stamp, level, event, text; no newline.
std::string line(Level level, std::string_view event, std::string_view text);

void write(Level level, std::string_view event, std::string_view text);
void write(Level level, std::string_view event, std::initializer_list<Field> fields);

inline void debug(std::string_view e, std::initializer_list<Field> f) { write(Level::Debug, e, f); }
inline void info(std::string_view e, std::initializer_list<Field> f) { write(Level::Info, e, f); }
inline void note(std::string_view e, std::initializer_list<Field> f) { write(Level::Note, e, f); }
inline void warn(std::string_view e, std::initializer_list<Field> f) { write(Level::Warn, e, f); }
inline void debug(std::string_view e, std::string_view t) { write(Level::Debug, e, t); }
inline void info(std::string_view e, std::string_view t) { write(Level::Info, e, t); }
inline void note(std::string_view e, std::string_view t) { write(Level::Note, e, t); }
inline void warn(std::string_view e, std::string_view t) { write(Level::Warn, e, t); }

}  // namespace redoubt::log
