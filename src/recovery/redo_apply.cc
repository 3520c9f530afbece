#include "recovery/redo_apply.h"

#include <algorithm>
#include <array>

#include "page/header.h"
#include "recovery/page_apply.h"
#include "redo/framing.h"

namespace redoubt::recovery {
namespace {

/// A mini-transaction may change a page, free it, and initialise it again. Where it is the first
/// that counts for a page, what it logged before the initialisation is for a page that no longer
/// exists.
bool waits_for_init(const PageFrame& frame, Lsn start, redo::RecordType type) {
    return !frame.changed && frame.entries.initialised() && start == frame.entries.first_start() &&
           type != redo::RecordType::InitPage;
}

Error log_changed(Lsn start) {
    return make_error(ErrorCode::Corruption, "the redo log changed while it was read")
        .with_lsn(start);
}

/// Applies what the mini-transaction at `start` does to the page of `frame`, and hardly looks at
/// the rest: the scan has checked it. `bytes` begins with its records and goes to their end, or at
/// least to the byte that ends them. Returns their size.
Result<std::size_t> apply_records(Lsn start, std::span<const std::byte> bytes, PageFrame& frame) {
    PageApplier applier(frame.id, frame.plain, frame.row_compressed);
    redo::Record record{};
    record.page = frame.id;
    bool applies = false;
    std::size_t at = 0;
    while (at < bytes.size()) {
        const std::span<const std::byte> rest = bytes.subspan(at);
        const auto first = std::to_integer<unsigned>(rest[0]);
        if (first <= 1) {
            break;
        }
        const redo::RecordFrame shape = redo::read_frame(rest);
        if (shape.length == 0 || shape.length > rest.size() || at >= redo::kMtrSizeMax) {
            return log_changed(start);
        }
        at += shape.length;
        const bool same_page = (first & 0x80) != 0;
        if (same_page && !applies) {
            continue;  // a file-level record, or one of another page
        }
        record.type = static_cast<redo::RecordType>((first >> 4) & 7);
        record.same_page = same_page;
        record.body = rest.subspan(shape.prefix, shape.length - shape.prefix);
        if (!same_page) {
            const redo::Varint space = redo::read_varint(record.body);
            const redo::Varint page = redo::read_varint(record.body.subspan(space.length));
            if (space.length == 0 || page.length == 0) {
                return log_changed(start);
            }
            applies = page.value == frame.id.page.value && space.value == frame.id.space.value &&
                      start >= frame.lsn && !waits_for_init(frame, start, record.type);  // A1
            if (!applies) {
                continue;
            }
            record.body = record.body.subspan(space.length + page.length);
            frame.changed = true;
        }
        if (record.trims_pages()) {
            continue;
        }
        if (auto status = applier.apply(record); !status) {
            return std::move(status.error()).with_page(frame.id).with_lsn(start);
        }
    }
    return at;
}

/// Applies the mini-transaction at `start`.
Status apply_mtr(redo::LogReader& reader, Lsn start, PageFrame& frame) {
    Lsn end;
    if (const auto bytes = reader.view(start); !bytes.empty()) {
        ASSIGN_OR_RETURN(const std::size_t size, apply_records(start, bytes, frame));
        end = redo::LogReader::end_of_plain(start, size);
    } else {
        reader.seek(start);
        ASSIGN_OR_RETURN(const auto mtr, reader.next(false));
        if (!mtr) {
            return log_changed(start);
        }
        ASSIGN_OR_RETURN(const std::size_t size, apply_records(start, mtr->records, frame));
        if (size != mtr->records.size()) {
            return log_changed(start);  // not that of the scan
        }
        end = mtr->end;
    }
    if (frame.changed && start >= frame.lsn) {
        frame.lsn = end;
    }
    return {};
}

/// Applies all redo of a page.
Status apply_page(redo::LogReader& reader, PageFrame& frame) {
    // Mini-transactions that are asked for ahead; enough for the memory to answer.
    constexpr std::size_t kAhead = 16;
    std::array<Lsn, kAhead> starts;  // NOLINT(*-member-init): of which `count` from `first` on
    std::size_t first = 0;
    std::size_t count = 0;
    PageEntries::Cursor cursor = frame.entries.cursor();
    while (!cursor.done() && cursor.start() < frame.lsn) {  // A1
        cursor.next();
    }
    for (;;) {
        for (; count < kAhead && !cursor.done(); cursor.next()) {
            reader.will_read(cursor.start());
            starts[(first + count++) % kAhead] = cursor.start();
        }
        if (count == 0) {
            return {};
        }
        RETURN_IF_ERROR(apply_mtr(reader, starts[first], frame));
        first = (first + 1) % kAhead;
        --count;
    }
}

}  // namespace

Status sweep(redo::LogReader& reader, std::span<PageFrame> frames) {
    for (PageFrame& frame : frames) {
        RETURN_IF_ERROR(apply_page(reader, frame));
        if (frame.changed) {
            page::Header::PageLsn::set(frame.plain, frame.lsn.value);
        }
    }
    return {};
}

BaseReader::BaseReader(const Doublewrite& doublewrite, const LogScan& scan,
                       const crypt::KeyRing* keys, page::Strictness strictness)
    : doublewrite_(doublewrite), scan_(scan), keys_(keys), strictness_(strictness) {}

space::PageCodec BaseReader::make(const RecoveredSpace& space,
                                  const space::SpaceHeader& header) const {
    return space::PageCodec({.space = space.id,
                             .flags = header.flags,
                             .crypt = header.crypt,
                             .keys = keys_,
                             .strictness = strictness_});
}

BaseReader::Codecs& BaseReader::codecs_of(const RecoveredSpace& space) {
    const auto found = codecs_.find(space.id);
    if (found != codecs_.end()) {
        return found->second;
    }
    constexpr std::size_t kCodecsMax =
        256;  // each keeps cipher contexts; 10,000 tables must not keep them all
    if (codecs_.size() >= kCodecsMax) {
        codecs_.clear();
    }
    const bool disk_encrypts =
        space.disk_header && space.disk_header->crypt && space.disk_header->crypt->encrypts();
    return codecs_
        .emplace(space.id, Codecs{make(space, disk_encrypts ? *space.disk_header : space.header),
                                  make(space, space.header)})
        .first->second;
}

space::PageCodec& BaseReader::codec_of(const RecoveredSpace& space) {
    return codecs_of(space).final;
}
space::PageCodec& BaseReader::disk_codec_of(const RecoveredSpace& space) {
    return codecs_of(space).disk;
}

Status BaseReader::read(RecoveredSpace& space, std::span<PageFrame> frames) {
    const std::uint32_t size = space.header.flags.physical_page_size;
    stored_.resize(frames.size() * size);
    ASSIGN_OR_RETURN(const std::uint32_t got,
                     space.file->read_raw(frames.front().id.page,
                                          static_cast<std::uint32_t>(frames.size()), stored_));
    // Past the end of a file that the redo extends: pages that read as zeros.
    std::fill(stored_.begin() + static_cast<std::ptrdiff_t>(std::size_t{got} * size), stored_.end(),
              std::byte{0});
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (auto status = take(space, frames[i], std::span(stored_).subspan(i * size, size));
            !status) {
            return std::move(status.error()).with_file(space.path).with_page(frames[i].id);
        }
    }
    return {};
}

