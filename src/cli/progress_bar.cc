#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/log.h"
#include "cli/output.h"

namespace redoubt::cli {
namespace {

constexpr double kBarInterval = 0.1;  // seconds between two drawings
constexpr double kLogInterval = 5;    // seconds between two log lines
constexpr unsigned kBarWidthMax = 30;
constexpr unsigned kBarWidthMin = 8;
constexpr std::string_view kClearLine = "\r\x1b[K";

std::string amount_text(std::uint64_t amount, const std::string& unit) {
    return unit == "bytes" ? human_bytes(amount) : fmt::format("{} {}", human_count(amount), unit);
}

std::string clock_text(double seconds) {
    const auto whole = std::llround(seconds);
    if (whole >= 3600) {
        return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
    }
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

double fraction_of(const ProgressState& state) {
    return std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
}

}  // namespace

std::string progress_text(const ProgressState& state) {
    std::string text;
    if (state.total != 0) {
        text =
            fmt::format("{:3.0f}% {} of {}", 100 * fraction_of(state),
                        state.unit == "bytes" ? human_bytes(state.done) : human_count(state.done),
                        amount_text(state.total, state.unit));
    } else {
        text = amount_text(state.done, state.unit);
    }
    if (state.seconds >= 0.5 && state.done != 0) {  // else too early for a rate worth showing
        const double rate = static_cast<double>(state.done) / state.seconds;
        text += fmt::format(", {}/s", amount_text(static_cast<std::uint64_t>(rate), state.unit));
        if (state.total > state.done) {
            text += fmt::format(", {} left",
                                clock_text(static_cast<double>(state.total - state.done) / rate));
        }
    }
    return state.remark.empty() ? text : text + "; " + state.remark;
}

std::string progress_line(const ProgressState& state, unsigned columns) {
    const std::string text = progress_text(state);
    const std::size_t fixed = state.phase.size() + text.size() + 4;  // "phase [] text"
    std::string line = state.phase + ' ';
    if (state.total != 0 && columns >= fixed + kBarWidthMin) {
        const auto width =
            std::min<std::size_t>(kBarWidthMax, static_cast<std::size_t>(columns) - fixed);
        const auto filled =
            static_cast<std::size_t>(fraction_of(state) * static_cast<double>(width));
        line += '[' + std::string(filled, '#') + std::string(width - filled, '.') + "] ";
    }
    line += text;
    return line.substr(0, columns);
}

ProgressBar::ProgressBar(Style style, Hooks hooks) : style_(style), hooks_(std::move(hooks)) {}

void ProgressBar::begin(std::string_view phase, std::uint64_t total, std::string_view unit) {
    const base::MutexLock lock(mutex_);
    phase_ = {.phase = std::string(phase), .total = total, .unit = std::string(unit)};
    began_ = hooks_.clock();
    active_ = true;
    logged_ = false;
    done_.store(0, std::memory_order_relaxed);
    next_show_.store(began_ + (style_ == Style::Bar ? kBarInterval : kLogInterval),
                     std::memory_order_relaxed);
}

void ProgressBar::advance(std::uint64_t amount) {
    done_.fetch_add(amount, std::memory_order_relaxed);
    const double now = hooks_.clock();
    double due = next_show_.load(std::memory_order_relaxed);
    const double interval = style_ == Style::Bar ? kBarInterval : kLogInterval;
    if (now < due ||
        !next_show_.compare_exchange_strong(due, now + interval, std::memory_order_relaxed)) {
        return;  // not yet, or another thread shows it
    }
    const base::MutexLock lock(mutex_);
    show();
}

void ProgressBar::end() {
    const base::MutexLock lock(mutex_);
    if (style_ == Style::Bar) {
        if (drawn_) {
            hooks_.write(kClearLine);
            drawn_ = false;
        }
    } else if (logged_) {
        show();
    }
    active_ = false;
}

void ProgressBar::remark(std::string_view text) {
    const base::MutexLock lock(mutex_);
    phase_.remark = text;
}

void ProgressBar::print_above(std::string_view line) {
    const base::MutexLock lock(mutex_);
    hooks_.write(fmt::format("{}{}\n", drawn_ ? kClearLine : "", line));
    if (drawn_) {
        show();
    }
}

ProgressState ProgressBar::state() const {
    ProgressState now = phase_;
    now.done = done_.load(std::memory_order_relaxed);
    now.seconds = hooks_.clock() - began_;
    return now;
}

void ProgressBar::show() {
    if (!active_) {
        return;
    }
    if (style_ == Style::LogLines) {
        logged_ = true;
        hooks_.log(phase_.phase, progress_text(state()));
        return;
    }
    drawn_ = true;
    hooks_.write(fmt::format("{}{}", kClearLine, progress_line(state(), hooks_.columns() - 1)));
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

ProgressBar::Hooks process_hooks() {
    return {.write =
                [](std::string_view text) {
                    std::fwrite(text.data(), 1, text.size(), stderr);
                    std::fflush(stderr);
                },
            .log = [](std::string_view phase, std::string_view text) { log::info(phase, text); },
            .clock =
                [] {
                    return std::chrono::duration<double>(
                               std::chrono::steady_clock::now().time_since_epoch())
                        .count();
                },
            .columns =
                [] {
                    struct winsize size {};
                    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
                    return known && size.ws_col >= 20 ? unsigned{size.ws_col} : 80U;
                }};
}

}  // namespace redoubt::cli
