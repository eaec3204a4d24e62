# ruff: noqa: E501 - output stands as it is printed
"""Output of ordinary tools on hosts some of which fail, each cause with words that differ per host:
a package, a path, a service, a user. And lines that come and go among hosts that succeed.

Made up, always the same. `FailingKind.on` makes a kind for so many hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .group_kinds import ALNUM, POD, Dice, Kind, Text

PACKAGES = (
    *("nginx", "curl", "openssl", "rsync", "sudo", "vim", "wget", "zlib", "bash", "tar", "git"),
    *("htop", "strace", "python-apt", "ca-certificates", "libxml", "tzdata", "cron", "screen"),
    *("openssh-server", "mariadb-client", "postfix", "chrony", "lsof", "jq", "tmux", "iotop"),
)
SERVICES = (
    *("nginx", "redis", "mysqld", "kafka", "zookeeper", "filebeat", "chronyd", "sshd", "crond"),
    *("rsyslog", "haproxy", "keepalived", "consul", "etcd", "node-exporter", "order-api"),
)
PATHS = (
    *("/data/app/conf", "/data/logs/order", "/srv/www/static", "/opt/agent/bin", "/var/lib/mysql"),
    *("/home/deploy/release", "/usr/local/etc", "/data/backup/daily", "/srv/git/hooks"),
)
USERS = (
    *(
        "alice",
        "bob",
        "carol",
        "dave",
        "erin",
        "frank",
        "grace",
        "heidi",
        "ivan",
        "judy",
        "mallory",
    ),
    *("niaj", "olivia", "peggy", "rupert", "sybil", "trent", "victor", "walter", "wendy", "zoe"),
)
SITES = ("api", "auth", "billing", "search", "images", "static", "orders", "mail", "queue", "files")
TABLES = ("orders", "users", "prices", "audit", "sessions", "carts", "stock", "invoices", "events")
USUAL = {"a": (0.03, 3), "b": (0.02, 2), "single": (0.0, 1)}
"""Causes: a share of the hosts, and how many at least. One host has a cause of its own."""


@dataclass(frozen=True)
class FailingKind:
    """A kind of output, by how many hosts fail in which way, and which succeed otherwise."""

    name: str
    make: Text
    causes: Mapping[str, tuple[float, int]]
    outlier: str
    """How some hosts that succeed deviate."""

    def on(self, hosts: int) -> Kind:
        """The kind with deviants among so many hosts; fewer than fifty have no outliers."""
        order = list(range(hosts))
        Dice(f"{self.name} of {hosts}").shuffle(order)
        plants: dict[str, list[int]] = {}
        sizes = {how: max(least, int(share * hosts)) for how, (share, least) in self.causes.items()}
        if self.outlier and hosts >= 50:
            sizes[self.outlier] = max(1, hosts // 250)
        for how, size in sizes.items():
            plants[how] = [order.pop() for _ in range(size)]
        return Kind(self.name, self.make, plants, frozenset(self.causes))


FAILING: list[FailingKind] = []


def failing(
    name: str, outlier: str = "", causes: Mapping[str, tuple[float, int]] = USUAL
) -> Callable[[Text], Text]:
    def add(make: Text) -> Text:
        FAILING.append(FailingKind(name, make, causes, outlier))
        return make

    return add


def _some(d: Dice, most: int, text: Callable[[], str]) -> str:
    return "".join(text() for _ in range(d.randrange(most + 1)))


@failing("df with overlay mounts", outlier="missing")
def _(d: Dice, host: int, how: str) -> str:
    def mount() -> str:
        if d.random() < 0.5:
            return f"tmpfs           1.6G     0  1.6G   0% /run/user/{d.randrange(1000, 1009)}\n"
        return (
            f"overlay          50G   {d.randrange(9, 40)}G   20G  {d.randrange(20, 80)}% "
            f"/var/lib/docker/overlay2/{d.hex(64)}/merged\n"
        )

    full = d.choice(PATHS)
    log = "Filesystem      Size  Used Avail Use% Mounted on\n" + _some(d, 4, mount)
    log += f"/dev/vda1        50G   {d.randrange(9, 40)}G   20G  {d.randrange(20, 80)}% /\n"
    if how != "missing":
        log += (
            f"/dev/vdb1       500G  {d.randrange(90, 400)}G   99G  {d.randrange(20, 80)}% /data\n"
        )
    log += _some(d, 3, mount)
    if d.random() < 0.3:
        log += f"shm              64M     0   64M   0% /run/containerd/{d.hex(64)}/shm\n"
    if how == "a":
        return log + f"CRITICAL: file system of {full} is 97% full\n"
    if how == "b":
        return (
            log + f"find: '{full}/lost+found': Permission denied\nUNKNOWN: nothing was measured\n"
        )
    if how == "single":
        return log + f"CRITICAL: file system of {full} is mounted read-only\n"
    return log + "OK: enough space\n"


@failing("apt install", outlier="version")
def _(d: Dice, host: int, how: str) -> str:
    chosen = d.sample(PACKAGES, d.randrange(3, 9))
    package = d.choice(chosen)
    log = "Reading package lists...\nBuilding dependency tree...\nReading state information...\n"
    if how == "a":
        return log + f"E: Unable to locate package {package}\n"
    log += f"The following NEW packages will be installed:\n  {' '.join(sorted(chosen))}\n"
    log += f"0 upgraded, {len(chosen)} newly installed, 0 to remove and 3 not upgraded.\n"
    for one in chosen:
        log += (
            f"Get:{d.randrange(9)} http://deb.example.com/debian bookworm/main amd64 {one} amd64 "
        )
        log += f"{d.randrange(9)}.{d.randrange(9)}-1 [{d.randrange(9, 999)} kB]\n"
    log += f"Fetched {d.randrange(400, 9000)} kB in {d.randrange(1, 9)}s ({d.randrange(90, 999)} kB/s)\n"
    for place, one in enumerate(chosen):
        log += f"Preparing to unpack .../{place}-{one}_{d.randrange(9)}_amd64.deb ...\n"
        if how == "b" and one == package:
            deb = f"/var/cache/apt/archives/{one}_{d.randrange(9)}_amd64.deb"
            return log + (
                f"dpkg: error processing archive {deb} (--unpack):\n cannot copy extracted data for "
                f"'./usr/bin/{one}': failed to write (No space left on device)\n"
                f"Errors were encountered while processing:\n {deb}\n"
                "E: Sub-process /usr/bin/dpkg returned an error code (1)\n"
            )
        log += f"Unpacking {one} ({d.randrange(9)}.2-1) ...\n"
    if how == "single":
        return log + (
            f"dpkg: error processing package {package} (--configure):\n"
            f" installed {package} package post-installation script returned error exit status 1\n"
            f"Errors were encountered while processing:\n {package}\n"
            "E: Sub-process /usr/bin/dpkg returned an error code (1)\n"
        )
    log += "".join(
        f"Setting up {one} ({d.randrange(9)}.2-1) ...\n" for one in d.sample(chosen, len(chosen))
    )
    kernel = "6.1.0-18" if how == "version" else "6.1.0-21"
    return log + f"Processing triggers for man-db (2.11.2-2) ...\nkernel {kernel} is running\n"


@failing("yum install")
def _(d: Dice, host: int, how: str) -> str:
    package = d.choice(PACKAGES)
    log = f"Last metadata expiration check: 0:{d.randrange(10, 60)}:07 ago on Sun 22 Nov 2026.\n"
    if how == "a":
        return log + f"No match for argument: {package}\nError: Unable to find a match: {package}\n"
    if how == "b":
        site = d.choice(SITES)
        return log + (
            f"Errors during downloading metadata for repository '{site}-extras':\n"
            f"  - Curl error (28): Timeout was reached for http://{site}.example.com/repodata/repomd.xml\n"
            f"Error: Failed to download metadata for repo '{site}-extras'\n"
        )
    log += (
        f"Dependencies resolved.\nInstalling:\n {package}   x86_64   1.{d.randrange(9)}   baseos\n"
    )
    if how == "single":
        return log + f"Error: GPG check FAILED\nPublic key for {package} is not installed\n"
    return log + f"Running transaction\n  Installing : {package}  1/1\n\nComplete!\n"


@failing("pip install", outlier="notice")
def _(d: Dice, host: int, how: str) -> str:
    wanted = d.sample(("flask", "django", "numpy", "celery", "lxml", "pyyaml", "attrs", "redis"), 4)
    log = ""
    for place, one in enumerate(wanted):
        log += f"Collecting {one}\n"
        if how and place == 2:
            if how == "a":
                return log + (
                    f"ERROR: Could not find a version that satisfies the requirement {one} "
                    f"(from versions: none)\nERROR: No matching distribution found for {one}\n"
                )
            if how == "b":
                return (
                    log + f"  error: command 'gcc' failed\nERROR: Failed building wheel for {one}\n"
                )
            if how == "single":
                return log + (
                    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left "
                    f"on device: '/usr/lib/python3/site-packages/{one}'\n"
                )
        log += f"  Downloading {one}-{d.randrange(9)}.{d.randrange(9)}-py3-none-any.whl ({d.randrange(9, 99)} kB)\n"
    log += "Installing collected packages: " + ", ".join(wanted) + "\n"
    if how == "notice":
        log += "WARNING: Running pip as the 'root' user can result in broken permissions\n"
    return (
        log
        + "Successfully installed "
        + " ".join(f"{one}-{d.randrange(9)}.1" for one in wanted)
        + "\n"
    )


@failing("npm ci")
def _(d: Dice, host: int, how: str) -> str:
    bar = "".join(
        f"\r[{'#' * k}{'.' * (9 - k)}] idealTree: timing {d.choice(TABLES)}" for k in range(9)
    )
    log = f"{bar}\r\x1b[K" + _some(
        d,
        3,
        lambda: f"npm WARN deprecated {d.choice(PACKAGES)}@{d.randrange(9)}.0.1: no longer kept\n",
    )
    trace = f"npm ERR! A complete log of this run can be found in: /root/.npm/_logs/2026-11-22T08_{d.randrange(60)}-debug.log\n"
    site, path = d.choice(SITES), d.choice(PATHS)
    if how == "a":
        return log + (
            f"npm ERR! code ENOTFOUND\nnpm ERR! network request to https://{site}.example.com/{d.choice(PACKAGES)} "
            f"failed, reason: getaddrinfo ENOTFOUND {site}.example.com\n{trace}"
        )
    if how == "b":
        return log + (
            f"npm ERR! code EACCES\nnpm ERR! syscall mkdir\nnpm ERR! path {path}/node_modules\n"
            f"npm ERR! Error: EACCES: permission denied, mkdir '{path}/node_modules'\n{trace}"
        )
    if how == "single":
        return log + (
            f"npm ERR! code ENOSPC\nnpm ERR! syscall mkdir\nnpm ERR! path {path}/node_modules\n"
            f"npm ERR! Error: ENOSPC: no space left on device, mkdir '{path}/node_modules'\n{trace}"
        )
    return log + f"added {d.choice([811, 812])} packages in {d.randrange(3, 60)}s\n"


@failing("tasks of a playbook", outlier="changed")
def _(d: Dice, host: int, how: str) -> str:
    log = "PLAY [web] ****\n\nTASK [Gathering Facts] ****\n"
    log += f"ok: [web-{host:03}]\n\nTASK [users : add] ****\n"
    user, path = d.choice(USERS), d.choice(PATHS)
    if how == "a":
        return log + (
            f'fatal: [web-{host:03}]: FAILED! => {{"changed": false, "msg": "usermod: user {user} is '
            f'currently used by process {d.randrange(900, 9999)}\\n", "name": "{user}", "rc": 8}}\n'
            f"\nPLAY RECAP ****\nweb-{host:03} : ok=1 changed=0 unreachable=0 failed=1\n"
        )
    log += f"changed: [web-{host:03}] => (item={user})\n\nTASK [config : copy] ****\n"
    if how == "b":
        return log + (
            f'fatal: [web-{host:03}]: FAILED! => {{"changed": false, "checksum": "{d.hex(40)}", '
            f'"msg": "Destination directory {path} does not exist"}}\n'
            f"\nPLAY RECAP ****\nweb-{host:03} : ok=2 changed=1 unreachable=0 failed=1\n"
        )
    if how == "single":
        return log + (
            f'fatal: [web-{host:03}]: FAILED! => {{"changed": false, "checksum": "{d.hex(40)}", '
            f'"msg": "Destination directory {path} is not writable"}}\n'
            f"\nPLAY RECAP ****\nweb-{host:03} : ok=2 changed=1 unreachable=0 failed=1\n"
        )
    what = "changed" if how == "changed" else "ok"
    return log + (
        f"{what}: [web-{host:03}]\n\nPLAY RECAP ****\n"
        f"web-{host:03} : ok=3 changed=1 unreachable=0 failed=0\n"
    )


@failing("systemctl restart", outlier="masked")
def _(d: Dice, host: int, how: str) -> str:
    service = d.choice(SERVICES)
    log = "".join(f"restarting {one}.service\n" for one in d.sample(SERVICES, 3))
    if how == "a":
        return log + (
            f"Job for {service}.service failed because the control process exited with error code.\n"
            f'See "systemctl status {service}.service" and "journalctl -xeu {service}.service" for details.\n'
        )
    if how == "b":
        return log + f"Failed to restart {service}.service: Unit {service}.service not found.\n"
    if how == "single":
        return log + f"Failed to restart {service}.service: Unit {service}.service is masked.\n"
    warning = "Warning: the unit file changed on disk, run 'systemctl daemon-reload'\n"
    return log + (
        f"Active: active (running) since Sun 2026-11-22 {d.clock()} UTC; {d.randrange(1, 9)}s ago\n"
        f"Main PID: {d.randrange(900, 65000)}\n{warning if how == 'masked' else ''}"
    )


@failing("docker pull", outlier="digest")
def _(d: Dice, host: int, how: str) -> str:
    image = f"registry.example.com/{d.choice(SITES)}/{d.choice(SERVICES)}:latest"
    if how == "a":
        return f"Using default tag: latest\nError response from daemon: manifest for {image} not found: manifest unknown\n"
    if how == "b":
        return f"Using default tag: latest\nError response from daemon: pull access denied for {image}, repository does not exist\n"
    log = "Using default tag: latest\nlatest: Pulling from library/app\n"
    for _ in range(3):
        log += f"{d.hex(12)}: Pulling fs layer\n"
    for _ in range(d.randrange(3)):
        log += f"{d.hex(12)}: Already exists\n"
    if how == "single":
        return log + (
            f"failed to register layer: write /usr/lib/{d.choice(PACKAGES)}/{d.choice(PACKAGES)}.so: no space left on device\n"
        )
    digest = "0badcafe" * 8 if how == "digest" else "c0ffee77" * 8
    return log + f"Digest: sha256:{digest}\nStatus: Downloaded newer image for app:latest\n"


@failing("mysqldump", outlier="skipped")
def _(d: Dice, host: int, how: str) -> str:
    log = f"-- dump of shop at {d.stamp()}\n"
    user, table = d.choice(USERS), d.choice(TABLES)
    if how == "a":
        return (
            log
            + f"mysqldump: Got error: 1045: Access denied for user '{user}'@'localhost' (using password: YES) when trying to connect\n"
        )
    for one in d.sample(TABLES, len(TABLES)):
        if how == "b" and one == table:
            return (
                log
                + f"mysqldump: Error 1194: Table '{one}' is marked as crashed and should be repaired when dumping table `{one}` at row: {d.randrange(999)}\n"
            )
        if how == "single" and one == table:
            return (
                log
                + f"mysqldump: Error 2013: Lost connection to MySQL server during query when dumping table `{one}` at row: {d.randrange(999)}\n"
            )
        if not (how == "skipped" and one == "audit"):
            log += f"dumped {one}: {d.randrange(900, 99999)} rows\n"
    return log + f"dump complete, {d.randrange(10, 99)} MB\n"


@failing("kubectl describe pod", outlier="restarts")
def _(d: Dice, host: int, how: str) -> str:
    app = d.choice(SITES)
    pod = f"{app}-{d.hex(9)}-{d.letters(5, POD)}"
    log = (
        f"Name:             {pod}\nNamespace:        shop\nNode:             web-{host:03}/10.0.0.{host % 250}\n"
        f"Labels:           app={app}\n                  pod-template-hash={d.hex(9)}\nEvents:\n"
        "  Type     Reason     Age   From               Message\n"
        f"  Normal   Scheduled  {d.randrange(2, 59)}s   default-scheduler  Successfully assigned shop/{pod} to web-{host:03}\n"
    )
    image = f"registry.example.com/{app}:v{d.randrange(9)}"
    if how == "a":
        return log + (
            f'  Warning  Failed     {d.randrange(2, 59)}s   kubelet            Failed to pull image "{image}": not found\n'
            f'  Normal   BackOff    {d.randrange(2, 59)}s   kubelet            Back-off pulling image "{image}"\n'
        )
    if how == "b":
        return log + (
            f'  Warning  FailedMount  {d.randrange(2, 59)}s   kubelet            MountVolume.SetUp failed for volume "{app}-config" : '
            f'configmap "{app}-config" not found\n'
        )
    log += f'  Normal   Pulled     {d.randrange(2, 59)}s   kubelet            Container image "{image}" already present on machine\n'
    if how == "single":
        return (
            log
            + f"  Warning  BackOff    {d.randrange(2, 59)}s   kubelet            Back-off restarting failed container {app} in pod {pod}\n"
        )
    count = 7 if how == "restarts" else 0
    return (
        log
        + f"  Normal   Started    {d.randrange(2, 59)}s   kubelet            Started container {app}\nrestarts {count}\n"
    )


@failing("git fetch", outlier="gc")
def _(d: Dice, host: int, how: str) -> str:
    site = d.choice(SITES)
    repo = f"https://git.example.com/{site}/{d.choice(SERVICES)}.git/"
    if how == "a":
        return f"fatal: unable to access '{repo}': Could not resolve host: {site}.example.com\n"
    if how == "b":
        return f"remote: HTTP Basic: Access denied\nfatal: Authentication failed for '{repo}'\n"
    if how == "single":
        return (
            f"error: cannot open .git/FETCH_HEAD: Permission denied\nfetching {repo} was given up\n"
        )
    log = f"remote: Enumerating objects: {d.randrange(9, 999)}, done.\n"
    log += "".join(
        f"   {d.hex(9)}..{d.hex(9)}  feature/{d.choice(USERS)}-{d.choice(TABLES)} -> origin/feature/{d.choice(USERS)}\n"
        for _ in range(d.randrange(4))
    )
    if how == "gc":
        log += "warning: there are too many unreachable loose objects; run 'git prune' to remove them.\n"
    return log + f"Already on 'main'\nHEAD is now at {d.hex(9)}\n"


@failing("java stack traces", outlier="pool")
def _(d: Dice, host: int, how: str) -> str:
    def line(level: str, text: str) -> str:
        thread = d.choice(
            (
                "main",
                f"pool-{d.randrange(9)}-thread-{d.randrange(99)}",
                f"http-nio-exec-{d.randrange(99)}",
            )
        )
        return f"{d.stamp()} {level} [{thread}] c.e.shop.{text}\n"

    def calls(names: tuple[str, ...]) -> str:
        return "".join(
            f"\tat com.example.shop.{d.choice(names)}.{d.choice(('run', 'call', 'apply', 'get'))}({d.choice(names)}.java:{d.randrange(20, 900)})\n"
            for _ in range(d.randrange(3, 7))
        )

    log = line("INFO", "App : Starting App") + line("INFO", "Db : pool of 16 connections")
    names = ("OrderService", "CartService", "StockClient", "PriceCache", "AuditFilter")
    bean = d.choice(
        ("order", "cart", "stock", "price", "audit", "login", "search", "report", "mail")
    )
    if how == "a":
        return (
            log
            + line("ERROR", f"App : Error creating bean with name '{bean}Controller'")
            + (
                f"java.lang.IllegalArgumentException: Could not resolve placeholder '{bean}.url'\n"
                + calls(names)
            )
        )
    if how == "b":
        return (
            log
            + line("ERROR", f"Pool : Unhandled error in worker of {bean}")
            + ("java.lang.OutOfMemoryError: Java heap space\n" + calls(names))
        )
    if how == "single":
        return (
            log
            + line("ERROR", f"Pool : Unhandled error in worker of {bean}")
            + ("java.lang.StackOverflowError: null\n" + calls(names))
        )
    if how == "pool":
        log += line("WARN", "Db : pool is smaller than recommended")
    return log + line("INFO", f"App : Started App in {d.uniform(2, 20):.3f} seconds")


@failing("curl of other addresses", outlier="moved")
def _(d: Dice, host: int, how: str) -> str:
    site = d.choice(SITES)
    log = f"checking https://{site}.example.com/{d.choice(TABLES)}\n"
    if how == "a":
        return log + f"curl: (6) Could not resolve host: {site}.example.com\n"
    if how == "b":
        return (
            log
            + f"curl: (7) Failed to connect to {site}.example.com port 443: Connection refused\n"
        )
    if how == "single":
        return (
            log + f"curl: (7) Failed to connect to {site}.example.com port 443: No route to host\n"
        )
    status = "301 Moved Permanently" if how == "moved" else "200 OK"
    return log + f"HTTP/1.1 {status}\nContent-Length: {d.randrange(900, 99999)}\n"


@failing("PowerShell", outlier="stopped")
def _(d: Dice, host: int, how: str) -> str:
    name = d.choice(
        ("Spooler", "W32Time", "BITS", "WinRM", "Themes", "Dnscache", "Netlogon", "EventLog")
    )
    at = "At C:\\scripts\\check.ps1:12 char:1\r\n"
    if how == "a":
        return (
            f"Get-Service : Cannot find any service with service name '{name}'.\r\n{at}"
            f"    + CategoryInfo          : ObjectNotFound: ({name}:String) [Get-Service], ServiceCommandException\r\n"
        )
    if how == "b":
        user = d.choice(USERS)
        return (
            f"Remove-Item : Access to the path 'C:\\Users\\{user}\\AppData' is denied.\r\n{at}"
            f"    + CategoryInfo          : PermissionDenied: (C:\\Users\\{user}\\AppData:String) [Remove-Item], UnauthorizedAccessException\r\n"
        )
    if how == "single":
        return (
            f"Start-Service : Service '{name}' cannot be started due to the following error: Cannot open service.\r\n{at}"
            f"    + CategoryInfo          : OpenError: ({name}:String) [Start-Service], ServiceCommandException\r\n"
        )
    status = "Stopped" if how == "stopped" else "Running"
    return f"\r\nStatus   Name               DisplayName\r\n------   ----               -----------\r\n{status}  WinRM    Remote Management\r\ntook {d.randrange(9, 99)} ms\r\n"


@failing("部署", outlier="旧版")
def _(d: Dice, host: int, how: str) -> str:
    package, path, user = d.choice(PACKAGES), d.choice(PATHS), d.choice(USERS)
    log = f"[{d.stamp()}] 开始部署订单中心\n[{d.stamp()}] 检查磁盘空间 {path} 剩余 {d.randrange(20, 90)}G\n"
    if how == "a":
        return log + f"[{d.stamp()}] 错误：安装软件包{package}失败，找不到该软件包\n部署失败\n"
    if how == "b":
        return log + f"[{d.stamp()}] 错误：用户{user}没有写入目录 {path} 的权限\n部署失败\n"
    if how == "single":
        return log + f"[{d.stamp()}] 错误：目录 {path} 所在磁盘空间不足\n部署失败\n"
    version = "3.8.1" if how == "旧版" else "3.8.2"
    return (
        log
        + f"[{d.stamp()}] 下载软件包 order-{version}.tar.gz 耗时{d.randrange(2, 30)}秒\n部署成功\n"
    )


@failing("table of checks", outlier="slow")
def _(d: Dice, host: int, how: str) -> str:
    log = "CHECK            STATUS   DETAIL\n"
    row = "{:<16} {:<8} {}\n".format
    for name in ("memory", "swap", "load", "clock", "dns"):
        log += row(name, "ok", f"{d.randrange(1, 90)}%")
    if how == "a":
        log += row("service", "FAILED", f"unit {d.choice(SERVICES)} is not running on this machine")
    elif how == "b":
        log += row(
            "path", "FAILED", f"{d.choice(PATHS)} is owned by {d.choice(USERS)} instead of root"
        )
    elif how == "single":
        log += row("path", "FAILED", f"{d.choice(PATHS)} is missing from this machine")
    else:
        log += row("service", "ok", "") + row("path", "ok", "")
    if how == "slow":
        log += row("disk", "warning", "latency is high")
    return log + ("1 check failed\n" if how else "all passed\n")


@failing("rsync with bars", outlier="vanished")
def _(d: Dice, host: int, how: str) -> str:
    log = "sending incremental file list\n"
    for _ in range(d.randrange(2, 6)):
        log += f"{d.choice(TABLES)}/{d.choice(PACKAGES)}.dat\n"
        log += "".join(
            f"\r   {k * 327680:>12,} {k * 10:>3}%  {d.randrange(9, 99)}.1MB/s   0:00:0{k}"
            for k in range(10)
        )
        log += f"\r   3,276,800 100%  {d.randrange(9, 99)}.1MB/s   0:00:01 (xfr#1, to-chk={d.randrange(9)}/9)\n"
    file = f"{d.choice(PATHS)}/.{d.choice(TABLES)}.{d.letters(6, ALNUM)}"
    if how == "a":
        return (
            log
            + f'rsync: [receiver] mkstemp "{file}" failed: Permission denied (13)\nrsync error: some files could not be transferred (code 23) at main.c(1338)\n'
        )
    if how == "b":
        return (
            log
            + f'rsync: [receiver] write failed on "{file}": No space left on device (28)\nrsync error: error in file IO (code 11) at receiver.c(393)\n'
        )
    if how == "single":
        return (
            log
            + f'rsync: [receiver] mkstemp "{file}" failed: Read-only file system (30)\nrsync error: some files could not be transferred (code 23) at main.c(1338)\n'
        )
    if how == "vanished":
        log += 'file has vanished: "/srv/cache/index"\n'
    return (
        log
        + f"sent {d.randrange(10**6, 10**7):,} bytes  received {d.randrange(99, 999)} bytes\ntotal size is 9,830,400  speedup is 1.00\n"
    )


@failing("smartctl of disks", outlier="sectors")
def _(d: Dice, host: int, how: str) -> str:
    model = d.choice(
        ("Seagate Barracuda", "Western Digital Red", "Toshiba Enterprise", "Samsung Evo")
    )
    disk = f"/dev/sd{d.choice('abcdefgh')}"
    log = f"smartctl 7.3 2022-02-28 r5338\nModel Family:     {model}\nSerial Number:    {d.letters(10).upper()}\n"
    if how == "a":
        return (
            log
            + f"SMART overall-health self-assessment test result: FAILED!\nDrive failure expected in less than 24 hours: back up {disk} now\n"
        )
    if how == "b":
        return log + f"Smartctl open device: {disk} failed: No such device\n"
    if how == "single":
        return log + f"Smartctl open device: {disk} failed: Permission denied\n"
    sectors = 216 if how == "sectors" else 0
    return log + (
        "SMART overall-health self-assessment test result: PASSED\n"
        f"  5 Reallocated_Sector_Ct   0x0033   100   100   010    Pre-fail  -       {sectors}\n"
        f"194 Temperature_Celsius     0x0022   0{d.randrange(50, 70)}   045   000    Old_age   -       {d.randrange(25, 50)}\n"
    )


@failing("garbage collection", outlier="cores")
def _(d: Dice, host: int, how: str) -> str:
    def pause() -> str:
        kind = d.choice(("Young (Normal) (G1 Evacuation Pause)", "Young (Concurrent Start) (G1 Humongous Allocation)",
                         "Remark", "Cleanup", "Young (Mixed) (G1 Preventive Collection)"))  # fmt: skip
        return f"[{d.uniform(1, 99):.3f}s][info][gc] GC({d.randrange(99)}) Pause {kind} {d.randrange(50, 900)}M->{d.randrange(9, 400)}M(1024M) {d.uniform(1, 40):.3f}ms\n"

    log = f"[0.00{d.randrange(9)}s][info][gc] Using G1\n" + "".join(
        pause() for _ in range(d.randrange(4, 20))
    )
    job = d.choice(TABLES)
    if how == "a":
        return (
            log
            + f'Exception in thread "{job}-worker" java.lang.OutOfMemoryError: Java heap space\nimport of {job} failed\n'
        )
    if how == "b":
        return (
            log
            + f'Exception in thread "{job}-worker" java.lang.OutOfMemoryError: Metaspace\nimport of {job} failed\n'
        )
    if how == "single":
        return (
            log
            + f'Exception in thread "{job}-worker" java.nio.file.AccessDeniedException: /data/in/{job}.csv\nimport of {job} failed\n'
        )
    if how == "cores":
        log += "[warning][os] only one processor is available\n"
    return log + f"imported {d.randrange(900, 99999)} rows\n"


@failing("users are added", outlier="expired")
def _(d: Dice, host: int, how: str) -> str:
    users = d.sample(USERS, 4)
    log = "".join(f"added {one} to group developers\n" for one in users)
    if how == "a":
        return log + f"useradd: user '{users[0]}' already exists\n"
    if how == "b":
        return log + "useradd: cannot lock /etc/passwd; try again later.\n"
    if how == "single":
        return log + f"useradd: invalid user name '{users[0]}'\n"
    return (
        log
        + ("warning: the password of root has expired\n" if how == "expired" else "")
        + "4 users are there\n"
    )


@failing("mount points in any order", outlier="readonly")
def _(d: Dice, host: int, how: str) -> str:
    points = [
        "proc on /proc type proc (rw,nosuid)", "sysfs on /sys type sysfs (rw,nosuid)",
        *(f"tmpfs on /run/user/{d.randrange(1000, 1020)} type tmpfs (rw,size={d.randrange(999999)}k)" for _ in range(d.randrange(4))),
        *(f"overlay on /var/lib/docker/overlay2/{d.hex(64)}/merged type overlay (rw)" for _ in range(d.randrange(6))),
        *(f"nsfs on /run/docker/netns/{d.hex(12)} type nsfs (rw)" for _ in range(d.randrange(3))),
        *(f"/dev/mapper/{d.choice(TABLES)} on {one} type xfs (rw,noatime)" for one in d.sample(PATHS, d.randrange(3))),
        f"/dev/vdb1 on /data type ext4 ({'ro' if how == 'readonly' else 'rw'},relatime)",
    ]  # fmt: skip
    d.shuffle(points)
    log = "\n".join(points) + "\n"
    path = d.choice(PATHS)
    if how == "a":
        return (
            log
            + f"mount: {path}: wrong fs type, bad option, bad superblock on /dev/vdc{d.randrange(9)}.\n"
        )
    if how == "b":
        return log + f"mount: {path}: special device UUID={d.hex(8)} does not exist.\n"
    if how == "single":
        return log + f"mount: {path}: mount point is busy.\n"
    return log + "mounted all\n"


@failing("notes that come and go", outlier="kernel")
def _(d: Dice, host: int, how: str) -> str:
    log = f"login at {d.clock()}\n"
    if d.random() < 0.3:
        log += f"{d.randrange(2, 40)} updates can be applied immediately.\n"
    log += f"load {d.random():.2f}\n"
    if d.random() < 0.2:
        log += "*** System restart required ***\n"
    log += f"kernel {'5.4.0-99' if how == 'kernel' else '5.15.0-105'}\n"
    if d.random() < 0.25:
        log += f"tmpfs 1.6G 0 1.6G 0% /run/user/{d.randrange(1000, 1009)}\n"
    service, user = d.choice(SERVICES), d.choice(USERS)
    if how == "a":
        return (
            log + f"ERROR service {service} did not answer within {d.randrange(10, 60)} seconds\n"
        )
    if how == "b":
        return log + f"ERROR home directory of {user} could not be created, quota exceeded\n"
    if how == "single":
        return log + f"ERROR home directory of {user} could not be created, file exists\n"
    return log + "done\n"


@failing("tar of files of its own", outlier="changed")
def _(d: Dice, host: int, how: str) -> str:
    def file() -> str:
        return f"data/{d.choice(TABLES)}/{d.choice(PACKAGES)}.{d.choice(('log', 'dat', 'idx'))}"

    files = [file() + "\n" for _ in range(d.randrange(5, 30))]
    middle = len(files) // 2
    if how == "a":
        files.insert(middle, f"tar: {file()}: Cannot open: Permission denied\n")
    if how == "b":
        end = "tar: /backup/data.tar.gz: Cannot write: No space left on device\n"
        return "".join(files[:middle]) + end + "tar: Error is not recoverable: exiting now\n"
    if how == "single":
        files.insert(middle, f"tar: {file()}: Cannot open: Input/output error\n")
    if how in ("a", "single"):
        return "".join(files) + "tar: Exiting with failure status due to previous errors\n"
    if how == "changed":
        files.insert(middle, f"tar: {file()}: file changed as we read it\n")
    return "".join(files) + f"archive of {d.randrange(10, 900)} MB\n"


@failing("a panic in Go", outlier="reconnect")
def _(d: Dice, host: int, how: str) -> str:
    def line(text: str) -> str:
        return f"2026/11/22 {d.clock()} {text}\n"

    log = line("starting relay v1.9.2") + line(f"connected to kafka-{d.randrange(9)}:9092")
    log += "".join(
        line(f"consumed {d.randrange(9, 9000)} messages of {d.choice(TABLES)}") for _ in range(4)
    )
    calls = (
        f"\ngoroutine {d.randrange(900)} [running]:\nmain.(*Relay).{d.choice(('handle', 'flush', 'commit'))}(0xc000{d.hex(6)})\n"
        f"\t/build/relay/{d.choice(TABLES)}.go:{d.randrange(9, 400)} +0x{d.hex(3)}\n"
    )
    if how == "a":
        return (
            log
            + "panic: runtime error: invalid memory address or nil pointer dereference\n"
            + calls
        )
    if how == "b":
        return log + "panic: assignment to entry in nil map\n" + calls
    if how == "single":
        return log + "panic: close of closed channel\n" + calls
    if how == "reconnect":
        log += line("broker went away, retrying")
    return log + line(f"drained, {d.randrange(10**4, 10**6)} messages in total")


@failing("apk upgrade", outlier="branch")
def _(d: Dice, host: int, how: str) -> str:
    branch = "v3.19" if how == "branch" else "v3.20"
    log = f"fetch https://dl-cdn.alpinelinux.org/alpine/{branch}/main/x86_64/APKINDEX.tar.gz\n"
    package = f"{d.choice(PACKAGES)}-{d.randrange(9)}.{d.randrange(9)}-r{d.randrange(5)}"
    if how == "a":
        return (
            log
            + f"ERROR: unable to select packages:\n  {package}:\n    breaks: world[{d.choice(PACKAGES)}=1.1-r0]\n"
        )
    if how == "b":
        return (
            log
            + f"ERROR: unable to lock the database of packages\n  {package}:\n    waited for 10 seconds\n"
        )
    if how == "single":
        return log + f"ERROR: the signature is not trusted\n  {package}:\n    skipped\n"
    for at in range(d.randrange(2, 9)):
        log += f"({at + 1}/9) Upgrading {d.choice(PACKAGES)} ({d.randrange(9)}.1-r0 -> {d.randrange(9)}.2-r0)\n"
    return log + f"OK: {d.randrange(100, 400)} MiB in {d.randrange(90, 300)} packages\n"
