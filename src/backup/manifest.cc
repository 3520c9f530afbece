#include "backup/manifest.h"

#include <nlohmann/json.hpp>

namespace redoubt::backup {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "redoubt.manifest.v1";

std::string_view state_text(BackupState state) { return name_of(state); }

Error damaged(std::string_view what) {
    return make_error(ErrorCode::Incomplete, "the manifest is damaged: {}", what)
        .with_file(kManifestFile)
        .with_hint("without it nothing tells whether the backup is whole; take another backup");
}

/// nlohmann throws what does not fit; this is as far as exceptions go.
Manifest read_json(const Json& json) {
    Manifest manifest;
    const std::string state = json.at("state");
    bool known = false;
    for (const BackupState candidate :
         {BackupState::Copied, BackupState::Prepared, BackupState::Increment}) {
        if (state == state_text(candidate)) {
            manifest.state = candidate;
            known = true;
        }
    }
    if (!known) {
        throw std::invalid_argument("unknown state " + state);
    }
    manifest.uuid = json.at("uuid");
    const Json& server = json.at("server");
    manifest.server_uuid = server.at("uuid");
    manifest.server_version = server.at("version");
    manifest.host = server.at("host");
    const Json& lsn = json.at("lsn");
    manifest.from = Lsn{lsn.at("from")};
    manifest.to = Lsn{lsn.at("to")};
    manifest.last = Lsn{lsn.at("last")};
    manifest.begin_time = json.at("begin_time");
    manifest.end_time = json.at("end_time");
    if (const auto binlog = json.find("binlog"); binlog != json.end()) {
        manifest.binlog_file = binlog->at("file");
        manifest.binlog_offset = binlog->at("offset");
        manifest.gtid = binlog->at("gtid");
    }
    manifest.parent = json.value("parent", "");
    manifest.damaged = json.value("damaged", false);
    for (const auto& [path, value] : json.at("files").items()) {
        ManifestFile file;
        file.size = value.at("size");
        file.hash = value.value("xxh128", "");
        if (const auto space = value.find("space"); space != value.end()) {
            file.space = SpaceId{space->get<std::uint32_t>()};
        }
        if (const auto pages = value.find("pages"); pages != value.end()) {
            file.pages = pages->get<std::uint32_t>();
        }
        if (const auto page_lsn = value.find("lsn"); page_lsn != value.end()) {
            file.lsn = Lsn{page_lsn->get<std::uint64_t>()};
        }
        manifest.files.emplace(path, std::move(file));
    }
    return manifest;
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
    const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded() || !json.is_object()) {
        return damaged("no JSON object");
    }
    try {
        if (json.at("schema") != kSchema) {
            return make_error(ErrorCode::Unsupported, "a manifest of another kind: {}",
                              json.at("schema").dump())
                .with_file(kManifestFile)
                .with_hint("use the version of this program that made the backup, or a newer one");
        }
        return read_json(json);
    } catch (const std::exception& problem) {
        return damaged(problem.what());
    }
}

std::string format_manifest(const Manifest& manifest) {
    Json json;
    json["schema"] = kSchema;
    json["uuid"] = manifest.uuid;
    json["state"] = state_text(manifest.state);
    if (!manifest.parent.empty()) {
        json["parent"] = manifest.parent;
    }
    json["damaged"] = manifest.damaged;
    json["server"] = {{"uuid", manifest.server_uuid},
                      {"version", manifest.server_version},
                      {"host", manifest.host}};
    json["begin_time"] = manifest.begin_time;
    json["end_time"] = manifest.end_time;
    json["lsn"] = {
        {"from", manifest.from.value}, {"to", manifest.to.value}, {"last", manifest.last.value}};
    if (!manifest.binlog_file.empty()) {
        json["binlog"] = {{"file", manifest.binlog_file},
                          {"offset", manifest.binlog_offset},
                          {"gtid", manifest.gtid}};
    }
    Json& files = json["files"] = Json::object();
    for (const auto& [path, file] : manifest.files) {
        Json& entry = files[path] = {{"size", file.size}};
        if (!file.hash.empty()) {
            entry["xxh128"] = file.hash;
        }
        if (file.space) {
            entry["space"] = file.space->value;
        }
        if (file.pages) {
            entry["pages"] = *file.pages;
        }
        if (file.lsn) {
            entry["lsn"] = file.lsn->value;
        }
    }
    // Names of files may hold any byte.
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::optional<Manifest>> read_manifest(io::Directory& directory,
                                              const Checkpoints& checkpoints) {
    constexpr std::size_t kSizeMax = std::size_t{1} << 30;  // bytes; some 200 a file
    if (!directory.exists(kManifestFile)) {
        return std::optional<Manifest>();
    }
    ASSIGN_OR_RETURN(const std::string text, directory.read_text(kManifestFile, kSizeMax));
    auto manifest = parse_manifest(text);
    if (!manifest) {
        return std::move(manifest.error()).with_file(io::join(directory.path(), kManifestFile));
    }
    if (manifest->last != checkpoints.last || manifest->to != checkpoints.to) {
        return make_error(ErrorCode::Incomplete,
                          "the manifest is another backup's: it ends at lsn {}, {} says {}",
                          manifest->last.value, kCheckpointsFile, checkpoints.last.value)
            .with_file(io::join(directory.path(), kManifestFile))
            .with_hint("copy the backup anew from where it is kept, or take another one");
    }
    return std::optional<Manifest>(std::move(*manifest));
}

Status write_manifest(io::Directory& directory, const Manifest& manifest) {
    return directory.replace_text(kManifestFile, format_manifest(manifest));
}

}  // namespace redoubt::backup
