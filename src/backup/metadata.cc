#include "backup/metadata.h"

#include <charconv>
#include <map>

#include "base/text.h"

namespace redoubt::backup {
namespace {

using base::strip;

constexpr std::size_t kFileSizeMax = 64 << 10;  // bytes; real ones have a few hundred

/// "key = value" lines; others are passed over.
std::map<std::string, std::string, std::less<>> parse_lines(std::string_view text) {
    std::map<std::string, std::string, std::less<>> values;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (const std::size_t sign = line.find('='); sign != std::string_view::npos) {
            values.insert_or_assign(std::string(strip(line.substr(0, sign))),
                                    std::string(strip(line.substr(sign + 1))));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return values;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

Error incomplete(std::string message, std::string_view file) {
    return Error(ErrorCode::Incomplete, std::move(message)).with_file(file);
}

constexpr const char* kTakeAnother = "take another backup; this one cannot be trusted";

/// Files whose absence says that the backup did not come to its end.
Status require(io::Directory& directory, const char* file) {
    if (directory.exists(file)) {
        return {};
    }
    return incomplete(
               fmt::format("the backup is incomplete: it has no {}, which is written last", file),
               io::join(directory.path(), file))
        .with_hint("the backup was interrupted; take another one");
}

}  // namespace

std::string_view name_of(BackupState state) {
    switch (state) {
        case BackupState::Copied:
            return "copied";
        case BackupState::Prepared:
            return "prepared";
        case BackupState::Increment:
            break;
    }
    return "increment";
}

Result<Checkpoints> parse_checkpoints(std::string_view text) {
    const auto values = parse_lines(text);
    Checkpoints result;
    const auto type = values.find("backup_type");
    if (type == values.end()) {
        return incomplete("no backup_type", kCheckpointsFile).with_hint(kTakeAnother);
    }
    if (type->second == "full-backuped") {
        result.state = BackupState::Copied;
    } else if (type->second == "log-applied") {
        result.state = BackupState::Prepared;
    } else if (type->second == "incremental") {
        result.state = BackupState::Increment;
    } else {
        return incomplete(fmt::format("unknown backup_type '{}'", type->second), kCheckpointsFile)
            .with_hint("the file is damaged or comes from another tool");
    }
    const auto read = [&](std::string_view name, bool required, Lsn& into) -> Status {
        const auto value = values.find(name);
        if (value == values.end() && !required) {
            return {};
        }
        const auto number = value == values.end() ? std::nullopt : parse_number(value->second);
        if (!number) {
            return incomplete(fmt::format("{} is missing or no number", name), kCheckpointsFile)
                .with_hint(kTakeAnother);
        }
        into = Lsn{*number};
        return {};
    };
    RETURN_IF_ERROR(read("from_lsn", true, result.from));
    RETURN_IF_ERROR(read("to_lsn", true, result.to));
    RETURN_IF_ERROR(read("last_lsn", false, result.last));
    Lsn flag;
    RETURN_IF_ERROR(read("recover_binlog_info", false, flag));
    result.recover_binlog_info = flag.value != 0;
    if (result.last.value != 0 && result.last < result.to) {
        return incomplete(fmt::format("last_lsn {} lies before to_lsn {}", result.last.value,
                                      result.to.value),
                          kCheckpointsFile)
            .with_hint(kTakeAnother);
    }
    if (result.state == BackupState::Copied && result.from.value != 0) {
        return incomplete(
                   fmt::format("a full backup begins at lsn 0, not at {}", result.from.value),
                   kCheckpointsFile)
            .with_hint(kTakeAnother);
    }
    return result;
}

std::string format_checkpoints(const Checkpoints& checkpoints) {
    std::string_view type = "full-backuped";
    if (checkpoints.state == BackupState::Prepared) {
        type = "log-applied";
    } else if (checkpoints.state == BackupState::Increment) {
        type = "incremental";
    }
    return fmt::format(
        "backup_type = {}\nfrom_lsn = {}\nto_lsn = {}\nlast_lsn = {}\nrecover_binlog_info = {}\n",
        type, checkpoints.from.value, checkpoints.to.value, checkpoints.last.value,
        checkpoints.recover_binlog_info ? 1 : 0);
}

BackupInfo parse_info(std::string_view text) {
    const auto values = parse_lines(text);
    const auto value = [&](std::string_view name) {
        const auto found = values.find(name);
        return found == values.end() ? std::string() : found->second;
    };
    BackupInfo info;
    info.tool_version = value("tool_version");
    info.server_version = value("server_version");
    info.end_time = value("end_time");
    if (const auto number = parse_number(value("innodb_to_lsn"))) {
        info.to = Lsn{*number};
    }
    info.partial = value("partial") == "Y";
    info.incremental = value("incremental") == "Y";
    info.compressed = value("compressed") == "compressed";
    return info;
}

std::string format_info(const BackupDescription& description) {
    constexpr std::string_view kLikeVersion = "10.11.19-MariaDB";
    return fmt::format(
        "uuid = {}\nname = \ntool_name = redoubt\ntool_command = {}\ntool_version = {}\n"
        "ibbackup_version = {}\nserver_version = {}\nstart_time = {}\nend_time = {}\n"
        "lock_time = {}\nbinlog_pos = {}\ninnodb_from_lsn = {}\ninnodb_to_lsn = {}\npartial = N\n"
        "incremental = N\nformat = file\ncompressed = N\n",
        description.uuid, description.tool_command, kLikeVersion, kLikeVersion,
        description.server_version, description.start_time, description.end_time,
        description.lock_seconds, description.binlog_position, description.from.value,
        description.to.value);
}

std::string file_names_only(std::string_view data_file_path) {
    std::string names;
    while (!data_file_path.empty()) {
        const std::size_t end = std::min(data_file_path.find(';'), data_file_path.size());
        std::string_view part = data_file_path.substr(0, end);
        part.remove_prefix(part.substr(0, part.find(':')).rfind('/') + 1);  // npos + 1 is 0
        names += names.empty() ? "" : ";";
        names += part;
        data_file_path.remove_prefix(std::min(end + 1, data_file_path.size()));
    }
    return names;
}

std::string format_options_file(const ServerLayout& layout) {
    std::string text = fmt::format(
        "# Made by redoubt: what the server that was backed up was like.\n\n[mysqld]\n"
        "innodb_checksum_algorithm={}\ninnodb_data_file_path={}\ninnodb_log_file_size={}\n"
        "innodb_page_size={}\ninnodb_undo_directory=./\ninnodb_undo_tablespaces={}\n"
        "innodb_compression_level={}\n",
        layout.checksum_algorithm, file_names_only(layout.data_file_path), layout.log_file_size,
        layout.page_size, layout.undo_tablespaces, layout.compression_level);
    if (!layout.buffer_pool_filename.empty()) {
        text += fmt::format("innodb_buffer_pool_filename={}\n", layout.buffer_pool_filename);
    }
    for (const std::string& line : layout.encryption_lines) {
        text += line + "\n";
    }
    return text + "\n";
}

bool is_backup(io::Directory& directory) {
    return directory.exists(kCheckpointsFile) || directory.exists(kOptionsFile) ||
           directory.exists(kManifestFile) || directory.exists(kUnfinishedLog);
}

Result<Metadata> read_metadata(io::Directory& directory) {
    if (!directory.exists(kCheckpointsFile) && directory.exists(kMovedCheckpointsFile)) {
        return incomplete("this was a backup; its files were moved into place as a data directory",
                          io::join(directory.path(), kMovedCheckpointsFile))
            .with_hint(
                "if that was interrupted, run the same redoubt restore --move again; if not, only "
                "these metadata files are left here");
    }
    if (directory.exists(kUnfinishedLog)) {
        return incomplete("the backup is incomplete: it did not come to its end, or still runs",
                          io::join(directory.path(), kUnfinishedLog))
            .with_hint("if no redoubt backup runs, delete the directory and take another backup");
    }
    RETURN_IF_ERROR(require(directory, kCheckpointsFile));
    RETURN_IF_ERROR(require(directory, kOptionsFile));
    Metadata metadata;
    ASSIGN_OR_RETURN(const std::string text, directory.read_text(kCheckpointsFile, kFileSizeMax));
    ASSIGN_OR_RETURN(metadata.checkpoints, parse_checkpoints(text));
    if (directory.exists(kInfoFile)) {
        ASSIGN_OR_RETURN(const std::string info, directory.read_text(kInfoFile, kFileSizeMax));
        metadata.info = parse_info(info);
        if (metadata.info->compressed && directory.exists("ibdata1.qp")) {
            return make_error(ErrorCode::Unsupported, "the backup's files are compressed (.qp)")
                .with_file(io::join(directory.path(), kInfoFile))
                .with_hint("decompress it with mariadb-backup --decompress first");
        }
        if (metadata.info->to && *metadata.info->to != metadata.checkpoints.to) {
            return incomplete(
                       fmt::format("the metadata files contradict each other: {} says to_lsn {}, "
                                   "{} says {}",
                                   kCheckpointsFile, metadata.checkpoints.to.value, kInfoFile,
                                   metadata.info->to->value),
                       io::join(directory.path(), kInfoFile))
                .with_hint("one of them is from another backup; take another backup");
        }
    }
    return metadata;
}

Status write_checkpoints(io::Directory& directory, const Checkpoints& checkpoints) {
    return directory.replace_text(kCheckpointsFile, format_checkpoints(checkpoints));
}

}  // namespace redoubt::backup
