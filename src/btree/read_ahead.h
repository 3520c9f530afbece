/// Reads pages ahead of who walks along a level of a tree, so that reading, checking, decrypting
/// and expanding them take no time of the walk.
#pragma once

#include <memory>
#include <optional>

#include "base/error.h"
#include "base/ids.h"
#include "btree/page_loader.h"

namespace redoubt::btree {

/// A thread that follows the links of a level. One walk uses it.
///   A1  take() gives what PageLoader::load() gives of the page, errors too.
///   A2  It holds at most kPages pages, and reads none that no page before it leads to.
class ReadAhead {
public:
    static constexpr std::size_t kPages = 16;

    /// null: no thread is to be had.
    static std::unique_ptr<ReadAhead> start(const PageLoader& loader);
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;
    /// Waits for the page that is being read.
    ~ReadAhead();
    /// Begins anew with page `first` and goes on to the right or, not `forward`, to the left.
    void follow(PageNo first, bool forward);
    /// If `number` is the page that comes next: what loading it gave, and the page in exchange for
    /// the one in `page`. nullopt: it is not, and nothing is changed.
    std::optional<Status> take(PageNo number, LoadedPage& page);

private:
    struct State;
    explicit ReadAhead(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::btree
