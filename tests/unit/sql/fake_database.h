/// Tables in memory behind the engine's interface; remembers how it was asked.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/database.h"
#include "record/collation.h"
#include "sql/collations.h"

namespace redoubt::sql::test {

using engine::KeyBound;
using engine::Scan;
using record::Value;

inline Value null() { return {}; }
inline Value integer(std::int64_t value) {
    return {.kind = Value::Kind::Integer, .integer = value};
}
inline Value natural(std::uint64_t value) {
    return {.kind = Value::Kind::Unsigned, .unsigned_integer = value};
}
inline Value real(double value) { return {.kind = Value::Kind::Double, .number = value}; }
inline Value single(float value) {
    return {.kind = Value::Kind::Float, .number = static_cast<double>(value)};
}
inline Value decimal(std::string_view digits) {
    return {.kind = Value::Kind::Decimal, .text = digits};
}
inline Value text(std::string_view value) { return {.kind = Value::Kind::Text, .text = value}; }
inline Value bytes(std::string_view value) { return {.kind = Value::Kind::Bytes, .text = value}; }
inline Value not_stored() { return {.kind = Value::Kind::NotStored}; }

/// "1", "'a'", "-": a bound or value in words, for EXPECT_EQ.
inline std::string words(const Value& value) {
    switch (value.kind) {
        case Value::Kind::Null:
            return "NULL";
        case Value::Kind::Integer:
            return std::to_string(value.integer);
        case Value::Kind::Unsigned:
            return std::to_string(value.unsigned_integer) + "u";
        case Value::Kind::Float:
            return fmt::format("{:.9g}f", value.number);
        case Value::Kind::Double:
            return fmt::format("{}", value.number);
        case Value::Kind::Decimal:
            return std::string(value.text) + "d";
        case Value::Kind::Bytes:
            return "x'" + std::string(value.text) + "'";
        default:
            return "'" + std::string(value.text) + "'";
    }
}
inline std::string words(const std::optional<KeyBound>& bound) {
    if (!bound) {
        return "-";
    }
    std::string result;
    for (const Value& value : bound->values) {
        result += (result.empty() ? "" : ",") + words(value);
    }
    return result + (bound->inclusive ? "]" : ")");
}
/// "PRIMARY 1] .. 5) columns 0,2"
inline std::string words(const Scan& scan) {
    std::string result = scan.table->indexes[scan.index].name + ' ' + words(scan.lower) + " .. " +
                         words(scan.upper) + (scan.descending ? " descending" : "") + " columns ";
    for (std::size_t position = 0; position < scan.columns.size(); ++position) {
        result += (position == 0 ? "" : ",") + std::to_string(scan.columns[position]);
    }
    return result;
}

using Row = std::vector<Value>;

struct FakeTable {
    dict::Table table;
    std::vector<Row> rows = {};
    /// Instead of rows: row n of `generated`, made when it is asked for.
    std::uint64_t generated = 0;
    std::function<Value(std::uint64_t row, std::size_t column)> generate = {};
    std::optional<std::uint64_t> fails_after = {};  ///< rows
    std::function<void(std::uint64_t)> at_row = {};
    std::vector<std::size_t> uncommitted = {};  ///< which of a scan's rows, from 1
};

/// Comparison of two values of one kind, as an index does it: NULL first.
inline int compare(const Value& left, const Value& right, std::string_view collation) {
    if (left.is_null() || right.is_null()) {
        return static_cast<int>(right.is_null()) - static_cast<int>(left.is_null());
    }
    const auto order = [](auto a, auto b) { return a < b ? -1 : b < a ? 1 : 0; };
    switch (left.kind) {
        case Value::Kind::Integer:
            return order(left.integer, right.integer);
        case Value::Kind::Unsigned:
            return order(left.unsigned_integer, right.unsigned_integer);
        case Value::Kind::Float:
        case Value::Kind::Double:
            return order(left.number, right.number);
        case Value::Kind::Decimal:
            return order(std::stod(std::string(left.text)), std::stod(std::string(right.text)));
        case Value::Kind::Text:
            return text_order(text_order(collation) == nullptr ? "utf8mb4_bin" : collation)
                ->compare_utf8(left.text, right.text);
        default:
            return order(left.text, right.text);
    }
}

class FakeDatabase final : public engine::Database {
public:
    dict::Table& add(FakeTable table) {
        tables_.push_back(std::make_unique<FakeTable>(std::move(table)));
        views_.push_back(&tables_.back()->table);
        return tables_.back()->table;
    }
    FakeTable& fake(const dict::Table& table) {
        return **std::find_if(tables_.begin(), tables_.end(),
                              [&](const auto& fake) { return &fake->table == &table; });
    }

