#include "base/error.h"

namespace redoubt {

int exit_code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::Failure:
            return 1;
        case ErrorCode::Usage:
            return 2;
        case ErrorCode::Corruption:
            return 4;
        case ErrorCode::Incomplete:
            return 5;
        case ErrorCode::WrongChain:
            return 6;
        case ErrorCode::Io:
        case ErrorCode::NotFound:
            return 7;
        case ErrorCode::Connection:
            return 8;
        case ErrorCode::Refused:
            return 9;
        case ErrorCode::Key:
            return 12;
        case ErrorCode::Privilege:
            return 13;
        case ErrorCode::NoSpace:
            return 14;
        case ErrorCode::Unsupported:
            return 15;
        case ErrorCode::RedoLost:
            return 16;
        case ErrorCode::Cancelled:
            return 18;
        case ErrorCode::Internal:
            break;
    }
    return 70;
}

std::string_view name_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::Failure:
            return "failure";
        case ErrorCode::Usage:
            return "usage";
        case ErrorCode::Corruption:
            return "corruption";
        case ErrorCode::Incomplete:
            return "incomplete";
        case ErrorCode::WrongChain:
            return "wrong-chain";
        case ErrorCode::Io:
            return "io";
        case ErrorCode::NotFound:
            return "not-found";
        case ErrorCode::Connection:
            return "connection";
        case ErrorCode::Refused:
            return "refused";
        case ErrorCode::Key:
            return "key";
        case ErrorCode::Privilege:
            return "privilege";
        case ErrorCode::NoSpace:
            return "no-space";
        case ErrorCode::Unsupported:
            return "unsupported";
        case ErrorCode::RedoLost:
            return "redo-lost";
        case ErrorCode::Cancelled:
            return "cancelled";
        case ErrorCode::Internal:
            break;
    }
    return "internal";
}

Error::Error(ErrorCode code, std::string message)
    : body_(std::make_unique<Body>(Body{code, std::move(message), {}, {}, {}, {}, {}})) {}
Error::Error(const Error& other) : body_(std::make_unique<Body>(*other.body_)) {}
Error& Error::operator=(const Error& other) {
    if (this != &other) {
        body_ = std::make_unique<Body>(*other.body_);
    }
    return *this;
}

Error&& Error::with_file(std::string_view file) && {
    if (body_->file.empty()) {
        body_->file = file;
    }
    return std::move(*this);
}
Error&& Error::with_space(SpaceId space) && {
    if (!body_->space) {
        body_->space = space;
    }
    return std::move(*this);
}
Error&& Error::with_page(PageNo page) && {
    if (!body_->page) {
        body_->page = page;
    }
    return std::move(*this);
}
Error&& Error::with_lsn(Lsn lsn) && {
    if (!body_->lsn) {
        body_->lsn = lsn;
    }
    return std::move(*this);
}
Error&& Error::with_hint(std::string_view hint) && {
    if (body_->hint.empty()) {
        body_->hint = hint;
    }
    return std::move(*this);
}
Error&& Error::with_context(std::string_view context) && {
    body_->message = fmt::format("{}: {}", context, body_->message);
    return std::move(*this);
}

std::string Error::to_string() const {
    std::string text = body_->message;
    if (!body_->file.empty()) {
        text += fmt::format("; file {}", body_->file);
    }
    if (body_->space) {
        text += fmt::format("; space {}", body_->space->value);
    }
    if (body_->page) {
        text += fmt::format("{} page {}", body_->space ? "" : ";", body_->page->value);
    }
    if (body_->lsn) {
        text += fmt::format("; lsn {}", body_->lsn->value);
    }
    if (!body_->hint.empty()) {
        text += fmt::format("\nhint: {}", body_->hint);
    }
    return text;
}

}  // namespace redoubt
