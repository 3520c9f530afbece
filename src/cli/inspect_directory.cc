#include "cli/inspect_directory.h"

#include <nlohmann/json.hpp>

#include "cli/dictionary_text.h"
#include "cli/doublewrite_text.h"
#include "cli/output.h"
#include "io/sub_directory.h"

namespace redoubt::cli {
namespace {

bool is_directory(const CommandContext& context, const std::string& path) {
    const auto info = context.working_directory.info(path);
    return info && info->is_directory;
}

/// Where a tablespace file's data directory can be: where it lies, or one above.
std::vector<std::string> directories_of(const std::string& file) {
    const std::string parent = io::parent_of(file);
    const std::string here = parent.empty() ? "." : parent;
    return {here, io::join(here, "..")};
}

Result<space::DirectoryOptions> directory_options(const CommandContext& context) {
    space::DirectoryOptions options;
    RETURN_IF_ERROR(take_shared_options(context, options));
    return options;
}

Result<OpenedDirectory> open_directory(const CommandContext& context, const std::string& path) {
    ASSIGN_OR_RETURN(const space::DirectoryOptions options, directory_options(context));
    OpenedDirectory opened;
    opened.directory = std::make_unique<io::SubDirectory>(context.working_directory, path);
    auto reader = DirectoryReader::open(*opened.directory, options);
    context.progress.end();
    if (!reader) {
        return std::move(reader.error());
    }
    opened.reader = std::move(*reader);
    return opened;
}

}  // namespace

Result<int> inspect_dictionary(const CommandContext& context, const std::string& path) {
    ASSIGN_OR_RETURN(const OpenedDirectory opened, open_directory(context, path));
    print_notes(opened.reader->notes(), context.options.quiet);
    const dict::Dictionary& dictionary = opened.reader->dictionary();
    if (context.options.json) {
        Json result = document("inspect");
        result["directory"] = path;
        result["notes"] = opened.reader->notes();
        result.update(dictionary_json(dictionary));
        RETURN_IF_ERROR(print_json(result));
    } else {
        RETURN_IF_ERROR(print(dictionary_text(dictionary)));
    }
    return 0;
}

Result<int> inspect_doublewrite(const CommandContext& context, const std::string& path) {
    const std::string folder = is_directory(context, path) ? path : directories_of(path).front();
    ASSIGN_OR_RETURN(const space::DirectoryOptions options, directory_options(context));
    io::SubDirectory directory(context.working_directory, folder);
    ASSIGN_OR_RETURN(const space::Layout layout,
                     space::find_layout(directory, options.layout, options.layout_given));
    ASSIGN_OR_RETURN(const DoublewriteShown shown,
                     show_doublewrite(directory, layout, context.keys));
    if (context.options.json) {
        Json result = document("inspect");
        result["directory"] = folder;
        result["doublewrite"] = doublewrite_json(shown);
        RETURN_IF_ERROR(print_json(result));
    } else {
        RETURN_IF_ERROR(print(doublewrite_text(shown)));
    }
    return 0;
}

OpenedDirectory open_directory_of(const CommandContext& context, const std::string& file) {
    std::string why;
    for (const std::string& folder : directories_of(file)) {
        auto opened = open_directory(context, folder);
        if (opened) {
            return std::move(*opened);
        }
        if (opened.error().code() != ErrorCode::NotFound) {
            why = opened.error().to_string();
            break;
        }
    }
    if (!context.options.quiet) {
        print_note(why.empty() ? "there is no data directory around the file, and so no dictionary"
                               : fmt::format("the dictionary cannot be read: {}", why));
    }
    return {};
}

}  // namespace redoubt::cli
