/// redoubt log DIR [--page SPACE:PAGE] [--from LSN] [--summary]
#include <array>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/record_text.h"
#include "redo/log_file.h"
#include "redo/record.h"

namespace redoubt::cli {
namespace {

constexpr int kExitDamage = 4;

std::string_view name_of(redo::LogEncryption encryption) {
    switch (encryption) {
        case redo::LogEncryption::None:
            return "none";
        case redo::LogEncryption::Legacy:
            return "10.8 format";
        case redo::LogEncryption::Current:
            break;
    }
    return "10.11 format";
}

/// What was met, after --page and --from.
struct Totals {
    std::uint64_t mtr_count = 0;
    std::uint64_t record_bytes = 0;
    std::array<std::uint64_t, redo::kRecordKindCount> records{};
    Lsn begin;  ///< where reading began
    Lsn end;    ///< where the log ends
    redo::LogEnd end_reason = redo::LogEnd::EmptyByte;
};

class Listing {
public:
    Listing(const redo::LogFile& log, const CommandContext& context)
        : log_(log), options_(context.options), context_(context) {}

    /// Reads to the end of the log, printing as it goes unless --summary.
    Result<Totals> run(Lsn start) {
        Totals totals;
        totals.begin = start;
        redo::LogReader reader = log_.reader();
        reader.seek(start);
        if (options_.summary) {
            context_.progress.begin("scan", 0, "bytes");
        }
        while (true) {
            RETURN_IF_ERROR(context_.cancel.check());
            ASSIGN_OR_RETURN(const std::optional<redo::Mtr> mtr, reader.next());
            if (!mtr) {
                break;
            }
            if (!options_.from || mtr->end > *options_.from) {
                if (Status status = add(*mtr, totals); !status) {
                    return std::move(status.error()).with_file(log_.path()).with_lsn(mtr->start);
                }
            }
            if (options_.summary) {
                context_.progress.advance(mtr->end.value - mtr->start.value);
            }
        }
        context_.progress.end();
        totals.end = reader.position();
        totals.end_reason = reader.end_reason();
        return totals;
    }

private:
    bool wanted(const redo::Record& record) const {
        return !options_.log_page ||
               (!record.is_file_record() && record.page == *options_.log_page);
    }

    Status add(const redo::Mtr& mtr, Totals& totals) {
        RecordDescriber describer;
        std::string lines;
        Json records = Json::array();
        bool any = false;
        redo::RecordReader reader(mtr.records);
        while (true) {
            ASSIGN_OR_RETURN(const std::optional<redo::Record> record, reader.next());
            if (!record) {
                break;
            }
            if (!wanted(*record)) {
                continue;
            }
            any = true;
            ++totals.records[redo::record_kind(*record)];
            totals.record_bytes += record->length;
            if (options_.summary) {
                continue;
            }
            if (options_.json) {
                records.push_back(describer.json(*record));
            } else {
                lines += fmt::format("  {}\n", describer.text(*record));
            }
        }
        if (!any) {
            return {};
        }
        ++totals.mtr_count;
        if (options_.summary) {
            return {};
        }
        if (options_.json) {
            return print_json_line({{"start_lsn", mtr.start.value},
                                    {"end_lsn", mtr.end.value},
                                    {"records", std::move(records)}});
        }
        return print(fmt::format("mtr {} to {}, {} bytes\n{}", mtr.start.value, mtr.end.value,
                                 mtr.end.value - mtr.start.value, lines));
    }

