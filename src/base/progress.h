/// How far a long piece of work has come. Work calls `advance`; `cli` shows it as a bar on a
/// terminal or as quiet lines in a log. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace redoubt::base {

class Progress {
public:
    virtual ~Progress() = default;
    /// A new phase begins ("scan", "apply", "verify"); `total` units of `unit` ("bytes", "pages")
    /// lie ahead, 0 if unknown.
    virtual void begin(std::string_view phase, std::uint64_t total, std::string_view unit) = 0;
    virtual void advance(std::uint64_t amount) = 0;
    virtual void end() = 0;
    /// What else is worth seeing beside the phase's numbers ("redo headroom 1.2 GiB"), until it is
    /// said again or the phase ends.
    virtual void remark(std::string_view /*text*/) {}
};

/// Shows nothing.
class NoProgress final : public Progress {
public:
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void advance(std::uint64_t) override {}
    void end() override {}
};

}  // namespace redoubt::base
