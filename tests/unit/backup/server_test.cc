#include "backup/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace redoubt::backup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MissingPrivileges, NamesEachOne) {
    EXPECT_THAT(missing_privileges({"GRANT USAGE ON *.* TO `b`@`localhost`"},
                                   {.binlog = true, .replica = true}),
                ElementsAre("RELOAD", "PROCESS", "BINLOG MONITOR", "SLAVE MONITOR"));
    EXPECT_THAT(missing_privileges({"GRANT RELOAD, BINLOG MONITOR ON *.* TO `b`@`localhost` "
                                    "IDENTIFIED BY PASSWORD '*00'"},
                                   {.binlog = true}),
                ElementsAre("PROCESS"));
}

TEST(MissingPrivileges, GrantsOfOneDatabaseDoNotCount) {
    EXPECT_THAT(missing_privileges({"GRANT ALL PRIVILEGES ON `d`.* TO `b`@`%`",
                                    "GRANT RELOAD, PROCESS ON *.* TO `b`@`%`"},
                                   {}),
                IsEmpty());
    EXPECT_THAT(missing_privileges({"GRANT ALL PRIVILEGES ON `d`.* TO `b`@`%`"}, {}),
                ElementsAre("RELOAD", "PROCESS"));
}

TEST(MissingPrivileges, AllIsEnoughAndRolesAdd) {
    EXPECT_THAT(missing_privileges({"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED "
                                    "VIA unix_socket WITH GRANT OPTION"},
                                   {.binlog = true, .replica = true}),
                IsEmpty());
    EXPECT_THAT(missing_privileges({"GRANT `backups` TO `b`@`%`", "GRANT USAGE ON *.* TO `b`@`%`",
                                    "GRANT RELOAD, PROCESS ON *.* TO `backups`"},
                                   {}),
                IsEmpty());
}

client::ResultSet channels(std::vector<client::Row> rows) {
    return {.columns = {"Connection_name", "Relay_Master_Log_File", "Exec_Master_Log_Pos",
                        "Using_Gtid"},
            .rows = std::move(rows)};
}

TEST(ReplicaStatements, NoReplicaNoText) {
    EXPECT_EQ(replica_statements(channels({}), "0-1-5"), "");
}

TEST(ReplicaStatements, AFileAndAnOffset) {
    EXPECT_EQ(replica_statements(channels({{"", "bin.000003", "4711", "No"}}), "0-1-5"),
              "CHANGE MASTER TO MASTER_LOG_FILE='bin.000003', MASTER_LOG_POS=4711;\n");
}

TEST(ReplicaStatements, GtidOnceForAllChannels) {
    EXPECT_EQ(replica_statements(channels({{"", "a", "1", "Slave_Pos"},
                                           {"it's", "b", "2", "Current_Pos"},
                                           {"old", "c.1", "3", "No"}}),
                                 "0-1-5"),
              "SET GLOBAL gtid_slave_pos = '0-1-5';\n"
              "CHANGE MASTER TO master_use_gtid = slave_pos;\n"
              "CHANGE MASTER 'it''s' TO master_use_gtid = slave_pos;\n"
              "CHANGE MASTER 'old' TO MASTER_LOG_FILE='c.1', MASTER_LOG_POS=3;\n");
}

TEST(ReplicaStatements, WithoutAPositionGtidIsOfNoUse) {
    EXPECT_EQ(replica_statements(channels({{"", "a", "1", "Slave_Pos"}}), ""),
              "CHANGE MASTER TO MASTER_LOG_FILE='a', MASTER_LOG_POS=1;\n");
}

}  // namespace
}  // namespace redoubt::backup