    const redo::LogFile& log_;
    const Options& options_;
    const CommandContext& context_;
};

std::string header_text(const redo::LogFile& log, const redo::Checkpoint& used) {
    const redo::LogHeader& header = log.header();
    std::vector<Fact> facts = {
        {"log file", fmt::format("{}, {}", log.path(), human_bytes(log.file_size()))},
        {"created by", header.creator},
        {"encryption",
         header.encryption == redo::LogEncryption::None
             ? "none"
             : fmt::format("{}, key version {}", name_of(header.encryption), header.key_version)},
        {"first lsn", fmt::format("{}", header.first_lsn.value)},
    };
    for (std::size_t block = 0; block < log.checkpoints().size(); ++block) {
        const auto& checkpoint = log.checkpoints()[block];
        facts.emplace_back(fmt::format("checkpoint {}", block + 1),
                           checkpoint
                               ? fmt::format("lsn {}, file list at lsn {}{}", checkpoint->lsn.value,
                                             checkpoint->end_lsn.value,
                                             used.block == block ? " (the one in use)" : "")
                               : "not valid");
    }
    return facts_text(facts);
}

Json header_json(const redo::LogFile& log, const redo::Checkpoint& used) {
    const redo::LogHeader& header = log.header();
    Json result = document("log");
    result["file"] = log.path();
    result["file_bytes"] = log.file_size();
    result["creator"] = header.creator;
    result["encryption"] = name_of(header.encryption);
    result["first_lsn"] = header.first_lsn.value;
    result["checkpoints"] = Json::array();
    for (const auto& checkpoint : log.checkpoints()) {
        result["checkpoints"].push_back(checkpoint
                                            ? Json{{"lsn", checkpoint->lsn.value},
                                                   {"end_lsn", checkpoint->end_lsn.value},
                                                   {"in_use", checkpoint->block == used.block}}
                                            : Json());
    }
    return result;
}

void add_totals(Json& result, const Totals& totals, const redo::LogFile& log) {
    result["begin_lsn"] = totals.begin.value;
    result["end_lsn"] = totals.end.value;
    result["end_offset"] = log.offset_of(totals.end);
    result["end_reason"] = redo::name_of(totals.end_reason);
    result["redo_bytes"] = totals.end.value - totals.begin.value;
    result["mini_transactions"] = totals.mtr_count;
    result["record_bytes"] = totals.record_bytes;
    Json counts = Json::object();
    for (std::size_t kind = 0; kind < totals.records.size(); ++kind) {
        if (totals.records[kind] != 0) {
            counts[std::string(redo::record_kind_name(kind))] = totals.records[kind];
        }
    }
    result["record_counts"] = std::move(counts);
}

std::string summary_text(const Totals& totals) {
    std::vector<std::vector<std::string>> rows;
    for (std::size_t kind = 0; kind < totals.records.size(); ++kind) {
        if (totals.records[kind] != 0) {
            rows.push_back(
                {std::string(redo::record_kind_name(kind)), human_count(totals.records[kind])});
        }
    }
    return facts_text(
               {{"redo", fmt::format("lsn {} to {}, {}", totals.begin.value, totals.end.value,
                                     human_bytes(totals.end.value - totals.begin.value))},
                {"mini-transactions", human_count(totals.mtr_count)},
                {"records", human_bytes(totals.record_bytes)}}) +
           "\n" + table_text({"record", "count"}, rows) + "\n";
}

std::string end_text(const Totals& totals, const redo::LogFile& log) {
    return fmt::format("the log ends at lsn {} (file offset {}): {}\n", totals.end.value,
                       log.offset_of(totals.end), redo::name_of(totals.end_reason));
}

}  // namespace

Result<int> log_command(const CommandContext& context) {
    const Options& options = context.options;
    std::string path = options.paths.front();
    ASSIGN_OR_RETURN(const io::FileInfo info, context.working_directory.info(path));
    if (info.is_directory) {
        ASSIGN_OR_RETURN(const space::LayoutOptions layout,
                         options.layout.resolve(context.working_directory));
        path = io::join(io::join(path, layout.log_directory), "ib_logfile0");
    }
    note_directory_in_use(context, io::parent_of(path));

    ASSIGN_OR_RETURN(const auto log,
                     redo::LogFile::open(context.working_directory, path, context.keys));
    ASSIGN_OR_RETURN(const redo::Checkpoint checkpoint, log->checkpoint());
    if (!options.json) {
        RETURN_IF_ERROR(print(header_text(*log, checkpoint) + "\n"));
    }
    // From the checkpoint on, mini-transactions before --from are read and left out, so that any
    // LSN will do; older redo has no known boundary but the one given.
    const Lsn start = options.from ? std::min(*options.from, checkpoint.lsn) : checkpoint.lsn;
    ASSIGN_OR_RETURN(const Totals totals, Listing(*log, context).run(start));

    if (options.json) {
        Json result = header_json(*log, checkpoint);
        add_totals(result, totals, *log);
        RETURN_IF_ERROR(options.summary ? print_json(result) : print_json_line(result));
    } else {
        RETURN_IF_ERROR(print((options.summary ? summary_text(totals) : std::string()) +
                              end_text(totals, *log)));
    }
    if (start == checkpoint.lsn && totals.end <= checkpoint.end_lsn) {
        print_note(
            fmt::format("the log ends before the file list of its checkpoint (lsn {}): it "
                        "is cut short or damaged and cannot be recovered from",
                        checkpoint.end_lsn.value));
        return kExitDamage;
    }
    return 0;
}

}  // namespace redoubt::cli
