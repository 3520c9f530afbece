/// Reads every page of one tablespace and says what each is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/progress.h"
#include "cli/page_map.h"
#include "crypt/keys.h"
#include "space/extent_map.h"
#include "space/tablespace.h"

namespace redoubt::cli {

struct SpaceSurvey {
    std::vector<PageKind> pages;        ///< one for each page in the file
    std::uint64_t encrypted_pages = 0;  ///< stored encrypted, whether or not they could be read
    std::vector<Error> damage;          ///< the first `kDamageListed` damaged pages, in page order
    std::vector<space::ExtentProblem> extent_problems;
    bool free_pages_known = false;  ///< false: not all extent descriptors could be read
};
inline constexpr std::size_t kDamageListed = 20;

struct SurveyOptions {
    const crypt::KeyRing* keys = nullptr;
    unsigned threads = 1;
    base::Progress* progress = nullptr;
    const base::CancelToken* cancel = nullptr;
};

/// Damage is part of the result. Errors: Io, Cancelled.
Result<SpaceSurvey> survey_space(space::Tablespace& tablespace, const SurveyOptions& options);

}  // namespace redoubt::cli
