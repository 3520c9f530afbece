/// Errors and results. An `Error` says what went wrong in a sentence and carries what is known of
/// file, space, page and LSN; each layer adds what only it knows and passes it on.
/// Messages: lower case, cause first, no row data, no keys. Exit codes: docs/architecture.md.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "base/ids.h"

namespace redoubt {

/// One for each exit code of the command line that they become.
enum class ErrorCode : std::uint8_t {
    Internal,     ///< a mistake of ours (exit 70)
    Failure,      ///< a failure not listed here (exit 1)
    Usage,        ///< the command line or an option is off (exit 2)
    Corruption,   ///< bytes that contradict the format (exit 4)
    Incomplete,   ///< a backup that is not whole (exit 5)
    WrongChain,   ///< an increment that does not fit its base (exit 6)
    Io,           ///< the operating system refused a read, write or sync (exit 7)
    NotFound,     ///< a file that should be there is not (exit 7)
    Connection,   ///< no server, or it went away (exit 8)
    Refused,      ///< refused for safety, e.g. directory in use (exit 9)
    Key,          ///< encryption key missing or wrong (exit 12)
    Privilege,    ///< the account lacks a privilege (exit 13)
    NoSpace,      ///< disk full (exit 14)
    Unsupported,  ///< a format or version we do not handle (exit 15)
    RedoLost,     ///< the redo log was overwritten before it was read (exit 16)
    Cancelled,    ///< interrupted (exit 18)
};

/// The process exit code an error becomes (DESIGN 3).
int exit_code_of(ErrorCode code);
/// "corruption", "io", ...: the name used in JSON output.
std::string_view name_of(ErrorCode code);

/// One pointer wide, so that success stays cheap. Immutable in meaning: the `with_` calls fill in
/// places that are still empty, so the innermost knowledge wins.
class [[nodiscard]] Error {
public:
    Error(ErrorCode code, std::string message);
    Error(const Error& other);
    Error(Error&&) noexcept = default;
    Error& operator=(const Error& other);
    Error& operator=(Error&&) noexcept = default;
    ~Error() = default;

    ErrorCode code() const { return body_->code; }
    const std::string& message() const { return body_->message; }
    const std::string& hint() const { return body_->hint; }
    const std::string& file() const { return body_->file; }
    std::optional<SpaceId> space() const { return body_->space; }
    std::optional<PageNo> page() const { return body_->page; }
    std::optional<Lsn> lsn() const { return body_->lsn; }

    Error&& with_file(std::string_view file) &&;
    Error&& with_space(SpaceId space) &&;
    Error&& with_page(PageNo page) &&;
    Error&& with_page(PageId id) && {
        return std::move(*this).with_space(id.space).with_page(id.page);
    }
    Error&& with_lsn(Lsn lsn) &&;
    Error&& with_hint(std::string_view hint) &&;
    /// Puts "context: " before the message.
    Error&& with_context(std::string_view context) &&;

    /// The operator's text without "error: ": message; file F; space S; page P; lsn L [\nhint:
    /// ...].
    std::string to_string() const;

private:
    struct Body {
        ErrorCode code;
        std::string message;
        std::string hint;
        std::string file;
        std::optional<SpaceId> space;
        std::optional<PageNo> page;
        std::optional<Lsn> lsn;
    };
    std::unique_ptr<Body> body_;
};

/// make_error(ErrorCode::Io, "cannot read {} bytes", n)
template <class... Args>
Error make_error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    return Error(code, fmt::format(format, std::forward<Args>(args)...));
}
/// Corruption of a known page.
template <class... Args>
Error corruption(PageId id, fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorCode::Corruption, format, std::forward<Args>(args)...).with_page(id);
}

template <class T>
struct [[nodiscard]] Result : tl::expected<T, Error> {
    using tl::expected<T, Error>::expected;
    // NOLINTNEXTLINE(google-explicit-constructor): `return make_error(...)` relies on it
    Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
};
template <>
struct [[nodiscard]] Result<void> : tl::expected<void, Error> {
    using tl::expected<void, Error>::expected;
    Result() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): as above
    Result(Error error) : tl::expected<void, Error>(tl::unexpect, std::move(error)) {}
};
using Status = Result<void>;
inline Status ok_status() { return {}; }

}  // namespace redoubt

#define REDOUBT_CONCAT_INNER(a, b) a##b
#define REDOUBT_CONCAT(a, b) REDOUBT_CONCAT_INNER(a, b)

// NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared, and a target that may be a
// declaration, cannot stand in parentheses

/// Returns the error of a Status or Result expression to the caller. (A counter names the local, so
/// that calls nest.)
#define RETURN_IF_ERROR(expr) \
    REDOUBT_RETURN_IF_ERROR(REDOUBT_CONCAT(redoubt_status_, __COUNTER__), expr)
#define REDOUBT_RETURN_IF_ERROR(status, expr)                   \
    do {                                                        \
        if (auto status = (expr); !status) {                    \
            return ::redoubt::Error(std::move(status.error())); \
        }                                                       \
    } while (false)

/// ASSIGN_OR_RETURN(auto file, directory.open(...));
#define ASSIGN_OR_RETURN(target, expr) \
    REDOUBT_ASSIGN_OR_RETURN(REDOUBT_CONCAT(redoubt_result_, __COUNTER__), target, expr)
#define REDOUBT_ASSIGN_OR_RETURN(result, target, expr)      \
    auto result = (expr);                                   \
    if (!result) {                                          \
        return ::redoubt::Error(std::move(result.error())); \
    }                                                       \
    target = std::move(*result)

// NOLINTEND(bugprone-macro-parentheses)