    std::span<const dict::Table* const> tables() const override { return views_; }
    std::span<const engine::RefusedTable> refused() const override { return refusals; }
    std::span<const std::string> notes() const override { return {}; }
    std::vector<std::string> lost() const override { return {}; }
    Result<std::unique_ptr<engine::Cursor>> open(const Scan& scan) override;
    Result<std::uint64_t> count(const dict::Table& table) override {
        ++counts;
        return std::max<std::uint64_t>(fake(table).rows.size(), fake(table).generated);
    }

    std::vector<engine::RefusedTable> refusals;
    std::vector<std::string> scans;  ///< in words
    int counts = 0;
    bool ignores_bounds = false;  ///< bounds are hints
    std::uint64_t values_asked = 0;

private:
    std::vector<std::unique_ptr<FakeTable>> tables_;
    std::vector<const dict::Table*> views_;
};

class FakeCursor final : public engine::Cursor {
public:
    FakeCursor(FakeDatabase& database, FakeTable& table, const Scan& scan)
        : database_(database), table_(table), scan_(scan) {
        const auto& key = table.table.indexes[scan.index].columns;
        for (const Row& row : table.rows) {
            if (database.ignores_bounds || within(row, key)) {
                rows_.push_back(row);
            }
        }
        std::stable_sort(rows_.begin(), rows_.end(), [&](const Row& left, const Row& right) {
            for (const std::size_t column : key) {
                if (const int order = compare(left[column], right[column],
                                              table.table.columns[column].collation)) {
                    return scan.descending ? order > 0 : order < 0;
                }
            }
            return false;
        });
    }
    Result<bool> next() override {
        ++at_;
        if (table_.fails_after && at_ > *table_.fails_after) {
            return corruption({SpaceId{7}, PageNo{3}}, "record list does not end")
                .with_file("shop/orders.ibd")
                .with_hint("run redoubt verify");
        }
        if (table_.at_row) {
            table_.at_row(at_);
        }
        return at_ <= std::max<std::uint64_t>(rows_.size(), table_.generated);
    }
    Result<const Value*> value(std::size_t position) override {
        ++database_.values_asked;
        if (std::find(scan_.columns.begin(), scan_.columns.end(), position) ==
            scan_.columns.end()) {
            return make_error(ErrorCode::Internal, "column {} was not announced", position);
        }
        if (!table_.generate) {
            return &rows_[at_ - 1][position];
        }
        generated_.resize(table_.table.columns.size());
        generated_[position] = table_.generate(at_, position);
        return &generated_[position];
    }
    bool uncommitted() const override {
        return std::find(table_.uncommitted.begin(), table_.uncommitted.end(), at_) !=
               table_.uncommitted.end();
    }

private:
    int compare_prefix(const Row& row, const std::vector<std::size_t>& key,
                       const KeyBound& bound) const {
        for (std::size_t part = 0; part < bound.values.size(); ++part) {
            if (const int order = compare(row[key[part]], bound.values[part],
                                          table_.table.columns[key[part]].collation)) {
                return order;
            }
        }
        return 0;
    }
    bool within(const Row& row, const std::vector<std::size_t>& key) const {
        const int low = scan_.lower ? compare_prefix(row, key, *scan_.lower) : 1;
        const int high = scan_.upper ? compare_prefix(row, key, *scan_.upper) : -1;
        return (low > 0 || (low == 0 && scan_.lower->inclusive)) &&
               (high < 0 || (high == 0 && scan_.upper->inclusive));
    }

    Row generated_;
    FakeDatabase& database_;
    FakeTable& table_;
    const Scan scan_;
    std::vector<Row> rows_;
    std::uint64_t at_ = 0;
};

inline Result<std::unique_ptr<engine::Cursor>> FakeDatabase::open(const Scan& scan) {
    scans.push_back(words(scan));
    return std::unique_ptr<engine::Cursor>(
        std::make_unique<FakeCursor>(*this, fake(*scan.table), scan));
}

inline dict::Column column(const std::string& name, const std::string& type,
                           const std::string& collation = "") {
    return {.name = name, .type_text = type, .collation = collation};
}
inline dict::Index index(const std::string& name, std::vector<std::size_t> columns,
                         bool clustered = false, bool unique = false) {
    return {.name = name,
            .columns = std::move(columns),
            .clustered = clustered,
            .unique = unique,
            .searchable = true};
}
inline dict::Table make_table(const std::string& database, const std::string& name,
                              std::vector<dict::Column> columns, std::vector<dict::Index> indexes) {
    dict::Table table;
    table.database = database;
    table.name = name;
    table.columns = std::move(columns);
    table.indexes = std::move(indexes);
    return table;
}
inline dict::Index primary(std::vector<std::size_t> columns) {
    return index("PRIMARY", std::move(columns), true, true);
}

}  // namespace redoubt::sql::test
