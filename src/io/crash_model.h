/// What a power loss may do to what was written and not synced, and the dice that decide it.
#pragma once

#include <cstdint>
#include <random>

namespace redoubt::io {

struct CrashModel {
    enum class Unsynced {
        Lost,  ///< nothing that was not synced is left
        Kept,  ///< all of it is, but for what a failed sync dropped: nobody writes that again
        Random
    };
    Unsynced unsynced = Unsynced::Random;
    /// Random: what the device writes whole or not at all, 512 or 4096.
    std::uint32_t tear_bytes = 512;
};

/// The same numbers for the same seed, on every platform (std::uniform_int_distribution is free
/// to differ).
class CrashDice {
public:
    explicit CrashDice(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t roll() { return engine_(); }
    /// 0 <= result < `count`
    std::uint64_t below(std::uint64_t count) { return engine_() % count; }
    bool coin() { return below(2) == 1; }

private:
    std::mt19937_64 engine_;
};

}  // namespace redoubt::io
