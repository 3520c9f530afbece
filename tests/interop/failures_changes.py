"""Backups while tables are made, emptied and renamed between two known statements of the backup: good ones."""

import os

import binlog
import failures
import realserver
import sqlproxy
import surgery

_D = failures.DATABASE
_ENGINES = {"aria": "Aria TRANSACTIONAL=1", "aria_plain": "Aria TRANSACTIONAL=0", "myisam": "MyISAM", "csv": "CSV", "innodb": "InnoDB"}
_CHANGES = {
    "emptied": ["TRUNCATE TABLE {t}"],
    "emptied and filled": ["TRUNCATE TABLE {t}", "INSERT INTO {t} SELECT seq, 'new' FROM seq_1_to_3"],
    "emptied by DELETE": ["SET SESSION binlog_format=STATEMENT", "DELETE FROM {t}", "INSERT INTO {t} VALUES (1, 'new')"],
    "emptied and renamed": ["TRUNCATE TABLE {t}", "RENAME TABLE {t} TO {t}_r"],
    "renamed and emptied": ["RENAME TABLE {t} TO {t}_r", "TRUNCATE TABLE {t}_r"],
    "swapped": ["RENAME TABLE {t} TO {t}_x, {t}_2 TO {t}, {t}_x TO {t}_2"],
    "dropped and made again": ["DROP TABLE {t}", "CREATE TABLE {t} (id INT NOT NULL, v VARCHAR(100) NOT NULL) ENGINE={engine}",
                               "INSERT INTO {t} SELECT seq, MD5(seq) FROM seq_1_to_500"],
    "rebuilt": ["ALTER TABLE {t} FORCE"],
}


class Changes(failures.FailureTest):

    def _changed_before(self, statement, writable):
        """Each change of a table of each engine, done when the backup is about to say `statement`; rows, and rebuilding, only of the engines that
        `writable` names. Each table must be in the backup as the server has it."""
        server = self.start("--binlog-format=MIXED", "--log-bin=bin")
        with server.connect() as sql:
            sql.query("CREATE DATABASE changes")
            sql.query("USE changes")
            steps = []
            for n, change in enumerate(_CHANGES.values()):
                for name, engine in _ENGINES.items():
                    table = f"{name}{n}"
                    for made in (table, table + "_2"):
                        sql.query(f"CREATE TABLE {made} (id INT NOT NULL, v VARCHAR(100) NOT NULL) ENGINE={engine}")
                        sql.query(f"INSERT INTO {made} SELECT seq, MD5(seq) FROM seq_1_to_{500 if made == table else 700}")
                    steps += [step.format(t=table, engine=engine) for step in change
                              if name in writable or not step.startswith(("INSERT", "DELETE", "ALTER"))]
            with self.proxy(server) as proxy, proxy.hold(statement) as hold:
                backup = self.begin(server, proxy=proxy)
                hold.wait()
                for step in steps:
                    sql.query(step)
                hold.release()
                answer = backup.finish()
            self.assertEqual(answer.code, 0, answer.text)
            wanted = binlog.checksums(sql)
        self.assert_good(backup.folder, check=lambda sql: self.assertEqual(binlog.differences(wanted, binlog.checksums(sql)), []))

    def test_tables_changed_when_all_is_copied_that_may_be_written(self):
        self._changed_before("BACKUP STAGE FLUSH", _ENGINES)

    def test_tables_changed_before_ddl_is_blocked(self):
        self._changed_before("BACKUP STAGE BLOCK_DDL", ("aria", "innodb"))  # others are closed to writers by now

    def test_new_table_whose_second_page_is_written_first(self):
        """Pages smaller than the server's: page 1 lies where the rest of page 0 would."""
        config = realserver.Config(page_size=4096, checksum="crc32")
        server = self.start(config=config)
        with server.connect() as sql:
            sql.query(f"USE {_D}")  # for the sequence
            with self.proxy(server) as proxy, proxy.hold("BACKUP STAGE START", sqlproxy.AFTER) as hold:
                backup = self.begin(server, proxy=proxy)
                hold.wait()
                sql.query(f"CREATE TABLE {_D}.young (id INT PRIMARY KEY, v VARCHAR(100)) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=2")
                sql.query(f"INSERT INTO {_D}.young SELECT seq, MD5(seq) FROM seq_1_to_100")
                path = os.path.join(server.site.data, _D, "young.ibd")
                surgery.blank(path, 0, 2048)  # as it is before page 0 is written
                surgery.write(path, 2048, surgery.noise(2048))
                hold.release()
                answer = backup.finish()
            self.assertEqual(answer.code, 0, answer.text)
        self.assert_good(backup.folder, config, lambda sql: self.assertEqual(
            sql.query(f"SELECT COUNT(*), MIN(LENGTH(v)) FROM {_D}.young"), [("100", "32")]))
