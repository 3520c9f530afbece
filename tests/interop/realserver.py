"""The real server for tests: fresh directories, private servers, crashes, the page-exact oracle.

    with Scratch() as scratch:
        config = Config(page_size=4096, encryption="ctr")
        site = Site(scratch.path("site"))
        Templates(scratch.path("templates")).fill(site, config)
        with Server(site, config) as server:
            with server.connect() as sql: ...
            server.kill()
        prepare_oracle(site, config)

Everything lies below one temporary folder (TMPDIR is respected); servers listen on a socket there
only, are stopped by the pid that started them, and die with the process that started them.
"""

import atexit
import contextlib
import ctypes
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import sqlclient

MARIADBD = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
INSTALL_DB = shutil.which("mariadb-install-db")
MARIADB_BACKUP = shutil.which("mariadb-backup")
PLUGIN_DIR = "/usr/lib/mysql/plugin"

_SOCKET_PATH_MAX = 100  # bytes; the kernel's limit is 107
_START_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 120
_PREPARE_TIMEOUT_S = 300
_PURGE_TIMEOUT_S = 300
_KEYS = "1;{}\n2;{}\n".format("a7addd9adea9978fda19f21e6be987880e68ac92632ca052e5bb42b1a506939a",
                              "49c16acc2dffe616710c9ba9a10b94944a737de1beccb52dc1560abfdd67388b")
_DAMAGE = re.compile("corrupt|checksum|in the future|decrypt|decompress|Refusing to load", re.I)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def missing_parts():
    """Names of the server's programs that are not installed; empty when tests can run."""
    parts = {"mariadbd": MARIADBD, "mariadb-install-db": INSTALL_DB,
             "mariadb-backup": MARIADB_BACKUP}
    return [name for name, path in parts.items() if path is None]


class HarnessError(Exception):
    """The real server did not do what a test builds on: the test proves nothing."""


