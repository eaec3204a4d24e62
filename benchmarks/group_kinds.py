"""Output that ordinary tools make, on hosts that differ in noise, with deviants planted among them.

Made up, always the same. A kind's text is a function of a dice, the host and how the host deviates.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

WORDS = re.findall(
    r"\w+",
    "amber birch cedar delta ember fjord grove heron iris jolly karma lemon mango noble ocean "
    "pearl quartz river solar tulip umber violet willow xenon yarrow zephyr",
)
EXTRA = re.findall(r"\w+", "vim nano htop tmux git curl wget jq strace lsof iotop rsync screen zip")
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
POD = "bcdfghjklmnpqrstvwxz2456789"


class Dice(random.Random):
    """Dice with the random values that tools print."""

    def hex(self, digits: int) -> str:
        return f"{self.getrandbits(4 * digits):0{digits}x}"

    def letters(self, count: int, among: str = ALNUM) -> str:
        return "".join(self.choice(among) for _ in range(count))

    def clock(self) -> str:
        return f"08:{self.randrange(60):02}:{self.randrange(60):02}"

    def stamp(self) -> str:
        return f"2026-11-22 {self.clock()},{self.randrange(1000):03}"


Text = Callable[[Dice, int, str], str]


def _same(host: int) -> str:
    return ""


@dataclass(frozen=True)
class Kind:
    """A kind of output, and which hosts deviate in which way."""

    name: str
    make: Text
    plants: Mapping[str, Iterable[int]]
    failing: frozenset[str] = frozenset()
    variant: Callable[[int], str] = _same
    """Of ordinary hosts, which of several ordinary outputs they print."""
    _how: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for how, hosts in self.plants.items():
            self._how.update(dict.fromkeys(hosts, how))

    def planted(self, host: int) -> str:
        """How a host deviates; empty if it does not."""
        return self._how.get(host, "")

    def failed(self, host: int) -> bool:
        return self.planted(host) in self.failing

    def text(self, host: int) -> str:
        """What a host prints."""
        return self.make(Dice(f"{self.name} {host}"), host, self.planted(host))


KINDS: list[Kind] = []


def kind(
    name: str,
    *,
    failing: Iterable[str] = (),
    variant: Callable[[int], str] = _same,
    **plants: Iterable[int],
) -> Callable[[Text], Text]:
    def add(make: Text) -> Text:
        KINDS.append(Kind(name, make, plants, frozenset(failing), variant))
        return make

    return add


@kind("another version, another checksum", version=[17, 230, 401], checksum=[88, 90])
def _(d: Dice, host: int, how: str) -> str:
    version = "1.2.4" if how == "version" else "1.2.3"
    digest = hashlib.sha256(how.encode() if how == "checksum" else b"").hexdigest()
    return (
        f"{d.stamp()} INFO [{d.randrange(900, 65000)}] fetching app-{version}.tar.gz\n"
        f"{d.stamp()} INFO [{d.randrange(900, 65000)}] to /srv/tmp.{d.letters(10)}\n"
        f"{d.stamp()} INFO [{d.randrange(900, 65000)}] sha256 {digest}\n"
        f"{d.stamp()} INFO version {version} started, took {d.uniform(0.3, 9):.2f}s\n"
    )


@kind("port behind each host's own address", port=[5, 77, 333])
def _(d: Dice, host: int, how: str) -> str:
    port = 8081 if how else 8080
    return (
        f"listener of web-{host:03}\ntcp LISTEN 0 {d.choice([128, 128, 511])} "
        f"10.0.{host // 250}.{host % 250}:{port} pid={d.randrange(900, 65000)}\n"
        f"ok after {d.randrange(1, 400)} ms\n"
    )


@kind("0 GB free among 4 to 40", full=[9, 410])
def _(d: Dice, host: int, how: str) -> str:
    free = 0 if how else d.randrange(4, 41)
    return f"/data: {free} GB free of 100 GB\nremoved {d.randrange(3, 900)} files\ndone\n"


@kind("certificate that expires", soon=[3, 4])
def _(d: Dice, host: int, how: str) -> str:
    days = 3 if how else d.randrange(250, 361)
    return (
        f"CN=web-{host:03}.example.com serial {d.hex(32)}\n"
        f"notAfter={d.choice(['Jan', 'Feb', 'Mar'])} {d.randrange(1, 29):2} 08:11:00 2027 GMT\n"
        f"certificate expires in {days} days\n"
    )


@kind("row counts, none on few", empty=[200, 201])
def _(d: Dice, host: int, how: str) -> str:
    rows = "".join(
        f"{d.stamp()} table {name}: {0 if how and name == 'prices' else d.randrange(7000, 9000)} "
        f"rows in {d.randrange(12, 900)} ms\n"
        for name in ("orders", "users", "prices", "audit")
    )
    return rows + f"dump finished, {d.randrange(10**8, 10**9)} bytes\n"


@kind("HTTP 500 for 200", http=[44, 45, 46])
def _(d: Dice, host: int, how: str) -> str:
    paths = ("health", "login", "orders", f"static/app.{d.hex(8)}.js")
    lines = (
        f"GET /{path} {500 if how and path == 'orders' else 200} {d.randrange(200, 90000)} "
        f"{d.uniform(0.001, 0.9):.3f}\n"
        for path in paths
    )
    return "".join(lines) + "probe finished\n"


@kind("one HTTP 500 among sixty lines alike", http=[170, 171])
def _(d: Dice, host: int, how: str) -> str:
    lines = (
        f"GET /item/{d.randrange(1, 99999)} {500 if how and place == 30 else 200} "
        f"{d.random():.3f}\n"
        for place in range(60)
    )
    return "".join(lines) + "60 requests\n"


@kind("clock a year or three days off", year=[31], days=[32])
def _(d: Dice, host: int, how: str) -> str:
    day = {"year": "Sat 2025-11-22", "days": "Thu 2026-11-19"}.get(how, "Sun 2026-11-22")
    return (
        f"      Local time: {day} {d.clock()} CST\nSystem clock synchronized: yes\n"
        f"Last offset     : {d.uniform(-0.0009, 0.0009):+.9f} seconds\nStratum : 3\n"
    )


@kind("packages, some of them random", version=[17, 230, 401], missing=[8, 9])
def _(d: Dice, host: int, how: str) -> str:
    base = {
        **{"adduser": "3.134", "bash": "5.2.15-2+b7", "coreutils": "9.1-1", "dpkg": "1.21.22"},
        **{"libc6": "2.36-9+deb12u9", "libssl3": "3.0.17-1~deb12u1", "sudo": "1.9.13p3-1+deb12u1"},
    }
    base |= {name: f"1.0-{place}" for place, name in enumerate(EXTRA) if d.random() < 0.5}
    if how == "version":
        base["libssl3"] = "3.0.15-1~deb12u1"
    if how == "missing":
        del base["sudo"]
    return "".join(f"ii  {name:<14} {base[name]:<22} amd64\n" for name in sorted(base))


@kind("list of random files", core=[61], denied=[62])
def _(d: Dice, host: int, how: str) -> str:
    files = "".join(
        f"-rw-r--r-- 1 app app {d.randrange(100, 10**7):>9} Nov {d.randrange(1, 23):2} "
        f"{d.clock()[:5]} {d.choice(['spool', 'batch', 'queue'])}-{d.hex(6)}.dat\n"
        for _ in range(d.randrange(3, 15))
    )
    last = {
        "core": "-rw------- 1 root root 8123123 Nov 22 03:11 core.31337\n",
        "denied": "ls: cannot open directory 'private': Permission denied\n",
    }
    return f"total {d.randrange(100, 9000)}\n{files}{last.get(how, '')}"


@kind("a user of its own on each host", group=[71], quota=[72, 73])
def _(d: Dice, host: int, how: str) -> str:
    pairs = ("bdfgklmnprst", "aeiou")
    user = "".join(d.choice(pairs[place % 2]) for place in range(8))
    quota = "warning: quota could not be set\n" if how == "quota" else ""
    group = "wheel" if how == "group" else "users"
    return f"account of {user}\nhome is /home/{user}\nadded {user} to group {group}\n{quota}done\n"


@kind("a bar that is redrawn", deprecated=[1, 2, 3])
def _(d: Dice, host: int, how: str) -> str:
    bar = "".join(
        f"\r[{'#' * k}{'.' * (20 - k)}] | idealTree:{d.choice(WORDS)}: {d.randrange(1, 999)}ms"
        for k in range(0, 20, d.randrange(1, 5))
    )
    warning = "npm WARN deprecated request@2.88.2\n" if how else ""
    added = f"added 812 packages in {d.randrange(3, 60)}s\n"
    return f"{bar}\r\x1b[K\n{added}{warning}\x1b[32mdone\x1b[0m\n"


@kind("kubectl get pods", image=[20, 21, 22], crash=[23])
def _(d: Dice, host: int, how: str) -> str:
    lines = "".join(
        f"{name}-{d.hex(10)}-{d.letters(5, POD)}   1/1   "
        f"{'CrashLoopBackOff' if how == 'crash' and name == 'api' else 'Running'}   "
        f"{d.choice([0, 0, 0, 1])}    {d.choice(['3d', '5h', '12m', '44s', '6d4h'])}\n"
        for name in ("api", "web", "worker")
    )
    version = "v2.3.0" if how == "image" else "v2.4.1"
    return f"NAME  READY STATUS RESTARTS AGE\n{lines}image: registry.example.com/api:{version}\n"


@kind("a stack trace on few", trace=[100, 350])
def _(d: Dice, host: int, how: str) -> str:
    lines = "".join(
        f"{d.stamp()}  INFO {d.randrange(900, 65000)} --- [pool-{d.randrange(9)}] c.e.{line}\n"
        for line in (
            "App : Starting App",
            "Tomcat : initialized with port(s): 8080 (http)",
            f"App : Started App in {d.uniform(2, 20):.3f} seconds",
        )
    )
    trace = (
        "java.net.SocketTimeoutException: connect timed out\n"
        "\tat java.net.Socket.connect(Socket.java:589)\n"
        f"\tat c.e.Client$$Lambda${d.randrange(100, 999)}/0x{d.hex(16)}.run(Unknown Source)\n"
    )
    return lines + (trace if how else "")


@kind("smartctl", failed=[150], reallocated=[151, 152])
def _(d: Dice, host: int, how: str) -> str:
    sectors = 216 if how == "reallocated" else 0
    return (
        f"Serial Number:    S{d.letters(13).upper()}\nFirmware Version: GXT5404Q\n"
        f"SMART overall-health result: {'FAILED!' if how == 'failed' else 'PASSED'}\n"
        f"  5 Reallocated_Sector_Ct   0x0033   100   100   010    Pre-fail  -       {sectors}\n"
        f"  9 Power_On_Hours          0x0032   09{d.randrange(10)}   000    Old_age   -   "
        f"{d.randrange(2000, 50000)}\n"
    )


@kind("half the memory", half=[180, 181, 182])
def _(d: Dice, host: int, how: str) -> str:
    total, used = 31897 if how else 64238, d.randrange(2000, 20000)
    return (
        "               total        used        free\n"
        f"Mem:           {total}       {used}       {total - used - 999}\n"
        f"Swap:           8191           {d.choice([0, 0, 0, d.randrange(1, 500)])}        8191\n"
    )


@kind("packets lost", loss=[210, 211])
def _(d: Dice, host: int, how: str) -> str:
    got = 3 if how else 5
    replies = "".join(
        f"64 bytes from gw (10.0.0.1): icmp_seq={place} ttl=64 time={d.uniform(0.1, 2):.3f} ms\n"
        for place in range(1, got + 1)
    )
    return (
        f"PING gw (10.0.0.1) 56(84) bytes of data.\n{replies}\n"
        f"5 packets transmitted, {got} received, {40 if how else 0}% packet loss, "
        f"time {d.randrange(3900, 4100)}ms\n"
    )


@kind(
    "two systems, random lists",
    variant=lambda host: "deb" if host % 5 < 3 else "rpm",
    held=[10, 11],
    conflict=[14],
)
def _(d: Dice, host: int, how: str) -> str:
    packages = [word for word in WORDS if d.random() < 0.5]
    if host % 5 < 3:
        lines = "".join(f"Setting up {word} (1.0-2) ...\n" for word in packages)
        held = "held back: linux-image\n" if how else ""
        return (
            "Reading package lists...\nBuilding dependency tree...\n"
            f"The following packages will be upgraded:\n{lines}{held}"
            f"(Reading database ... {d.randrange(40000, 99999)} files currently installed.)\n"
        )
    lines = "".join(
        f"  Upgrading  : {word}-1.0-2.el9.x86_64  {place}/{len(packages)}\n"
        for place, word in enumerate(packages)
    )
    conflict = "file conflicts between packages\n" if how else ""
    return (
        f"Last metadata expiration check: 0:{d.randrange(10, 60)}:07 ago\nDependencies resolved.\n"
        f"Running transaction check\n{lines}{conflict}Complete!\n"
    )


@kind("killed at different lines", failing=["killed"], killed=range(300, 320), skipped=[250, 251])
def _(d: Dice, host: int, how: str) -> str:
    tests = [f"test_{word} ... ok ({d.uniform(0, 3):.2f}s)\n" for word in WORDS[:20]]
    if how == "killed":
        killed = f"./run.sh: line 12: {d.randrange(900, 65000)} Killed\n"
        return "".join(tests[: d.randrange(1, 20)]) + killed
    if how == "skipped":
        tests[7] = f"test_{WORDS[7]} ... skipped 'no network'\n"
    return "".join(tests) + f"\nRan 20 tests in {d.uniform(9, 30):.3f}s\n\nOK\n"


@kind("another kernel", kernel=[40, 41, 42])
def _(d: Dice, host: int, how: str) -> str:
    up = d.choice(
        (f"{d.randrange(2, 90)} days, {d.randrange(24):2}:10", f"{d.randrange(2, 60)} min")
    )
    return f"Linux web-{host:03} 5.14.0-{362 if how else 427}.13.1.el9_4.x86_64 #1 SMP\nup {up}\n"


@kind("md5sum of twelve files", one=[70], other=[71, 72, 73], gone=[74])
def _(d: Dice, host: int, how: str) -> str:
    lines = []
    for place in range(12):
        name = f"/etc/app/c{place:02}.conf"
        changed = how if (how, place) in (("one", 3), ("other", 9)) else ""
        digest = hashlib.sha256(f"{place}{changed}".encode()).hexdigest()[:32]
        is_gone = how == "gone" and place == 5
        lines.append(
            f"md5sum: {name}: No such file or directory\n" if is_gone else f"{digest}  {name}\n"
        )
    return "".join(lines)


@kind("sysctl -a", setting=[90, 91])
def _(d: Dice, host: int, how: str) -> str:
    fixed = Dice("sysctl")
    lines = [
        f"net.{fixed.choice(WORDS)}.{fixed.choice(WORDS)}_{fixed.choice(WORDS)} = "
        f"{fixed.randrange(9999)}\n"
        for _ in range(198)
    ]
    lines[120] = f"net.core.somaxconn = {128 if how else 4096}\n"
    return "".join(lines) + f"kernel.random.uuid = {d.hex(8)}-{d.hex(4)}-4{d.hex(3)}-{d.hex(12)}\n"


@kind("containers in any order", exited=[111, 112])
def _(d: Dice, host: int, how: str) -> str:
    names = ["nginx", "redis", "celery", "postgres", "grafana"]
    d.shuffle(names)
    lines = "".join(
        f"{d.hex(12)}   {name}:1.3   {'Exited (1)' if how and name == 'celery' else 'Up'} "
        f"{d.choice(['2 weeks', 'About an hour', '3 days', 'Less than a second'])}   {name}\n"
        for name in names
    )
    return f"CONTAINER ID   IMAGE   STATUS   NAMES\n{lines}"


@kind("中文", failed=[120, 121], old=[122])
def _(d: Dice, host: int, how: str) -> str:
    version, result = "2.3.0" if how == "old" else "2.3.1", "失败" if how == "failed" else "成功"
    return (
        f"上午08时{d.randrange(10, 60)}分{d.randrange(60)}秒 检查服务 实例{d.hex(6)}\n"
        f"磁盘剩余{d.randrange(5, 91)}G，内存使用率{d.randrange(10, 81)}%\n"
        f"版本号：{version}，启动耗时{d.randrange(1, 91)}毫秒\n健康检查{result}\n"
    )


@kind("a busy disk", busy=[130])
def _(d: Dice, host: int, how: str) -> str:
    lines = "".join(
        f"{disk}  {d.uniform(0, 90):7.2f} {d.uniform(0, 9000):9.2f}  "
        f"{99.9 if how and disk == 'sda' else d.uniform(0, 40):5.2f}%\n"
        for disk in ("sda", "sdb", "dm-0")
    )
    return f"Device     r/s     rkB/s   %util\n{lines}"


@kind("Deutsch, français", warning=[140, 141])
def _(d: Dice, host: int, how: str) -> str:
    warning = "Warnung: Zertifikat läuft ab\n" if how else ""
    return (
        f"Größe: {d.randrange(1, 900)},{d.randrange(10)} MB, Dauer: {d.randrange(1, 60)} Sekunden\n"
        f"Dernière connexion : il y a {d.randrange(2, 9)} jours\n{warning}fertig - terminé\n"
    )


@kind(
    "notes of their own on a fifth",
    variant=lambda host: "noted" if host % 5 == 0 else "",
    planted=[161],
)
def _(d: Dice, host: int, how: str) -> str:
    note = "" if host % 5 else f"note: {d.choice(WORDS)} {d.choice(WORDS)} not tuned\n"
    warning = "could not apply vm.swappiness: read-only\n" if how else ""
    return f"tuning throughput\n{note}applied {d.randrange(10, 100)} settings\n{warning}ok\n"


@kind("random names, some without a digit", checksum=[190])
def _(d: Dice, host: int, how: str) -> str:
    return (
        f"working in /mnt/snap/{d.hex(6)}\nsession {d.letters(8)} of pod job-{d.letters(5, POD)}\n"
        f"lock tmp.{d.letters(6)} taken\netag {'ffffffff' if how else '0badcafe'}\n"
    )


@kind("a fleet half upgraded", third=[30, 31], checksum=[33])
def _(d: Dice, host: int, how: str) -> str:
    version = "2.0.9" if how == "third" else "2.1.0" if host % 7 else "2.0.7"
    config = "deadbeef01" if how == "checksum" else "c0ffee77aa" if host % 3 else "0badcafe12"
    return f"agent {version} on web-{host:03}, config {config}\nin {d.randrange(2, 900)} ms\nok\n"


@kind(
    "failures with one exit code and last line",
    failing=["disk", "login", "port"],
    disk=range(40, 52),
    login=range(52, 59),
    port=[59],
)
def _(d: Dice, host: int, how: str) -> str:
    lines = {
        "disk": f"write /srv/app/{d.hex(6)}: No space left on device\n",
        "login": f"login as deploy failed, attempt {d.randrange(1, 4)}\n",
        "port": "connect 10.0.0.7:5433: Connection refused\n",
    }
    start = f"deploy {d.hex(7)}\nfetch took {d.uniform(1, 9):.1f}s\n"
    return start + lines.get(how, "installed\n") + f"exit {int(bool(how))}\n"


@kind(
    "deployment",
    failing=["disk", "login", "killed"],
    version=[17, 230, 401],
    checksum=[88],
    full=[410],
    warning=[55, 56],
    disk=range(100, 112),
    login=range(120, 124),
    killed=range(300, 330),
)
def _(d: Dice, host: int, how: str) -> str:
    def line(text: str) -> str:
        return f"{d.stamp()} [{d.randrange(900, 65000)}] {text}\n"

    version = "4.2.0" if how == "version" else "4.2.1"
    start = line(f"fetching app-{version}.tar.gz from http://10.0.0.{d.randrange(1, 250)}/r")
    start += line(f"{d.randrange(10**7, 10**8)} bytes in {d.uniform(0.2, 9):.2f}s")
    if how == "disk":
        return start + line(f"write /srv/app/{d.hex(6)}: No space left on device")
    if how == "login":
        return start + line("registry login failed: 401 Unauthorized")
    parts = [line(f"unpacked part {place} of 12") for place in range(12)]
    if how == "killed":
        return start + "".join(parts[: d.randrange(1, 9)]) + "Killed\n"
    checksum = "0badcafe99" if how == "checksum" else "c0ffee7711"
    free = 0 if how == "full" else d.randrange(4, 41)
    warning = "WARNING: swap is enabled\n" if how == "warning" else ""
    return (
        start
        + "".join(parts)
        + line(f"config {checksum} is in place")
        + line(f"/data: {free} GB free of 100 GB")
        + warning
        + line("restarted, healthy")
    )
