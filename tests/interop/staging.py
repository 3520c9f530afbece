"""What the staged tests share: crashed directories made on purpose, and what must hold of them.

A crash is staged in two runs of the real server: the first ends in a clean shutdown, so the log
begins empty; the second does what the test is about and is killed. Nothing is flushed meanwhile
unless asked, so the whole second run is in the log.
"""

import atexit
import os
import unittest

import realserver
import redoubt
import surgery

DATABASE = "d"

_scratch = None
_crashes = {}


def scratch():
    """The folder of this process's run."""
    global _scratch  # pylint: disable=global-statement
    if _scratch is None:
        _scratch = realserver.Scratch(keep=bool(os.environ.get("REDOUBT_KEEP")))
        atexit.register(_scratch.__exit__)
    return _scratch


class Crash:
    """A crashed site, kept as it was, and what the oracle makes of it.

    Tests work on a copy at the site's own place (tables elsewhere are known by absolute path), so
    there is one copy at a time.
    """

    def __init__(self, name, config):
        self.config = config
        self.site = realserver.Site(scratch().path(name))
        self.crashed = None  # the Site put aside
        self.facts = None    # whatever the second run returned
        self._reference = None

    def put_aside(self):
        self.crashed = self.site.move_to(self.site.folder + "-crashed")

    def copy(self):
        """The working copy, as the crash left it; replaces the one before."""
        self.site.bring(self.crashed.folder)
        return self.site

    def reference(self):
        """The oracle's version of the crash, made once."""
        if self._reference is None:
            self._reference = self.oracle_of(self.crashed, "oracle")
        return self._reference

    def oracle_of(self, site, word="oracle-of-copy"):
        """The oracle's version of any site of this crash."""
        oracle = realserver.Site(f"{self.site.folder}-{word}")
        oracle.bring(site.folder)
        realserver.prepare_oracle(oracle, self.config)
        return oracle

    def discard(self):
        for site in (self.site, self.crashed, self._reference):
            if site is not None:
                site.remove()


def crash(name, config, first, second):
    """Stages (once per name) a crash. `first` and `second` get a connection using DATABASE; the
    second also the server, and what it returns becomes `facts`. The server is killed after it,
    unless it is gone by then."""
    if name in _crashes:
        return _crashes[name]
    staged = Crash(name, config)
    realserver.Templates(scratch().path("templates")).fill(staged.site, config)
    with realserver.Server(staged.site, config) as server:
        with server.connect() as sql:
            sql.query(f"CREATE DATABASE {DATABASE}")
            sql.query(f"USE {DATABASE}")
            first(sql)
        server.shut_down()
    with realserver.Server(staged.site, config) as server:
        with server.connect() as sql:
            sql.query(f"USE {DATABASE}")
            staged.facts = second(sql, server)
        server.kill()
    staged.put_aside()
    _crashes[name] = staged
    return staged


def table_path(site, name):
    return os.path.join(site.data, DATABASE, f"{name}.ibd")


def make_table(sql, name, rows, options=""):
    sql.query(f"CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, k INT, v CHAR(200) "
              f"CHARACTER SET latin1, KEY (k)) ENGINE=InnoDB {options}")
    add_rows(sql, name, rows)


def add_rows(sql, name, rows):
    sql.query(f"INSERT INTO {name} (k, v) SELECT seq, MD5(seq) FROM seq_1_to_{rows}")


def flush_table(sql, name):
    """Writes all pages of the table home, through the doublewrite buffer where they had been
    written before; the checkpoint stays where older changes of other tablespaces hold it."""
    sql.query(f"FLUSH TABLES {name} FOR EXPORT")
    sql.query("UNLOCK TABLES")


class StagedTest(unittest.TestCase):
    """Assertions on `redoubt recover`. The crashes of a class are discarded after it."""

    @classmethod
    def tearDownClass(cls):
        while _crashes and not scratch().keep:
            _crashes.popitem()[1].discard()

    def recover(self, crashed, site, *options):
        return redoubt.recover(site, crashed.config, *options)

    def assert_recovers(self, crashed, site, *options, reference=None, server=True):
        """Recovery ends with 0, gives the oracle's pages, and (optionally) the real server starts
        on the result and finds nothing wrong. Returns the command's answer."""
        answer = self.recover(crashed, site, *options)
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        reference = reference or crashed.reference()
        with realserver.links_filled(site):
            self.assertEqual(
                redoubt.differences(site, reference, crashed.config,
                                    redoubt.left_out_by_oracle(answer, reference)), [], answer.text)
        if server:
            self.assert_server_accepts(crashed, site)
        return answer

    def assert_server_accepts(self, crashed, site):
        with realserver.Server(site, crashed.config) as server:
            with server.connect() as sql:
                problems, _ = realserver.check_tables(sql)
            server.shut_down()
            self.assertEqual(problems + server.complaints(), [])

    def assert_fails(self, crashed, site, codes, words, *options):
        """Recovery ends with one of the codes and a message that has all the words. Returns the
        command's answer."""
        answer = self.recover(crashed, site, *options)
        self.assertIn(answer.code, codes, answer.text)
        for word in words:
            self.assertIn(word, answer.text)
        return answer

    def assert_refused(self, crashed, site, codes, words, *options):
        """As assert_fails, and no data file was touched."""
        before = surgery.fingerprints(site.data)
        answer = self.assert_fails(crashed, site, codes, words, *options)
        self.assertEqual(surgery.fingerprints(site.data), before, answer.text)
        return answer