def run(command, timeout_s, separate_errors=False):
    """Runs a program and returns the completed process; stderr is in `.stdout` unless separate.
    Errors: HarnessError when it takes longer."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE if separate_errors else subprocess.STDOUT,
                              text=True, errors="replace", timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"{command[0]} took more than {timeout_s} s") from error


def tail(text, lines=15):
    return "\n".join(text.splitlines()[-lines:])


def copy_tree(source, target):
    """A copy that keeps holes and shares blocks where the file system can."""
    subprocess.run(["cp", "-a", "--reflink=auto", "--sparse=always", source, target], check=True)


@dataclasses.dataclass(frozen=True)
class Config:
    """What distinguishes one kind of data directory from another."""

    page_size: int = 16384
    checksum: str = "full_crc32"   # or crc32: the format of new files
    encryption: str = ""           # "", "cbc" or "ctr": tables and log, file_key_management
    debug_key_version: int = 0     # instead: debug_key_management, up to this version
    page_compressed: str = ""      # "", or an innodb_compression_algorithm
    undo_tablespaces: int = 0
    undo_truncate: bool = False
    log_size: str = "1G"
    buffer_pool: str = "256M"
    options: tuple = ()            # further server options

    def label(self):
        """Short and unique enough for folder names and messages."""
        variant = (self.encryption or self.page_compressed or
                   (self.debug_key_version and "debug-keys") or "plain")
        return f"{self.page_size // 1024}k-{self.checksum}-{variant}"

    def encrypts(self):
        return bool(self.encryption or self.debug_key_version)

    def template_key(self):
        return f"{self.page_size}-{self.checksum}-u{self.undo_tablespaces}"

    def format_options(self):
        """Options that both installing and running need."""
        return [f"--innodb-page-size={self.page_size}",
                f"--innodb-checksum-algorithm={self.checksum}",
                f"--innodb-undo-tablespaces={self.undo_tablespaces}"]

    def server_options(self, key_file):
        options = self.format_options()
        options += [f"--innodb-log-file-size={self.log_size}",
                    f"--innodb-buffer-pool-size={self.buffer_pool}",
                    "--innodb-max-dirty-pages-pct=99", "--innodb-max-dirty-pages-pct-lwm=0",
                    "--innodb-buffer-pool-dump-at-shutdown=OFF",
                    "--innodb-buffer-pool-load-at-startup=OFF",
                    "--innodb-lock-wait-timeout=2", "--lock-wait-timeout=5"]
        if self.encryption:
            options += ["--plugin-load-add=file_key_management",
                        f"--file-key-management-filename={key_file}",
                        f"--file-key-management-encryption-algorithm=aes_{self.encryption}"]
        if self.debug_key_version:
            options += ["--plugin-maturity=unknown", "--plugin-load-add=debug_key_management"]
        if self.encrypts():
            options += ["--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON",
                        "--innodb-encryption-threads=1"]
        if self.page_compressed:
            options.append(f"--innodb-compression-algorithm={self.page_compressed}")
            if self.page_compressed != "zlib":
                options.append(f"--plugin-load-add=provider_{self.page_compressed}")
        if self.undo_truncate:
            options += ["--innodb-undo-log-truncate=ON", "--innodb-max-undo-log-size=10M",
                        "--innodb-purge-rseg-truncate-frequency=1"]
        return options + list(self.options)


class Scratch:
    """The temporary folder of one run; removed at the end unless kept."""

    def __init__(self, keep=False):
        self.folder = tempfile.mkdtemp(prefix="rd-")
        self.keep = keep

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)


class Site:
    """One server's files: the data directory, a folder for DATA DIRECTORY tables, the key file.

    Tables elsewhere are named by absolute path in .isl files and in the redo log, so a crashed
    site can be recovered only at its own path: it is put aside with move_to() or copy_to() and
    brought back with bring().
    """

    def __init__(self, folder):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.external = os.path.join(folder, "ext")
        self.key_file = os.path.join(folder, "keys.txt")

    def create(self):
        """An empty site, in place of whatever was there."""
        self.remove()
        os.makedirs(self.external)
        with open(self.key_file, "w", encoding="ascii") as out:
            out.write(_KEYS)

    def move_to(self, folder):
        os.rename(self.folder, folder)
        return Site(folder)

    def copy_to(self, folder):
        copy_tree(self.folder, folder)
        return Site(folder)

    def bring(self, folder):
        """Replaces the site by a copy of one put aside."""
        self.remove()
        copy_tree(folder, self.folder)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Templates:
    """Fresh data directories, made once per format below `folder` and then copied."""

    def __init__(self, folder):
        self._folder = folder

    def fill(self, site, config):
        """Makes `site` a fresh data directory of that format."""
        template = os.path.join(self._folder, config.template_key())
        if not os.path.exists(template):
            self._install(template, config)
        site.create()
        copy_tree(template, site.data)

    def _install(self, template, config):
        os.makedirs(self._folder, exist_ok=True)
        fresh = f"{template}.{os.getpid()}"
        temporary = f"{fresh}.tmp"   # servers that share one delete each other's temporary tables
        os.makedirs(temporary, exist_ok=True)
        result = run([INSTALL_DB, "--no-defaults", "--user=root", f"--datadir={fresh}",
                      f"--tmpdir={temporary}", "--auth-root-authentication-method=normal", "--skip-test-db",
                      *config.format_options()], _START_TIMEOUT_S)
        if result.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)  # else the next try would build on it
            raise HarnessError(f"mariadb-install-db failed:\n{result.stdout}")
        try:
            os.rename(fresh, template)
        except OSError:  # another process of this run was faster
            shutil.rmtree(fresh)


_running = set()


def _stop_all():
    for server in list(_running):
        server.kill()


atexit.register(_stop_all)


def end_orderly_on_signals():
    """For a runner's main(): SIGTERM and SIGHUP stop servers and remove scratch, as ^C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """One running mariadbd. As a context it is started on entry and killed on exit if it lives."""

    def __init__(self, site, config, extra_options=()):
        self.site = site
        self._options = config.server_options(site.key_file) + list(extra_options)
        self.socket = os.path.join(site.folder, "s")
        self._process = None
        if len(self.socket.encode()) >= _SOCKET_PATH_MAX:
            raise HarnessError(f"socket path too long, set TMPDIR: {self.socket}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def error_log(self):
        return os.path.join(self.site.folder, "error.log")

    def log_text(self):
        """The error log of the current start."""
        try:
            with open(self.error_log, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def start(self):
        """Starts and waits until the server answers. Errors: HarnessError with the log's end."""
        if os.path.exists(self.error_log):
            os.unlink(self.error_log)
        command = [MARIADBD, "--no-defaults", "--user=root", f"--datadir={self.site.data}",
                   f"--socket={self.socket}", f"--pid-file={self.site.folder}/pid",
                   f"--log-error={self.error_log}", f"--tmpdir={self.site.folder}", "--skip-networking", "--skip-name-resolve",
                   *self._options]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         preexec_fn=_die_with_parent)
        _running.add(self)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                with self.connect() as sql:
                    sql.query("SELECT 1")
                return
            except (sqlclient.ConnectionLost, sqlclient.SqlError):
                pass
            if self._process.poll() is not None:
                self._forget()
                raise HarnessError(f"mariadbd did not start:\n{tail(self.log_text(), 40)}")
            if time.monotonic() > deadline:
                self.kill()
                raise HarnessError(f"mariadbd not ready after {_START_TIMEOUT_S} s:\n"
                                   f"{tail(self.log_text(), 40)}")
            time.sleep(0.05)

    def connect(self):
        return sqlclient.Connection(self.socket)

    def pid(self):
        return self._process.pid

    def alive(self):
        return self._process is not None and self._process.poll() is None

    def wait_for_end(self, timeout_s):
        """Exit status of a server that is ending by itself. Errors: HarnessError when it does not."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise HarnessError("mariadbd runs on") from error

    def freeze(self):
        """Stops the process where it stands; its directory can then be copied as a crash image."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self):
        """kill -9; does nothing when the server is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget()

    def shut_down(self):
        """Clean shutdown. Errors: HarnessError when it does not end or ends badly."""
        try:
            with self.connect() as sql:
                sql.query("SHUTDOWN")
        except sqlclient.ConnectionLost:
            pass
        try:
            status = self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise HarnessError("mariadbd did not shut down") from error
        self._forget()
        if status != 0:
            raise HarnessError(f"mariadbd ended with {status}:\n{tail(self.log_text())}")

    def complaints(self):
        """Lines of the error log in which InnoDB reports damage. (Files that it misses while it
        cleans up after interrupted DDL are reported as errors too, and are none.)"""
        return [line for line in self.log_text().splitlines()
                if "[ERROR]" in line and "InnoDB" in line and _DAMAGE.search(line)]

    def _forget(self):
        self._process = None
        _running.discard(self)


def _inline_linked_tables(site):
    """mariadb-backup follows no .isl links when it prepares: puts the files where it looks."""
    for folder, _, names in os.walk(site.data):
        for name in names:
            stem, extension = os.path.splitext(name)
            if extension != ".isl":
                continue
            linked = os.path.join(site.external, os.path.basename(folder), stem + ".ibd")
            os.unlink(os.path.join(folder, name))
            if os.path.exists(linked):
                os.rename(linked, os.path.join(folder, stem + ".ibd"))


@contextlib.contextmanager
def links_filled(site):
    """Meanwhile .isl files lead to where they were going to when a crash left them empty: the server makes a table's file, then its link,
    then writes the path into it."""
    empty = []
    for folder, _, names in os.walk(site.data):
        empty += [os.path.join(folder, name) for name in names
                  if name.endswith(".isl") and not os.path.getsize(os.path.join(folder, name))]
    for link in empty:
        with open(link, "w", encoding="utf-8") as out:
            out.write(os.path.join(site.external, os.path.basename(os.path.dirname(link)), os.path.basename(link)[:-4] + ".ibd"))
    yield
    for link in empty:
        os.truncate(link, 0)


def prepare_oracle(site, config):
    """Applies the redo log of a crashed site with mariadb-backup --prepare, and nothing else: no
    rollback, no purge, no doublewrite. What Redoubt must match page by page."""
    options = [("innodb_page_size", config.page_size),
               ("innodb_checksum_algorithm", config.checksum),
               ("innodb_data_file_path", "ibdata1:12M:autoextend"),
               ("innodb_undo_directory", "./"),
               ("innodb_undo_tablespaces", config.undo_tablespaces),
               ("innodb_compression_level", 6),
               ("innodb_buffer_pool_filename", "ib_buffer_pool")]
    plugins = []
    if config.encryption:
        plugins.append("file_key_management=file_key_management")
        options += [("file_key_management_filename", site.key_file),
                    ("file_key_management_encryption_algorithm", f"aes_{config.encryption}")]
    if config.debug_key_version:
        plugins.append("debug_key_management=debug_key_management.so")
    if config.page_compressed not in ("", "zlib"):
        provider = f"provider_{config.page_compressed}"
        plugins.append(f"{provider}={provider}")
    if plugins:
        options[-1:-1] = [("plugin_dir", PLUGIN_DIR), ("plugin_load", ";".join(plugins))]
    _inline_linked_tables(site)
    with open(os.path.join(site.data, "backup-my.cnf"), "w", encoding="utf-8") as out:
        out.write("[mysqld]\n" + "".join(f"{name}={value}\n" for name, value in options))
    with open(os.path.join(site.data, "xtrabackup_checkpoints"), "w", encoding="ascii") as out:
        out.write("backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 0\nlast_lsn = 0\n")
    result = run([MARIADB_BACKUP, "--prepare", f"--target-dir={site.data}",
                  "--use-memory=512M"], _PREPARE_TIMEOUT_S)
    with open(os.path.join(site.folder, "prepare.log"), "w", encoding="utf-8") as out:
        out.write(result.stdout)
    if result.returncode != 0:
        raise HarnessError(f"mariadb-backup --prepare failed:\n{tail(result.stdout, 30)}")


def _wait_for_purge(sql):
    """After a crash: until rollback and purge are through. Errors: HarnessError when they hang."""
    deadline = time.monotonic() + _PURGE_TIMEOUT_S
    while sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'")[0][1] != "0":
        if time.monotonic() > deadline:
            raise HarnessError(f"purge not done after {_PURGE_TIMEOUT_S} s")
        time.sleep(0.1)


def check_tables(sql):
    """CHECK TABLE ... EXTENDED of every InnoDB table. Sentences on what is wrong; and how many
    tables were checked. Waits for purge, since CHECK TABLE warns of delete-marked records that
    purge has half removed."""
    _wait_for_purge(sql)
    tables = sql.query("SELECT table_schema, table_name FROM information_schema.tables "
                       "WHERE engine = 'InnoDB'")
    found = []
    for schema, name in tables:
        for _, _, kind, text in sql.query(f"CHECK TABLE `{schema}`.`{name}` EXTENDED"):
            if (kind, text) != ("status", "OK"):
                found.append(f"CHECK TABLE {schema}.{name}: {kind}: {text}")
    return found, len(tables)


def not_from_before(found, before):
    """What check_tables found on a copy, less what the server it was copied from says of its own
    tables: truncating an undo tablespace under load, 10.11.19 now and then drops logs that purge
    had not read; the rows and entries marked as deleted by them then stay for ever."""
    return [complaint for complaint in found if complaint not in before]
