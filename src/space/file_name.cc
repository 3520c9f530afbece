/// The server's "filename" character set: names of databases and tables as they stand on disk.
/// Format: docs/formats/files.md#file-names.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "space/layout.h"

namespace redoubt::space {
namespace {

/// Code points from `first` on, each written '@' and the next two characters of `pairs`.
struct ShortForms {
    std::uint16_t first;
    std::string_view pairs;
};

constexpr auto kShortForms = std::to_array<ShortForms>({
    {0x00C0, "0G0H0I0J0K0L0M0N0O0P0Q0R0S0T0U0V0W0X0Y0Z1G1H1I"},
    {0x00D8, "1K1L1M1N1O1P1Q1j0g0h0i0j0k0l0m0n0o0p0q0r0s0t0u0v0w0x0y0z1g1h1i"},
    {0x00F8,
     "1k1l1m1n1o1p1q1r1S1s1T1t1U1u1V1v1W1w1X1x1Y1y1Z1z2G2g2H2h2I2i2J2j2K2k2L2l2M2m"
     "2N2n2O2o2P2p2Q2q2R2r2S2s2T2t2U2u2V2v"},
    {0x0131,
     "2w2X2x2Y2y2Z2z3g3H3h3I3i3J3j3K3k3L3l3M3m3N3n3O3o3p3Q3q3R3r3S3s3T3t3U3u3V3v3W"
     "3w3X3x3Y3y3Z3z4G4g4H4h4I4i4J4j4K4k4L4l4M4m4N4n4O4o4P4p4Q4q4R4r4S4s1R4T4t4U4u"
     "4V4v4wgaQfHahaIaiaRfJajaTfUfKakalaZbWfYfMamaJgMgnaSgRgOaoapaqaYgHhraKhSasaTa"
     "taUauaVhVavaYhwaxaYayaJiZazaLiMiGbgbHbhbTiIbibjbkbNbnbmb"},
    {0x01C4, "Ob"},
    {0x01C6, "obPb"},
    {0x01C9, "pbQb"},
    {0x01CC, "qbRbrbSbsbTbtbUbubVbvbWbwbXbxbYbybzbGcgcHchcIcicJcjcKckcLclcMcmcNcncOcocpcQc"},
    {0x01F3, "qcRcrcNa"},
    {0x01F8,
     "ScscTctcUcucVcvcWcwcXcxcYcycZczcGdgdHdhdIdidJdjdKdkdLdldMdmdNdndOdodPdpdQdqd"
     "RdrdRasdTdtdUdudVdvdWdwdXdxdYdydZdzdGegeHeheiejekelemeneOePepePaQereseVi"},
    {0x0250,
     "nfofpfqfrfsftfufvfwfxfyfzfgghgigjgkglgmgngogpgqgrgsgtgugvgwgxgygzgghhhihjhkh"
     "lhmhnhohphqhrhshthuhvhwhxhyhzhgihiiijikiliminioipiqirisitiuiviwixiyizigjhjij"
     "jjkjljmjnjojpjqjrjsjtjujvjwjxjyjzjgkhkik"},
    {0x0386, "6G"},
    {0x0388, "6H6I6J"},
    {0x038C, "7S"},
    {0x038E, "7T7U5y6L7W6N6O6P6Q6R7X6T8W6V6W6X6Y6Z8I7H"},
    {0x03A3,
     "8Y7K7L8H7N7O7P7Q7R6g6h6i6j6k6l6m6n6o6p6q6r6s6t6u6v6w6x6y6z7g7h7i7j7k7l7m7n7o"
     "7p7q7r7s7t7u"},
    {0x03D0, "7w7x7Y7Z8G8h8i8j"},
    {0x03D9, "8k8L8l8M8m8N8n8O8o8P8p8Q8q8R8r8S8s8T8t8U8u8V8v8w8x8y8z"},
    {0x03F5, "9g9h"},
    {0x03F8, "9i"},
    {0x03FB,
     "9j9k9L9M9NS1T1U1V1W1X1Y1Z1G2H2I2J2K2L2M2N2G0H0I0J0K0L0M0N0O0P0Q0R0S0T0U0V0W0"
     "X0Y0Z0G1H1I1J1K1L1M1N1O1P1Q1R1g0h0i0j0k0l0m0n0o0p0q0r0s0t0u0v0w0x0y0z0g1h1i1"
     "j1k1l1m1n1o1p1q1r1s1t1u1v1w1x1y1z1g2h2i2j2k2l2m2n2O2o2P2p2Q2q2R2r2S2s2T2t2U2"
     "u2V2v2W2w2X2x2Y2y2Z2z2G3g3H3h3I3i3J3j3K3k3"},
    {0x048A,
     "M3m3N3n3O3o3P3p3Q3q3R3r3S3s3T3t3U3u3V3v3W3w3X3x3Y3y3Z3z3G4g4H4h4I4i4J4j4K4k4"
     "L4l4M4m4N4n4O4o4P4p4Q4q4R4r4S4s4T4U4u4V4v4W4w4X4x4Y4y4Z4z4G5g5"},
    {0x04D0,
     "I5i5J5j5K5k5L5l5M5m5N5n5O5o5P5p5Q5q5R5r5S5s5T5t5U5u5V5v5W5w5X5x5Y5y5Z5z5G6g6"
     "H6h6I6i6"},
    {0x0500, "P6p6Q6q6R6r6S6s6T6t6U6u6V6v6W6w6"},
    {0x0531, "H7I7J7K7L7M7N7O7P7Q7R7S7T7U7V7W7X7Y7Z7G8H8I8J8K8L8M8N8O8P8Q8R8S8T8U8V8W8X8"},
    {0x0561, "h7i7j7k7l7m7n7o7p7q7r7s7t7u7v7w7x7y7z7g8h8i8j8k8l8m8n8o8p8q8r8s8t8u8v8w8x8"},
    {0x1E00,
     "GlglHlhlIlilJljlKlklLlllMlmlNlnlOlolPlplQlqlRlrlSlslTltlUlulVlvlWlwlXlxlYlyl"
     "ZlzlGmgmHmhmImimJmjmKmkmLmlmMmmmNmnmOmomPmpmQmqmRmrmSmsmTmtmUmumVmvmWmwmXmxm"
     "YmymZmzmGngnHnhnIninJnjnKnknLnlnMnmnNnnnGponPnpnQnqnRnrnSnsnTntnUnunVnvnWnwn"
     "XnxnYnynZnznGogoHohoIoioJojoKokoLoloMomoNonoOoooPopoQoqoRoroSosoTotoUouovowo"
     "xoyozogp"},
    {0x1EA0,
     "LplpMpmpNpnpOpopPpppQpqpRprpSpspTptpUpupVpvpWpwpXpxpYpypZpzpGqgqHqhqIqiqJqjq"
     "KqkqLqlqMqmqNqnqOqoqPqpqQqqqRqrqSqsqTqtqUquqVqvqWqwqXqxqYqyqZqzqGrgrHrhrIrir"
     "JrjrKrkrLrlrMrmrNrnrOrorPrpr"},
    {0x1F00, "gshsisjskslsmsnsGsHsIsJsKsLsMsNsospsqsrsssts"},
    {0x1F18, "OsPsQsRsSsTs"},
    {0x1F20, "yszsgthtitjtktltYsZsGtHtItJtKtLtmtntotptqtrtstttMtNtOtPtQtRtStTtutvtwtxtytzt"},
    {0x1F48, "UtVtWtXtYtZt"},
    {0x1F50, "kulumunuoupuquru"},
    {0x1F59, "Lu"},
    {0x1F5B, "Nu"},
    {0x1F5D, "Pu"},
    {0x1F5F, "RuwuxuyuzugvhvivjvWuXuYuZuGvHvIvJvkvlvmvnvovpvqvrvsvtvuvvvwvxv"},
    {0x1F80,
     "gwhwiwjwkwlwmwnwGwHwIwJwKwLwMwNwowpwqwrwswtwuwvwOwPwQwRwSwTwUwVwwwxwywzwgxhx"
     "ixjxWwXwYwZwGxHxIxJxkxlxmxnxox"},
    {0x1FB6, "qxrxKxLxKvLvNx"},
    {0x1FC2, "sxtxux"},
    {0x1FC6, "wxxxMvNvOvPvTx"},
    {0x1FD0, "yxzxgyhy"},
    {0x1FD6, "kylyYxZxQvRv"},
    {0x1FE0, "nyoypyqyrysytyuyNyOyUvVvSy"},
    {0x1FF2, "xyyy"},
    {0x1FF6, "hzizSvTvWvXvYy"},
    {0x2160, "G9H9I9J9K9L9M9N9O9P9Q9R9S9T9U9V9g9h9i9j9k9l9m9n9o9p9q9r9s9t9u9v9"},
    {0x24B6,
     "@A@B@C@D@E@F@G@H@I@J@K@L@M@N@O@P@Q@R@S@T@U@V@W@X@Y@Z@a@b@c@d@e@f@g@h@i@j@k@l"
     "@m@n@o@p@q@r@s@t@u@v@w@x@y@z"},
    {0xFF21, "A@B@C@D@E@F@G@H@I@J@K@L@M@N@O@P@Q@R@S@T@U@V@W@X@Y@Z@"},
    {0xFF41, "a@b@c@d@e@f@g@h@i@j@k@l@m@n@o@p@q@r@s@t@u@v@w@x@y@z@"},
});

constexpr std::size_t kShortLength = 2;
constexpr std::size_t kHexLength = 4;
constexpr std::string_view kDeviceSuffix = "@@@";
constexpr char32_t kReplacement = 0xFFFD;

std::uint16_t pair_key(std::string_view pair) {
    return static_cast<std::uint16_t>((static_cast<unsigned char>(pair[0]) << 8) |
                                      static_cast<unsigned char>(pair[1]));
}

/// Code point to short form and back; made on first use.
struct ShortFormMaps {
    std::unordered_map<char32_t, std::string_view> encode;
    std::unordered_map<std::uint16_t, char32_t> decode;
};
const ShortFormMaps& short_form_maps() {
    static const ShortFormMaps kMaps = [] {
        ShortFormMaps made;
        for (const ShortForms& range : kShortForms) {
            char32_t code_point = range.first;
            for (std::size_t at = 0; at < range.pairs.size(); at += kShortLength) {
                const std::string_view pair = range.pairs.substr(at, kShortLength);
                made.encode.emplace(code_point, pair);
                made.decode.emplace(pair_key(pair), code_point);
                ++code_point;
            }
        }
        return made;
    }();
    return kMaps;
}

void append_utf8(std::string& out, char32_t code_point) {
    const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | (code_point >> 6));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xE0 | (code_point >> 12));
        put(0x80 | ((code_point >> 6) & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

/// Takes one character off the front of `text`. What is no UTF-8, or is beyond the BMP and so in no
/// table name, gives U+FFFD.
char32_t take_utf8(std::string_view& text) {
    const auto byte_at = [&text](std::size_t i) {
        return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
    };
    const char32_t lead = byte_at(0);
    std::size_t length = 1;
    char32_t code_point = lead;
    if (lead >= 0xF0 || (lead >= 0x80 && lead < 0xC2)) {
        length = 0;
    } else if (lead >= 0xE0) {
        length = 3;
        code_point = lead & 0x0F;
    } else if (lead >= 0xC2) {
        length = 2;
        code_point = lead & 0x1F;
    }
    bool valid = length != 0 && length <= text.size();
    for (std::size_t i = 1; valid && i < length; ++i) {
        valid = (byte_at(i) & 0xC0) == 0x80;
        code_point = (code_point << 6) | (byte_at(i) & 0x3F);
    }
    if (!valid || (length == 3 && code_point < 0x800)) {
        text.remove_prefix(1);
        return kReplacement;
    }
    text.remove_prefix(length);
    return code_point;
}

/// The code point of the `@` sequence at the front of `text` (behind the '@'), which is taken off;
/// nullopt, and `text` as it was, when there is none.
std::optional<char32_t> take_escape(std::string_view& text) {
    if (text.size() >= kShortLength) {
        const auto& decode = short_form_maps().decode;
        if (const auto found = decode.find(pair_key(text)); found != decode.end()) {
            text.remove_prefix(kShortLength);
            return found->second;
        }
    }
    if (text.size() < kHexLength) {
        return std::nullopt;
    }
    char32_t code_point = 0;
    for (const char c : text.substr(0, kHexLength)) {
        const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (lower >= '0' && lower <= '9') {
            code_point = (code_point << 4) | static_cast<char32_t>(lower - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            code_point = (code_point << 4) | static_cast<char32_t>(lower - 'a' + 10);
        } else {
            return std::nullopt;
        }
    }
    text.remove_prefix(kHexLength);
    return code_point;
}

/// CON, PRN, AUX, NUL, COM1-9 and LPT1-9, which Windows keeps for itself.
bool is_device_name(std::string_view name) {
    std::string upper(name);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (upper == "CON" || upper == "PRN" || upper == "AUX" || upper == "NUL") {
        return true;
    }
    return upper.size() == 4 && (upper.starts_with("COM") || upper.starts_with("LPT")) &&
           upper[3] >= '1' && upper[3] <= '9';
}

bool stays_as_it_is(char32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

void decode_part(std::string_view part, std::string& out) {
    if (part.ends_with(kDeviceSuffix) &&
        is_device_name(part.substr(0, part.size() - kDeviceSuffix.size()))) {
        part.remove_suffix(kDeviceSuffix.size());
    }
    while (!part.empty()) {
        const char c = part.front();
        part.remove_prefix(1);
        if (c == '@') {
            if (const auto code_point = take_escape(part)) {
                append_utf8(out, *code_point);
                continue;
            }
        }
        out += c;
    }
}

}  // namespace

std::string decode_file_name(std::string_view encoded) {
    std::string out;
    out.reserve(encoded.size());
    for (;;) {
        const std::size_t slash = encoded.find('/');
        decode_part(encoded.substr(0, slash), out);
        if (slash == std::string_view::npos) {
            return out;
        }
        out += '/';
        encoded.remove_prefix(slash + 1);
    }
}

std::string sql_name(std::string_view encoded) {
    const std::size_t slash = std::min(encoded.find('/'), encoded.size());
    std::string name = decode_file_name(encoded.substr(0, slash));
    if (slash < encoded.size()) {
        name += "." + decode_file_name(encoded.substr(slash + 1));
    }
    return name;
}

std::string encode_file_name(std::string_view utf8) {
    if (utf8.starts_with("#sql")) {
        return std::string(utf8);
    }
    std::string out;
    out.reserve(utf8.size());
    const std::string_view name = utf8;
    while (!utf8.empty()) {
        const char32_t code_point = take_utf8(utf8);
        if (stays_as_it_is(code_point)) {
            out += static_cast<char>(code_point);
            continue;
        }
        const auto& encode = short_form_maps().encode;
        if (const auto found = encode.find(code_point); found != encode.end()) {
            out += '@';
            out += found->second;
        } else {
            out += fmt::format("@{:04x}", static_cast<std::uint32_t>(code_point));
        }
    }
    if (is_device_name(name)) {
        out += kDeviceSuffix;
    }
    return out;
}

}  // namespace redoubt::space
