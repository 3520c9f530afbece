#include "base/log.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/mutex.h"

namespace redoubt::log {
namespace {

std::atomic<Level> threshold{Level::Info};  // relaxed: a late change of level harms nobody
base::Mutex sink_mutex;
Sink& sink() {
    static Sink instance;
    return instance;
}

std::string_view name_of(Level level) {
    switch (level) {
        case Level::Debug:
            return "DEBUG";
        case Level::Info:
            return "INFO";
        case Level::Note:
            return "NOTE";
        case Level::Warn:
            return "WARN";
        case Level::Error:
            break;
    }
    return "ERROR";
}

}  // namespace

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }
void set_sink(Sink new_sink) {
    const base::MutexLock lock(sink_mutex);
    sink() = std::move(new_sink);
}

std::string timestamp() {
    const auto now = std::chrono::system_clock::now();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    const std::time_t seconds = static_cast<std::time_t>(ms.count() / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       ms.count() % 1000);
}

std::string line(Level level, std::string_view event, std::string_view text) {
    return fmt::format("{} {} {}: {}", timestamp(), name_of(level), event, text);
}

void write(Level level, std::string_view event, std::string_view text) {
    if (level < threshold.load(std::memory_order_relaxed)) {
        return;
    }
    const base::MutexLock lock(sink_mutex);  // the table in docs/locking.md allows output under it
    if (sink()) {
        sink()(level, event, text);
        return;
    }
    const std::string output = line(level, event, text) + '\n';
    std::fwrite(output.data(), 1, output.size(), stderr);
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    if (level < threshold.load(std::memory_order_relaxed)) {
        return;
    }
    std::string text;
    for (const Field& field : fields) {
        if (!text.empty()) {
            text += ", ";
        }
        text += fmt::format("{} {}", field.name, field.value);
    }
    write(level, event, text);
}

}  // namespace redoubt::log