Status BaseReader::take(RecoveredSpace& space, PageFrame& frame,
                        std::span<const std::byte> stored) {
    space::PageCodec& codec = disk_codec_of(space);
    const Lsn from = scan_.checkpoint.lsn;
    auto state = codec.decode(frame.id.page, stored, frame.plain);
    if (!state || *state == space::PageState::AllZero) {
        // Torn, or never written: the doublewrite buffer may have it.
        if (state || state.error().code() == ErrorCode::Corruption) {
            ASSIGN_OR_RETURN(const bool found,
                             doublewrite_.find(frame.id, codec, from, scan_.end, frame.plain));
            if (found) {
                state = space::PageState::Whole;
                frame.healed = true;
            }
        }
        if (!state && state.error().code() != ErrorCode::Corruption) {
            return std::move(state.error());
        }
        if (!state) {
            return std::move(state.error())
                .with_hint(
                    "neither the doublewrite buffer nor the redo log can heal this page; restore "
                    "the file from a backup");
        }
    }
    frame.lsn = page::HeaderView(frame.plain).lsn();
    RETURN_IF_ERROR(prefer_newer_copy(codec, frame));
    if (frame.lsn > scan_.end) {
        return make_error(ErrorCode::Corruption,
                          "the page's lsn {} is beyond the end of the redo log ({})",
                          frame.lsn.value, scan_.end.value)
            .with_lsn(frame.lsn)
            .with_hint(
                "the redo log is not the one this file was written with, or its end is lost; "
                "restore the log, or the last backup");
    }
    return {};
}

/// A copy comes before its page: one that is newer than the page as it stands, and older than the
/// checkpoint, says that the disk has lost the page's last write. What the log begins with would
/// then be missing from the page, and nothing else would tell. (A copy from after the checkpoint is
/// usual, of a write that the crash came before, and as good a base.)
Status BaseReader::prefer_newer_copy(space::PageCodec& codec, PageFrame& frame) {
    copy_.resize(frame.plain.size());
    ASSIGN_OR_RETURN(const bool found,
                     doublewrite_.find_newer(frame.id, codec, frame.lsn, scan_.end, copy_));
    if (!found) {
        return {};
    }
    std::copy(copy_.begin(), copy_.end(), frame.plain.begin());
    frame.lsn = page::HeaderView(frame.plain).lsn();
    frame.was_stale = true;
    return {};
}

