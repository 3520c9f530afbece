#include "sql/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace redoubt::sql {
namespace {

using Operator = Term::Operator;

// Guesses, in the manner of SQLite's own for tables never analysed.
constexpr double kRows = 1'000'000;   // of a table
constexpr double kEqualShare = 0.01;  // rows left by each equality
constexpr double kRangeShare = 0.25;  // by each end of a range
constexpr double kSecondaryCost = 3;  // a row found through a secondary index, then looked up
constexpr double kSeekCost = 10;

bool is_equality(Operator operation) {
    return operation == Operator::Equal || operation == Operator::EqualOrNull;
}
bool is_lower(Operator operation) {
    return operation == Operator::Greater || operation == Operator::GreaterEqual;
}

std::optional<std::size_t> find_term(const std::vector<Term>& terms, std::size_t column,
                                     bool (*suits)(Operator)) {
    const auto found = std::find_if(terms.begin(), terms.end(), [&](const Term& term) {
        return term.column == column && suits(term.operation);
    });
    return found == terms.end() ? std::nullopt
                                : std::optional(static_cast<std::size_t>(found - terms.begin()));
}

/// The order asked for is the index's, from the column after `equal` ones on; columns that are held
/// equal may stand anywhere. Returns whether to read backwards.
std::optional<bool> matches_order(const dict::Index& index, const std::vector<ColumnTraits>& traits,
                                  std::size_t equal, const std::vector<OrderTerm>& order) {
    const auto& columns = index.columns;
    const auto held = columns.begin() + static_cast<std::ptrdiff_t>(equal);
    std::optional<bool> descending;
    std::size_t next = equal;
    for (const OrderTerm& term : order) {
        if (std::find(columns.begin(), held, term.column) != held) {
            continue;
        }
        if (next >= std::min(columns.size(), index.whole_columns) || columns[next] != term.column ||
            !traits[term.column].ordered ||
            descending.value_or(term.descending) != term.descending) {
            return std::nullopt;
        }
        descending = term.descending;
        ++next;
    }
    return descending.value_or(false);
}

Plan plan_of(const dict::Table& table, std::size_t number, const std::vector<ColumnTraits>& traits,
             const std::vector<Term>& terms, const std::vector<OrderTerm>& order) {
    const dict::Index& index = table.indexes[number];
    Plan plan{.index = number, .rows = kRows};
    bool null_possible = false;
    if (index.searchable) {
        for (const std::size_t column : index.columns) {
            const auto term = find_term(terms, column, is_equality);
            if (!term || !traits[column].equality) {
                break;
            }
            plan.equal.push_back(*term);
            plan.rows *= kEqualShare;
            null_possible = null_possible || terms[*term].operation == Operator::EqualOrNull;
        }
        if (plan.equal.size() < index.columns.size()) {
            const std::size_t column = index.columns[plan.equal.size()];
            if (traits[column].range) {
                const auto point = find_term(
                    terms, column, [](Operator operation) { return operation == Operator::Equal; });
                plan.lower = point ? point : find_term(terms, column, is_lower);
                plan.upper = point ? point : find_term(terms, column, [](Operator operation) {
                    return !is_equality(operation) && !is_lower(operation);
                });
            }
            plan.rows *= (plan.lower ? kRangeShare : 1) * (plan.upper ? kRangeShare : 1);
        }
    }
    plan.unique = index.unique && !index.columns.empty() &&
                  plan.equal.size() == index.columns.size() && !null_possible;
    if (plan.unique) {
        plan.rows = 1;
    }
    plan.rows = std::max(plan.rows, 1.0);
    plan.cost = kSeekCost + plan.rows * (index.clustered ? 1 : kSecondaryCost);
    if (const auto descending = matches_order(index, traits, plan.equal.size(), order);
        index.searchable && index.ordered && !order.empty() && descending) {
        plan.ordered = true;
        plan.descending = *descending;
    }
    return plan;
}

/// What SQLite will spend on sorting is not ours to tell it; but we choose one plan for it.
double cost_with_sort(const Plan& plan, bool order_wanted) {
    const double sort =
        order_wanted && !plan.ordered ? plan.rows * std::log2(plan.rows + 1) * 0.25 : 0;
    return plan.cost + sort;
}

}  // namespace

bool has_row_identity(const dict::Table& table, const std::vector<ColumnTraits>& traits) {
    if (table.indexes.empty()) {
        return false;
    }
    const dict::Index& index = table.indexes.front();
    return index.clustered && index.unique && !index.columns.empty() &&
           index.name != "GEN_CLUST_INDEX" &&
           std::all_of(index.columns.begin(), index.columns.end(), [&](std::size_t column) {
               // The same local time can be two instants, texts that are equal two CHARs.
               return traits[column].kind != ColumnClass::Timestamp &&
                      (traits[column].kind != ColumnClass::Text || traits[column].equality) &&
                      !table.columns[column].virtual_column;
           });
}

Plan choose_plan(const dict::Table& table, const std::vector<ColumnTraits>& traits,
                 const std::vector<Term>& terms, const std::vector<OrderTerm>& order) {
    std::optional<Plan> best;
    for (std::size_t number = 0; number < table.indexes.size(); ++number) {
        Plan plan = plan_of(table, number, traits, terms, order);
        if (!best || cost_with_sort(plan, !order.empty()) < cost_with_sort(*best, !order.empty())) {
            best = std::move(plan);
        }
    }
    if (!best) {
        return {.cost = kRows, .rows = kRows};
    }
    return *best;
}

std::string CursorPlan::words(const dict::Table& table) const {
    std::string text;
    const auto add = [&](std::size_t column, std::string_view operation) {
        text += text.empty() ? ": " : " AND ";
        text += fmt::format("{} {} ?", table.columns[column].name, operation);
    };
    for (const std::size_t column : equal_columns) {
        add(column, "=");
    }
    if (point) {
        add(*range_column, "~");
    } else if (range_column) {
        if (lower) {
            add(*range_column, lower_inclusive ? ">=" : ">");
        }
        if (upper) {
            add(*range_column, upper_inclusive ? "<=" : "<");
        }
    }
    return (table.indexes.empty() ? std::string() : table.indexes[index].name) + text +
           (descending ? " DESC" : "");
}

}  // namespace redoubt::sql
