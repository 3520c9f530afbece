/// Shows how far a command has come, on stderr: a bar on a terminal, elsewhere a log line now and
/// then.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/progress.h"

namespace redoubt::cli {

struct ProgressState {
    std::string phase;
    std::uint64_t done = 0;
    std::uint64_t total = 0;  ///< 0 = unknown
    std::string unit;         ///< "bytes" is shown in binary multiples
    double seconds = 0;       ///< since the phase began
    std::string remark = {};
};
/// "scan [#####.....] 50% 1.0 GiB of 2.0 GiB, 512.0 MiB/s, 0:02 left", at most `columns` wide.
std::string progress_line(const ProgressState& state, unsigned columns);
/// The same without the bar.
std::string progress_text(const ProgressState& state);

class ProgressBar final : public base::Progress {
public:
    enum class Style : std::uint8_t { Bar, LogLines };
    struct Hooks {
        std::function<void(std::string_view)> write;  ///< raw text to stderr (Style::Bar)
        std::function<void(std::string_view phase, std::string_view text)> log;
        std::function<double()> clock;  ///< seconds
        std::function<unsigned()> columns;
    };
    ProgressBar(Style style, Hooks hooks);

    void begin(std::string_view phase, std::uint64_t total, std::string_view unit) override;
    void advance(std::uint64_t amount) override;
    void end() override;
    void remark(std::string_view text) override;
    /// Writes a line of other output where the bar is, and the bar again below it.
    void print_above(std::string_view line);

private:
    void show() REQUIRES(mutex_);
    ProgressState state() const REQUIRES(mutex_);

    // Constant after construction.
    const Style style_;
    const Hooks hooks_;

    std::atomic<std::uint64_t> done_{0};  // relaxed: a count for display
    std::atomic<double> next_show_{0};    // relaxed: decides only who draws
    base::Mutex mutex_;
    ProgressState phase_ GUARDED_BY(mutex_);  // `done` and `seconds` unused
    double began_ GUARDED_BY(mutex_) = 0;
    bool active_ GUARDED_BY(mutex_) = false;
    bool drawn_ GUARDED_BY(mutex_) = false;   // a bar stands on the terminal's last line
    bool logged_ GUARDED_BY(mutex_) = false;  // this phase has had a log line
};

/// The hooks of a real process: stderr, the log, the steady clock, the terminal's width.
ProgressBar::Hooks process_hooks();
bool is_terminal(int descriptor);

}  // namespace redoubt::cli