Status finish_headers(const redo::LogFile& log, const LogScan& scan, const Doublewrite& doublewrite,
                      std::uint32_t page_size, const crypt::KeyRing* keys,
                      page::Strictness strictness, SpaceMap& map) {
    // Page 0 is never encrypted nor compressed, so its plain form is what the file (or its
    // doublewrite copy) holds.
    constexpr std::size_t kFramesMax = 256;
    redo::LogReader reader = log.reader();
    BaseReader base(doublewrite, scan, keys, strictness);
    std::vector<std::byte> images(kFramesMax * page_size);
    std::vector<PageFrame> frames;
    const auto flush = [&]() -> Status {
        RETURN_IF_ERROR(sweep(reader, frames));
        for (PageFrame& frame : frames) {
            RecoveredSpace& space = map.spaces.at(frame.id.space);
            if (!frame.changed && !frame.was_stale) {
                continue;
            }
            const auto flags =
                page::TablespaceFlags::decode(load_be<std::uint32_t>(frame.plain.data() + 54));
            if (flags && flags->physical_page_size <= page_size) {
                page::seal(frame.plain.first(flags->physical_page_size), *flags);
            }
            auto header = space::parse_first_page(frame.plain, page_size, strictness);
            if (!header) {
                return std::move(header.error().error)
                    .with_context("page 0 as the redo log builds it")
                    .with_file(space.path)
                    .with_page(frame.id);
            }
            if (header->id != space.id) {
                return make_error(ErrorCode::Corruption,
                                  "page 0 as the redo log builds it carries space id {}",
                                  header->id.value)
                    .with_file(space.path)
                    .with_page(frame.id);
            }
            if (space.disk_header &&
                space.disk_header->flags.physical_page_size != header->flags.physical_page_size) {
                return make_error(
                           ErrorCode::Corruption,
                           "page 0 as the redo log builds it has pages of {} bytes, the file "
                           "of {}",
                           header->flags.physical_page_size,
                           space.disk_header->flags.physical_page_size)
                    .with_file(space.path)
                    .with_page(frame.id)
                    .with_hint("restore this table from a backup");
            }
            space.header = *header;
            if (space.file) {
                space.file->set_header(space.header);
            }
        }
        frames.clear();
        return {};
    };
    for (std::size_t i = 0; i < scan.first_pages.page_count(); ++i) {
        const PageEntries page = scan.first_pages.page(i);
        RecoveredSpace& space = map.spaces.at(page.id().space);
        if (space.ignored || page.freed()) {
            continue;
        }
        const auto image = std::span(images).subspan(frames.size() * page_size, page_size);
        std::fill(image.begin(), image.end(), std::byte{0});
        PageFrame frame{
            .id = page.id(), .entries = page, .plain = image, .row_compressed = false, .lsn = {}};
        if (!page.initialised()) {
            frame.plain = image.first(space.header.flags.physical_page_size);
            RETURN_IF_ERROR(base.read(space, std::span(&frame, 1)));
        }
        frames.push_back(frame);
        if (frames.size() == kFramesMax) {
            RETURN_IF_ERROR(flush());
        }
    }
    RETURN_IF_ERROR(flush());
    for (auto& [id, space] : map.spaces) {
        // A log that only frees page 0, say. All buffers are sized by these headers.
        if (!space.ignored && scan.touched_spaces.contains(id) &&
            (space.header.id != id || space.header.flags.logical_page_size != page_size)) {
            return make_error(ErrorCode::Corruption, "the redo log does not rebuild page 0")
                .with_file(space.path)
                .with_page({id, PageNo{0}})
                .with_hint("restore this table from a backup");
        }
        if (space.ignored || !space.header.crypt || !space.header.crypt->encrypts() ||
            !scan.touched_spaces.contains(id)) {
            continue;
        }
        if (keys == nullptr) {
            return make_error(ErrorCode::Key,
                              "the tablespace is encrypted with key {} and no keys were given",
                              space.header.crypt->key_id)
                .with_file(space.path)
                .with_space(id)
                .with_hint(
                    "give the server's key file with --key-file (and --key-algorithm, if it is "
                    "ctr)");
        }
        if (auto version = keys->latest_version(space.header.crypt->key_id); !version) {
            return std::move(version.error()).with_file(space.path).with_space(id);
        }
    }
    return {};
}

}  // namespace redoubt::recovery
